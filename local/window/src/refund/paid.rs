//! What a refund is of: a purchase, or an invoice of a subscription. A purchase that began
//! a subscription was paid by the first of its invoices.

use anyhow::{Context as _, bail};
use serde::Deserialize;
use shared::invoice::{Invoice, InvoiceState};
use shared::money::{Currency, Money};
use shared::purchase::{
    InvoiceId, Payment, PaymentIntentId, Purchase, PurchaseId, SessionState, Subject,
    SubscriptionId,
};
use shared::standing::Standing;
use shared::stripe::client::{Client as Stripe, LONGEST_PAGE, List};

use crate::name::not_found;
use crate::shop::{NotFound, Refused, Shop};

/// A purchase or an invoice, as it is stored now.
pub enum Paid {
    /// A purchase that was paid by itself.
    Purchase(Box<Purchase>),
    /// An invoice of a subscription.
    Invoice(Box<Invoice>),
}

/// A payment of an invoice, as Stripe answers it.
#[derive(Deserialize)]
struct InvoicePayment {
    status: String,
    /// `null` until it is paid.
    amount_paid: Option<i64>,
    currency: Currency,
    payment: PaidWith,
}

#[derive(Deserialize)]
struct PaidWith {
    payment_intent: Option<PaymentIntentId>,
}

impl InvoicePayment {
    fn paid(self) -> Option<(PaymentIntentId, Money)> {
        let amount = self.amount_paid.filter(|_| self.status == "paid")?;
        let paid = Money::new(amount, self.currency);
        Some((self.payment.payment_intent?, paid))
    }
}

impl Paid {
    /// What is refunded if money goes back for this.
    pub async fn find(shop: &Shop, subject: &Subject) -> anyhow::Result<Self> {
        match subject {
            Subject::Purchase(id) => {
                let stored = shop.purchases()?.get(*id).await?;
                let purchase = stored.ok_or_else(|| not_found(*id, shop))?.purchase;
                match purchase.first_invoice() {
                    Some((subscription, id)) => Self::invoice(shop, subscription, id).await,
                    None => Ok(Self::Purchase(Box::new(purchase))),
                }
            }
            Subject::Invoice(subscription, id) => Self::invoice(shop, subscription, id).await,
            Subject::Subscription(id) => bail!(Refused(format!(
                "{id} is paid by its invoices: `till subscriptions show {id}` lists them; refund one \
                 of them"
            ))),
        }
    }

    async fn invoice(
        shop: &Shop,
        subscription: &SubscriptionId,
        id: &InvoiceId,
    ) -> anyhow::Result<Self> {
        let stored = shop.invoices()?.get(subscription, id).await?;
        let stored = stored.with_context(|| {
            NotFound(format!(
                "{id} of {subscription} is not recorded in {} yet: `till reconcile` does that",
                shop.name()
            ))
        })?;
        Ok(Self::Invoice(Box::new(stored.invoice)))
    }

    /// What it is.
    pub fn subject(&self) -> Subject {
        match self {
            Self::Purchase(purchase) => purchase.id().into(),
            Self::Invoice(invoice) => invoice.subject(),
        }
    }

    /// Its id: the purchase's, or the invoice's.
    pub fn id(&self) -> String {
        match self {
            Self::Purchase(purchase) => purchase.id().to_string(),
            Self::Invoice(invoice) => invoice.id().to_string(),
        }
    }

    /// The purchase; for an invoice, the one with which its subscription began.
    pub fn purchase(&self) -> PurchaseId {
        match self {
            Self::Purchase(purchase) => purchase.id(),
            Self::Invoice(invoice) => invoice.purchase(),
        }
    }

    /// "Purchase 01936f3c-…", "Invoice in_1 of sub_1"
    pub fn title(&self) -> String {
        match self {
            Self::Purchase(purchase) => format!("Purchase {}", purchase.id()),
            Self::Invoice(invoice) => {
                format!("Invoice {} of {}", invoice.id(), invoice.subscription())
            }
        }
    }

    /// The command that shows it.
    pub fn shown_by(&self) -> String {
        match self {
            Self::Purchase(purchase) => format!("till purchases show {}", purchase.id()),
            Self::Invoice(invoice) => format!("till subscriptions show {}", invoice.subscription()),
        }
    }

    /// The buyer's address, if it is known.
    pub fn buyer(&self) -> Option<&str> {
        let buyer = match self {
            Self::Purchase(purchase) => &purchase.order().buyer,
            Self::Invoice(invoice) => invoice.buyer(),
        };
        buyer.email.as_deref()
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        match self {
            Self::Purchase(purchase) => Standing::Purchase(purchase.status()),
            Self::Invoice(invoice) => Standing::Invoice(invoice.status()),
        }
    }

    /// Whether it was paid, or there was nothing to pay.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Purchase(purchase) => purchase.is_settled(),
            Self::Invoice(invoice) => invoice.state() == InvoiceState::Paid,
        }
    }

    /// What became of its money.
    pub fn payment(&self) -> &Payment {
        match self {
            Self::Purchase(purchase) => purchase.payment(),
            Self::Invoice(invoice) => invoice.payment(),
        }
    }

    /// What disputes hold of it.
    pub fn disputed(&self) -> Money {
        match self {
            Self::Purchase(purchase) => purchase.accounts().disputed,
            Self::Invoice(invoice) => invoice.accounts().disputed,
        }
    }

    /// What paid it, and how much of it.
    pub async fn payments(&self, stripe: &Stripe) -> anyhow::Result<Vec<(PaymentIntentId, Money)>> {
        let invoice = match self {
            Self::Purchase(purchase) => {
                let paid = purchase
                    .sessions()
                    .values()
                    .filter_map(|state| match state {
                        SessionState::Settled {
                            amount,
                            payment_intent: Some(intent),
                            ..
                        } => Some((intent.clone(), *amount)),
                        _ => None,
                    });
                return Ok(paid.collect());
            }
            Self::Invoice(invoice) => invoice,
        };
        // Its events do not say what paid it.
        let query = [("invoice", invoice.id().as_str()), ("limit", LONGEST_PAGE)];
        let payments: List<InvoicePayment> = stripe.list("/invoice_payments", &query).await?;
        let payments = payments.data.into_iter();
        Ok(payments.filter_map(InvoicePayment::paid).collect())
    }
}
