//! What became of the money that was paid: how much was refunded, is disputed, and is left.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    Dispute, DisputeId, DisputeReport, Mail, Refund, RefundId, RefundState, Sums,
    merge::keep_greatest,
};
use crate::money::{Currency, Money};

/// Everything known about a payment after it was made. It only grows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payment {
    refunds: BTreeMap<RefundId, Refund>,
    disputes: BTreeMap<DisputeId, Dispute>,
    doubts: u32,
}

/// Something that Stripe said about a payment after it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentChange {
    /// A refund has come this far.
    Refund(RefundId, Refund),
    /// A dispute looks like this.
    Dispute(DisputeId, DisputeReport),
    /// This much of a charge was refunded, all its refunds together. The sum goes down again when
    /// a refund fails, so it is not a fact, only something to check the facts against.
    ChargeRefunded(Money),
}

/// Where the money is. All amounts are in the order's currency or, if nothing was paid in that, in
/// the one in which most was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Accounts {
    /// What the buyer paid.
    pub paid: Money,
    /// What was refunded to them.
    pub refunded: Money,
    /// What banks hold because of disputes, or took for good.
    pub disputed: Money,
    /// What is left; negative if more went back than was paid.
    pub net: Money,
}

/// How much of a payment is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// A dispute was lost.
    ChargedBack,
    /// A dispute is open: the bank holds the money.
    Disputed,
    /// All of it was refunded.
    Refunded,
    /// Some of it was refunded.
    PartiallyRefunded,
}

impl Accounts {
    /// How much of what was paid was refunded.
    pub(crate) fn returned(&self) -> Option<Gone> {
        if self.refunded.amount == 0 {
            return None;
        }
        Some(match self.refunded.amount < self.paid.amount {
            true => Gone::PartiallyRefunded,
            false => Gone::Refunded,
        })
    }
}

impl Payment {
    /// Rebuilds it from the stored facts.
    pub(crate) fn kept(
        refunds: BTreeMap<RefundId, Refund>,
        disputes: BTreeMap<DisputeId, Dispute>,
        doubts: u32,
    ) -> Self {
        Self {
            refunds,
            disputes,
            doubts,
        }
    }

    /// A payment about which something is missing, so that it has to be fetched and compared.
    pub(crate) fn doubted() -> Self {
        Self {
            doubts: 1,
            ..Self::default()
        }
    }

    /// Each refund's furthest state.
    pub fn refunds(&self) -> &BTreeMap<RefundId, Refund> {
        &self.refunds
    }

    /// Each dispute.
    pub fn disputes(&self) -> &BTreeMap<DisputeId, Dispute> {
        &self.disputes
    }

    /// How often something Stripe said did not fit what was known. While there are any doubts,
    /// everything has to be fetched and compared.
    pub fn doubts(&self) -> u32 {
        self.doubts
    }

    /// Merges a change; says whether it said anything new, or does not fit.
    pub(crate) fn record(&mut self, change: PaymentChange) -> bool {
        match change {
            PaymentChange::Refund(id, refund) => self.refund(id, refund),
            PaymentChange::Dispute(id, report) => self.dispute(id, report),
            PaymentChange::ChargeRefunded(sum) => self.charge_refunded(sum),
        }
    }

    /// Merges a refund; says whether it said anything new.
    pub(super) fn refund(&mut self, id: RefundId, refund: Refund) -> bool {
        keep_greatest(&mut self.refunds, id, refund)
    }

    /// Merges a dispute; says whether it said anything new, or does not fit.
    pub(super) fn dispute(&mut self, id: DisputeId, report: DisputeReport) -> bool {
        let known = self.disputes.entry(id).or_default();
        let doubt = known.is_contradicted_by(report.status);
        let news = known.merge(report);
        self.doubt_if(doubt);
        news || doubt
    }

    /// Compares the refunds with a charge's sum of them; says whether they differ.
    pub(super) fn charge_refunded(&mut self, sum: Money) -> bool {
        let doubt = sum != total(sum.currency, self.refunded(true));
        self.doubt_if(doubt);
        doubt
    }

    /// Notes that it was compared with Stripe when there were this many doubts.
    pub(crate) fn checked(&mut self, doubts: u32) {
        if self.doubts == doubts {
            self.doubts = 0;
        }
    }

    /// What disputes took or hold, whatever is known of what was paid.
    pub(crate) fn taken(&self) -> Option<Gone> {
        let mut disputes = self.disputes.values();
        if disputes.clone().any(Dispute::is_lost) {
            return Some(Gone::ChargedBack);
        }
        disputes.any(Dispute::is_open).then_some(Gone::Disputed)
    }

    /// Whether a dispute was both won and lost.
    pub(crate) fn is_decided_twice(&self) -> bool {
        self.disputes.values().any(Dispute::is_contradictory)
    }

    /// Whether a refund or a dispute is not over yet.
    pub(crate) fn is_unfinished(&self) -> bool {
        let mut refunds = self.refunds.values();
        refunds.any(|refund| refund.state.is_unfinished())
            || self.disputes.values().any(Dispute::is_unfinished)
    }

    /// The mails that it calls for.
    pub(crate) fn mails(&self) -> impl Iterator<Item = Mail> {
        let refunds = self.refunds.iter();
        let refunds = refunds.filter_map(|(id, refund)| Mail::of_refund(id, refund));
        let disputes = self.disputes.iter().flat_map(|(id, dispute)| {
            let seen = dispute.seen.keys();
            seen.filter_map(|status| Mail::of_dispute(id, *status))
        });
        refunds.chain(disputes)
    }

    /// Each amount that went back or is held by banks, including what is on its way.
    pub(crate) fn moved(&self) -> impl Iterator<Item = Money> {
        self.refunded(true).chain(self.disputed())
    }

    /// Whether a refund that was announced may yet arrive, though it waits for the buyer now.
    pub(crate) fn may_go_on(&self, refund: &RefundId) -> bool {
        let refund = self.refunds.get(refund);
        refund.is_some_and(|refund| refund.state.is_unfinished())
    }

    /// Where the money is that was `paid` for an order in the currency `ordered`. Money that moved
    /// in yet another currency is not added to it.
    pub(crate) fn accounts(
        &self,
        paid: impl Iterator<Item = Money> + Clone,
        ordered: Currency,
    ) -> Accounts {
        let currency = currency(paid.clone(), ordered);
        let paid = total(currency, paid);
        let refunded = total(currency, self.refunded(false));
        let disputed = total(currency, self.disputed());
        let net = paid
            .amount
            .saturating_sub(refunded.amount)
            .saturating_sub(disputed.amount);
        Accounts {
            paid,
            refunded,
            disputed,
            net: Money::new(net, currency),
        }
    }

    /// Whether something was `paid`, and all of it went back: by refunds, and by disputes that were
    /// lost.
    pub(crate) fn gave_back(&self, paid: Money) -> bool {
        let lost = self.in_disputes(Dispute::is_lost);
        let back = total(paid.currency, self.refunded(false).chain(lost));
        paid.amount > 0 && back.amount >= paid.amount
    }

    /// How much of each refund is tax, of a payment that came about like this: of all refunds up to it,
    /// in the order of their ids, less that of those before it. So a payment that goes back whole has
    /// all of its tax go back, to the cent. What does not reach the buyer has no share.
    pub(crate) fn refunded_taxes(&self, paid: Option<(Sums, Money)>) -> BTreeMap<RefundId, Money> {
        let Some((sums, total)) = paid.filter(|(sums, _)| sums.tax > 0) else {
            return BTreeMap::new();
        };
        let counted = self.refunds.iter().filter(|(_, refund)| {
            let goes_back = refund.state.is_unfinished() || refund.state == RefundState::Succeeded;
            goes_back && refund.amount.currency == total.currency
        });
        let mut so_far = 0_i64;
        let shares = counted.map(|(id, refund)| {
            let before = sums.tax_in(so_far, total.amount);
            so_far = so_far.saturating_add(refund.amount.amount);
            let tax = sums.tax_in(so_far, total.amount).saturating_sub(before);
            (id.clone(), Money::new(tax, total.currency))
        });
        shares.collect()
    }

    /// Notes a doubt, if there is one.
    pub(crate) fn doubt_if(&mut self, doubt: bool) {
        self.doubts = self.doubts.saturating_add(u32::from(doubt));
    }

    /// Each amount that was refunded, with those on their way if `unfinished`.
    fn refunded(&self, unfinished: bool) -> impl Iterator<Item = Money> {
        self.refunds
            .values()
            .filter(move |refund| {
                refund.state == RefundState::Succeeded || unfinished && refund.state.is_unfinished()
            })
            .map(|refund| refund.amount)
    }

    /// Each amount that disputes hold, for now or for good.
    fn disputed(&self) -> impl Iterator<Item = Money> {
        self.in_disputes(|dispute| dispute.is_open() || dispute.is_lost())
    }

    fn in_disputes(&self, counts: fn(&Dispute) -> bool) -> impl Iterator<Item = Money> {
        let disputes = self.disputes.values();
        disputes
            .filter(move |dispute| counts(dispute))
            .filter_map(|dispute| dispute.terms().map(|terms| terms.amount))
    }
}

fn currency(mut paid: impl Iterator<Item = Money> + Clone, ordered: Currency) -> Currency {
    let most = paid.clone().max();
    if paid.any(|amount| amount.currency == ordered) {
        return ordered;
    }
    most.map_or(ordered, |amount| amount.currency)
}

fn total(currency: Currency, amounts: impl Iterator<Item = Money>) -> Money {
    amounts
        .filter(|amount| amount.currency == currency)
        .fold(Money::zero(currency), |sum, amount| {
            Money::new(sum.amount.saturating_add(amount.amount), currency)
        })
}
