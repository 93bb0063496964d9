//! The facts of one invoice of a subscription, how they merge, and what they add up to.
//!
//! Like a purchase's, they only grow, so neither the order of Stripe's events nor their repetition
//! matters. What became of its payment is a [`Payment`], as a purchase has one.

use std::collections::{BTreeMap, BTreeSet};

use crate::money::Money;
use crate::purchase::{
    Accounts, Announced, Announcements, Attention, Buyer, InvoiceId, Mail, News, Payment,
    PaymentChange, PaymentIntentId, PurchaseId, RefundId, Subject, SubscriptionId, announce_news,
    order_mails,
};

mod bill;
mod snapshot;
mod status;
#[cfg(test)]
pub(crate) mod tests;

pub use bill::{Bill, BilledLine, InvoiceReport, InvoiceState, Period, Reason, Trouble};
pub(crate) use snapshot::Snapshot;
pub use status::InvoiceStatus;

/// One invoice. It changes only through its own methods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    id: InvoiceId,
    subscription: SubscriptionId,
    /// The purchase with which the subscription began.
    purchase: PurchaseId,
    buyer: Buyer,
    /// Every state it was seen in; never empty.
    seen: BTreeSet<InvoiceState>,
    /// What it said in the furthest of them.
    bill: Bill,
    /// What went wrong with each attempt to charge it.
    troubles: BTreeMap<u32, Trouble>,
    /// The payment intents that paid it, as far as they are known.
    intents: BTreeSet<PaymentIntentId>,
    payment: Payment,
    /// Mails that have an outbox row.
    mails: BTreeSet<Mail>,
    /// Those of these mails that are no longer true.
    superseded: BTreeSet<Mail>,
    /// What other systems were told.
    announced: Announcements,
}

/// Something that Stripe said about an invoice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InvoiceChange {
    /// It looks like this.
    Seen(InvoiceReport),
    /// Something became of its payment.
    Payment(PaymentIntentId, PaymentChange),
}

/// What is to be done because an invoice or a subscription changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Letters {
    /// Mails to write to the outbox.
    pub due: BTreeSet<Mail>,
    /// Mails in the outbox that are no longer true.
    pub superseded: BTreeSet<Mail>,
}

impl Invoice {
    /// An invoice that nothing was known of before this report. Record the report next: that tells
    /// what has to be done.
    pub fn new(
        id: InvoiceId,
        (subscription, purchase): (SubscriptionId, PurchaseId),
        buyer: Buyer,
        report: &InvoiceReport,
    ) -> Self {
        Self {
            id,
            subscription,
            purchase,
            buyer,
            seen: BTreeSet::from([report.state]),
            bill: report.bill.clone(),
            troubles: BTreeMap::new(),
            intents: BTreeSet::new(),
            payment: Payment::default(),
            mails: BTreeSet::new(),
            superseded: BTreeSet::new(),
            announced: Announcements::new(),
        }
    }

    /// Merges a change. `None` if it said nothing new and calls for nothing. Once the subscription
    /// `is_over`, nobody is asked any more to pay for it to go on.
    pub fn record(&mut self, change: InvoiceChange, is_over: bool) -> Option<Letters> {
        let before = self.clone();
        match change {
            InvoiceChange::Seen(report) => self.see(report),
            InvoiceChange::Payment(intent, change) => {
                self.intents.insert(intent);
                self.payment.record(change);
            }
        }
        let (mut mails, mut superseded) = (self.mails.clone(), self.superseded.clone());
        let may_be_true_again = |mail: &Mail| match mail {
            Mail::Refund(id) => self.payment.may_go_on(id),
            _ => false,
        };
        let called_for = self.mails_called_for(is_over);
        let (due, stale) = order_mails(&called_for, &mut mails, &mut superseded, may_be_true_again);
        (self.mails, self.superseded) = (mails, superseded);
        (*self != before).then_some(Letters {
            due,
            superseded: stale,
        })
    }

    /// Notes that it was compared with Stripe, and everything recorded, when there were this many
    /// `doubts`.
    pub fn checked(&mut self, doubts: u32) {
        self.payment.checked(doubts);
    }

    fn see(&mut self, report: InvoiceReport) {
        let InvoiceReport {
            state,
            bill,
            trouble,
            intent,
        } = report;
        if let Some(trouble) = trouble {
            let known = self.troubles.entry(bill.attempts).or_insert(trouble);
            *known = trouble.max(*known);
        }
        self.intents.extend(intent);
        if (state, &bill) > (self.state(), &self.bill) {
            self.bill = bill;
        }
        let was_contradictory = self.is_contradictory();
        self.seen.insert(state);
        let doubt = self.is_contradictory() && !was_contradictory;
        self.payment.doubt_if(doubt);
    }

    /// The mails that are true now.
    fn mails_called_for(&self, is_over: bool) -> BTreeSet<Mail> {
        let own = match self.state() {
            // The letter that welcomes the buyer is the receipt of the first payment.
            InvoiceState::Paid
                if self.bill.paid.amount > 0 && self.bill.reason != Reason::First =>
            {
                Some(Mail::Paid)
            }
            InvoiceState::Open if !is_over => self.dunning(),
            _ => None,
        };
        own.into_iter().chain(self.payment.mails()).collect()
    }

    /// Announces what there is to tell and was not announced yet, with the version that this makes
    /// of the invoice. Returns that.
    pub fn announce(&mut self, announced: Announced) -> Vec<News> {
        announce_news(self.news(), &mut self.announced, announced)
    }

    /// What there is to tell now. What goes wrong with the first payment is said at once, by
    /// Checkout.
    fn news(&self) -> BTreeSet<News> {
        let is_first = self.bill.reason == Reason::First;
        let troubles = self.troubles.keys().filter(|_| !is_first);
        let troubles = troubles.map(|attempt| News::ChargeFailed(*attempt));
        let paid = (self.state() == InvoiceState::Paid).then_some(News::Paid);
        troubles.chain(paid).chain(self.payment.news()).collect()
    }

    /// The mail that asks the buyer to pay it, because the latest attempt to charge it went wrong.
    /// What goes wrong with the first payment is said at once, by Checkout.
    pub(crate) fn dunning(&self) -> Option<Mail> {
        let (attempt, trouble) = self.troubles.last_key_value()?;
        let is_latest = *attempt == self.bill.attempts;
        let is_news = is_latest && self.bill.reason != Reason::First;
        is_news.then_some(match trouble {
            Trouble::Failed => Mail::PaymentFailed(*attempt),
            Trouble::ActionRequired => Mail::ActionRequired(*attempt),
        })
    }
}

/// What it is made of.
impl Invoice {
    /// Its key.
    pub fn id(&self) -> &InvoiceId {
        &self.id
    }

    /// The subscription it is for.
    pub fn subscription(&self) -> &SubscriptionId {
        &self.subscription
    }

    /// The purchase with which the subscription began.
    pub fn purchase(&self) -> PurchaseId {
        self.purchase
    }

    /// What it is, as events and mails name it.
    pub fn subject(&self) -> Subject {
        Subject::Invoice(self.subscription.clone(), self.id.clone())
    }

    /// Who pays it.
    pub fn buyer(&self) -> &Buyer {
        &self.buyer
    }

    /// How far it has come.
    pub fn state(&self) -> InvoiceState {
        self.seen.last().copied().unwrap_or(InvoiceState::Draft)
    }

    /// What it says.
    pub fn bill(&self) -> &Bill {
        &self.bill
    }

    /// The payment intents that paid it, as far as they are known.
    pub fn intents(&self) -> &BTreeSet<PaymentIntentId> {
        &self.intents
    }

    /// What became of its money.
    pub fn payment(&self) -> &Payment {
        &self.payment
    }

    /// Mails that have an outbox row.
    pub fn mails(&self) -> &BTreeSet<Mail> {
        &self.mails
    }

    /// What was announced, and when.
    pub fn announced(&self) -> &Announcements {
        &self.announced
    }

    /// Where the money is.
    pub fn accounts(&self) -> Accounts {
        let paid = self.bill.paid;
        let paid = (paid.amount > 0).then_some(paid);
        self.payment
            .accounts(paid.into_iter(), self.bill.total.currency)
    }

    /// How much of each refund is tax, if tax was paid.
    pub fn refunded_taxes(&self) -> BTreeMap<RefundId, Money> {
        let sums = self.bill.sums.zip(Some(self.bill.total));
        self.payment.refunded_taxes(sums)
    }

    /// What a person should look at.
    pub fn attention(&self) -> BTreeSet<Attention> {
        let accounts = self.accounts();
        let checks = [
            (Attention::PaidAndVoid, self.is_contradictory()),
            (
                Attention::Overreturned,
                accounts.paid.amount > 0 && accounts.net.amount < 0,
            ),
            (
                Attention::DisputeDecidedTwice,
                self.payment.is_decided_twice(),
            ),
        ];
        let holding = checks.into_iter().filter(|(_, holds)| *holds);
        holding.map(|(attention, _)| attention).collect()
    }

    /// When to ask Stripe what became of it, in Unix seconds, unless something is heard before.
    pub fn next_check(&self, now: i64) -> Option<i64> {
        const DAY: i64 = 24 * 3600;
        if self.payment.doubts() > 0 {
            return Some(now);
        }
        let unfinished = matches!(self.state(), InvoiceState::Draft | InvoiceState::Open)
            || self.payment.is_unfinished();
        unfinished.then(|| now.saturating_add(DAY))
    }

    /// Whether it was seen both void and paid: it can be only one of them.
    fn is_contradictory(&self) -> bool {
        self.seen.contains(&InvoiceState::Void) && self.seen.contains(&InvoiceState::Paid)
    }
}
