//! What each letter is about.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    invoice::{Bill, Invoice},
    money::Money,
    purchase::{
        Attention, Delivery, Dispute, DisputeId, DisputeStatus, DisputeTerms, Document, Mail,
        Movement, Notice, Order, ParcelId, Payment, PaymentIntentId, Purchase, RefundId, Subject,
        SubscriptionId, Sums, WaitsFor,
    },
    subscription::{Reading, Subscription},
};

/// What an outbox row freezes of a purchase, an invoice or a subscription, so that its letter can be
/// written from the row alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// What the letter is about. Stored under the name of the first kind of subject there was.
    #[serde(rename = "purchase_id")]
    pub about: Subject,
    /// What was ordered, and by whom; for an invoice or a subscription, only by whom, and what it
    /// comes to.
    pub order: Order,
    /// What was paid, in the currency it was paid in. Only receipts show it.
    pub paid: Money,
    /// How what was paid comes about, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sums: Option<PaidSums>,
    /// Where it is delivered to. Only the letters that confirm a purchase say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
    /// The invoice that Stripe wrote of it, if it is known. Only receipts lead to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    /// What the payment is waiting for, if the letter is about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    /// The amount of the refund that the letter is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Money>,
    /// How much of that is tax, if tax was paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_tax: Option<Money>,
    /// The dispute that the letter is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute: Option<FrozenDispute>,
    /// The parcel that the letter is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<FrozenParcel>,
    /// The invoice that the letter is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<Bill>,
    /// How the subscription stands that the letter is about; in a letter about an invoice, only if
    /// the subscription is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<Reading>,
    /// What the seller is told of the purchase besides, if the letter says that it was sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale: Option<FrozenSale>,
}

/// What an outbox row freezes of a sale for the seller.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenSale {
    /// Where its money is at Stripe; `None` if nothing was paid, or an invoice was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_intent: Option<PaymentIntentId>,
    /// The subscription that began with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription: Option<SubscriptionId>,
    /// What a person should look at.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub attention: BTreeSet<Attention>,
}

/// What an outbox row freezes of what was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidSums {
    /// From what the goods cost to what was paid.
    #[serde(flatten)]
    pub sums: Sums,
    /// What they come to.
    pub total: Money,
}

/// What an outbox row freezes of a parcel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenParcel {
    /// Its tracking number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Who delivers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// Where to see how far it has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tracking_url: Option<String>,
}

/// What an outbox row freezes of a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenDispute {
    /// How it stands.
    pub status: DisputeStatus,
    /// How much is disputed, and why.
    pub terms: DisputeTerms,
    /// The money it moved.
    pub movements: Vec<Movement>,
}

impl Frozen {
    /// What `mail` needs to know about a purchase.
    pub fn of(purchase: &Purchase, mail: &Mail) -> Self {
        let order = purchase.order().clone();
        let confirms = matches!(
            mail,
            Mail::Paid | Mail::Welcome | Mail::Shipped(_) | Mail::Sold
        );
        let delivery = purchase.delivery().filter(|_| confirms);
        let sums = purchase.sums();
        Self {
            sums: sums.map(|(sums, total)| PaidSums { sums, total }),
            delivery: delivery.cloned(),
            document: purchase.document().filter(|_| confirms).cloned(),
            waits_for: purchase.waits_for().cloned(),
            parcel: match mail {
                Mail::Shipped(id) => FrozenParcel::of(id, purchase),
                _ => None,
            },
            sale: (*mail == Mail::Sold).then(|| FrozenSale::of(purchase)),
            ..Self::about(purchase.id().into(), order, purchase.accounts().paid)
        }
        .with_payment(purchase.payment(), &purchase.refunded_taxes(), mail)
    }

    /// What `mail` needs to know about an invoice, and how its subscription `ended`, if it is over.
    pub fn of_invoice(invoice: &Invoice, ended: Option<&Reading>, mail: &Mail) -> Self {
        let bill = invoice.bill();
        let order = Order::without_lines(invoice.buyer().clone(), bill.total);
        Self {
            invoice: Some(bill.clone()),
            subscription: ended.cloned(),
            ..Self::about(invoice.subject(), order, invoice.accounts().paid)
        }
        .with_payment(invoice.payment(), &invoice.refunded_taxes(), mail)
    }

    /// What a notice needs to know about a subscription that was read.
    pub fn of_subscription(subscription: &Subscription, reading: &Reading) -> Self {
        let total = reading.total().unwrap_or(Money::zero(reading.currency));
        let order = Order::without_lines(subscription.buyer().clone(), total);
        Self {
            subscription: Some(reading.clone()),
            ..Self::about(subscription.subject(), order, Money::zero(reading.currency))
        }
    }

    fn about(about: Subject, order: Order, paid: Money) -> Self {
        Self {
            about,
            order,
            paid,
            sums: None,
            delivery: None,
            document: None,
            waits_for: None,
            refund: None,
            refund_tax: None,
            dispute: None,
            parcel: None,
            invoice: None,
            subscription: None,
            sale: None,
        }
    }

    fn with_payment(
        self,
        payment: &Payment,
        taxes: &BTreeMap<RefundId, Money>,
        mail: &Mail,
    ) -> Self {
        let dispute = |id: &DisputeId| payment.disputes().get(id).and_then(FrozenDispute::of);
        Self {
            refund: match mail {
                Mail::Refund(id) | Mail::RefundFailed(id) => {
                    payment.refunds().get(id).map(|refund| refund.amount)
                }
                _ => None,
            },
            refund_tax: match mail {
                Mail::Refund(id) => taxes.get(id).copied(),
                _ => None,
            },
            dispute: match mail {
                Mail::InquiryOpened(id) | Mail::DisputeOpened(id) | Mail::DisputeClosed(id, _) => {
                    dispute(id)
                }
                _ => None,
            },
            ..self
        }
    }
}

impl FrozenSale {
    fn of(purchase: &Purchase) -> Self {
        Self {
            payment_intent: purchase.payment_intent().cloned(),
            subscription: purchase.subscription().cloned(),
            attention: purchase.attention(),
        }
    }
}

impl FrozenParcel {
    fn of(id: &ParcelId, purchase: &Purchase) -> Option<Self> {
        let parcel = purchase.parcel(id)?;
        Some(Self {
            number: id.number().map(str::to_owned),
            carrier: parcel.carrier.clone(),
            tracking_url: parcel.tracking_url.clone(),
        })
    }
}

impl FrozenDispute {
    fn of(dispute: &Dispute) -> Option<Self> {
        Some(Self {
            status: dispute.status()?,
            terms: dispute.terms()?.clone(),
            movements: dispute.movements.values().copied().collect(),
        })
    }

    /// We may hear of its end before its beginning; then nobody needs to answer any more.
    fn is_over(&self) -> bool {
        matches!(
            self.status,
            DisputeStatus::WarningClosed
                | DisputeStatus::Prevented
                | DisputeStatus::Won
                | DisputeStatus::Lost
        )
    }
}

/// What one letter says besides the order: one variant per letter, with everything its words need.
pub(super) enum Content<'a> {
    ToBuyer(ToBuyer<'a>),
    ToSeller(ToSeller<'a>),
}

pub(super) enum ToBuyer<'a> {
    Receipt {
        paid: Money,
        order: &'a Order,
    },
    Pending {
        /// It is not known whether the bank or the buyer has to act.
        may_wait_for_buyer: bool,
    },
    Voucher {
        /// Stripe's page with the voucher.
        page: Option<&'a str>,
    },
    Failed,
    Shipped {
        parcel: &'a FrozenParcel,
        /// It is sent, and not only done.
        is_sent: bool,
    },
    Refund {
        amount: Money,
    },
    RefundFailed {
        amount: Money,
    },
    Welcome {
        paid: Money,
        order: &'a Order,
    },
    InvoicePaid {
        bill: &'a Bill,
        /// Its subscription is over.
        is_over: bool,
    },
    PaymentFailed(&'a Bill),
    ActionRequired(&'a Bill),
    TrialEnding(&'a Reading),
    PlanChanged(&'a Reading),
    Cancelled(&'a Reading),
    Ended(&'a Reading),
}

pub(super) enum ToSeller<'a> {
    Sale {
        paid: Money,
        frozen: &'a Frozen,
        sale: &'a FrozenSale,
    },
    Dispute(AboutDispute<'a>),
    /// A subscription that nothing can be charged for any more.
    Lost(&'a Reading),
}

pub(super) struct AboutDispute<'a> {
    pub(super) id: &'a DisputeId,
    pub(super) news: DisputeNews,
    pub(super) terms: &'a DisputeTerms,
    pub(super) movements: &'a [Movement],
}

/// What is new about a dispute.
pub(super) enum DisputeNews {
    InquiryOpened,
    DisputeOpened,
    /// We heard that it was opened only after it was over.
    OpenedAndOver,
    InquiryClosed,
    Won,
    Lost,
}

/// The row does not hold what its letter is about. This code never writes such a row.
#[derive(Debug, thiserror::Error)]
#[error("the row does not say which {0} it is about")]
pub struct Missing(&'static str);

impl<'a> Content<'a> {
    /// What the letter for `mail` says, from what its row froze.
    pub(super) fn of(mail: &'a Mail, frozen: &'a Frozen) -> Result<Self, Missing> {
        let about = |id, news: DisputeNews| {
            let dispute = AboutDispute::new(id, news, frozen)?;
            Ok(Self::ToSeller(ToSeller::Dispute(dispute)))
        };
        let invoice = || frozen.invoice.as_ref().ok_or(Missing("invoice"));
        let reading = || frozen.subscription.as_ref().ok_or(Missing("subscription"));
        let refunded = || frozen.refund.ok_or(Missing("refund"));
        let to_buyer = match mail {
            Mail::Paid => match &frozen.invoice {
                Some(bill) => ToBuyer::InvoicePaid {
                    bill,
                    is_over: frozen.subscription.is_some(),
                },
                None => ToBuyer::Receipt {
                    paid: frozen.paid,
                    order: &frozen.order,
                },
            },
            Mail::Welcome => ToBuyer::Welcome {
                paid: frozen.paid,
                order: &frozen.order,
            },
            Mail::Sold => {
                return Ok(Self::ToSeller(ToSeller::Sale {
                    paid: frozen.paid,
                    frozen,
                    sale: frozen.sale.as_ref().ok_or(Missing("sale"))?,
                }));
            }
            Mail::PaymentFailed(_) => ToBuyer::PaymentFailed(invoice()?),
            Mail::ActionRequired(_) => ToBuyer::ActionRequired(invoice()?),
            Mail::Notice(Notice::TrialEnding, _) => ToBuyer::TrialEnding(reading()?),
            Mail::Notice(Notice::PlanChanged, _) => ToBuyer::PlanChanged(reading()?),
            Mail::Notice(Notice::Cancelled, _) => ToBuyer::Cancelled(reading()?),
            Mail::Notice(Notice::Ended, _) => ToBuyer::Ended(reading()?),
            Mail::Notice(Notice::Lost, _) => {
                return Ok(Self::ToSeller(ToSeller::Lost(reading()?)));
            }
            Mail::Pending => ToBuyer::Pending {
                may_wait_for_buyer: frozen.waits_for == Some(WaitsFor::Unknown),
            },
            Mail::Voucher => ToBuyer::Voucher {
                page: match &frozen.waits_for {
                    Some(WaitsFor::Buyer { voucher_url }) => voucher_url.as_deref(),
                    _ => None,
                },
            },
            Mail::Failed => ToBuyer::Failed,
            Mail::Shipped(_) => ToBuyer::Shipped {
                parcel: frozen.parcel.as_ref().ok_or(Missing("parcel"))?,
                is_sent: frozen.delivery.is_some(),
            },
            Mail::Refund(_) => ToBuyer::Refund {
                amount: refunded()?,
            },
            Mail::RefundFailed(_) => ToBuyer::RefundFailed {
                amount: refunded()?,
            },
            Mail::InquiryOpened(id) => return about(id, DisputeNews::InquiryOpened),
            Mail::DisputeOpened(id) => return about(id, DisputeNews::DisputeOpened),
            Mail::DisputeClosed(id, DisputeStatus::Won) => return about(id, DisputeNews::Won),
            Mail::DisputeClosed(id, DisputeStatus::Lost) => return about(id, DisputeNews::Lost),
            Mail::DisputeClosed(id, _) => return about(id, DisputeNews::InquiryClosed),
        };
        Ok(Self::ToBuyer(to_buyer))
    }
}

impl<'a> AboutDispute<'a> {
    fn new(id: &'a DisputeId, news: DisputeNews, frozen: &'a Frozen) -> Result<Self, Missing> {
        let dispute = frozen.dispute.as_ref().ok_or(Missing("dispute"))?;
        Ok(Self {
            id,
            news: match news {
                DisputeNews::InquiryOpened | DisputeNews::DisputeOpened if dispute.is_over() => {
                    DisputeNews::OpenedAndOver
                }
                news => news,
            },
            terms: &dispute.terms,
            movements: &dispute.movements,
        })
    }
}
