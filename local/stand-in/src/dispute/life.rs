//! What can happen to a dispute, and to the money it is about.
//!
//! ```text
//! warning_needs_response ──► warning_under_review ──► warning_closed, prevented
//!             └──────────────────────┴──► needs_response    (the inquiry becomes a chargeback)
//! needs_response ──► under_review ──► won, lost
//! lost ──► won                                              (rare: the bank comes round late)
//! ```
//!
//! A chargeback takes the money when it begins and gives it back when it is won. An inquiry moves none.

use std::collections::BTreeMap;

use crate::account;
use crate::account::amount::Amount;
use crate::account::balance::Entry;
use crate::dispute::object::{Dispute, DisputeKind, DisputeStatus};
use crate::engine::ids::{ChargeId, DisputeId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::payment::charge::Charge;
use crate::payment::method::Means;
use crate::payment::testing::claim::Claim;
use crate::radar;
use crate::radar::review::Closed;
use crate::webhook::record::{record, record_change};

/// How long the shop may take to answer.
const RESPONSE_TIME: Timestamp = 9 * DAY;

/// The word with which an inquiry becomes a chargeback in Stripe's test mode.
const ESCALATING: &str = "escalate_inquiry_evidence";

/// What a bank decides at once by a word of Stripe's test mode.
fn decision(dispute: &Dispute) -> Option<DisputeStatus> {
    let said = dispute.evidence.get("uncategorized_text")?;
    match (said.as_str(), dispute.kind) {
        (ESCALATING, DisputeKind::Inquiry) => Some(DisputeStatus::NeedsResponse),
        ("winning_evidence" | "losing_evidence", DisputeKind::Inquiry) => {
            Some(DisputeStatus::WarningClosed)
        }
        ("winning_evidence", _) => Some(DisputeStatus::Won),
        ("losing_evidence", _) => Some(DisputeStatus::Lost),
        _ => None,
    }
}

/// The dispute is in a state in which this cannot happen.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WrongState;

/// What a buyer contests, or the network.
#[derive(Debug)]
pub(crate) struct Contest<'c> {
    pub(crate) kind: DisputeKind,
    pub(crate) reason: &'c str,
    pub(crate) amount: Amount,
    /// The network's word for the case.
    pub(crate) case_type: &'static str,
    /// What could be said in its defence beyond what can always be said.
    pub(crate) enhanced: Option<&'static str>,
}

impl<'c> Contest<'c> {
    /// What a test card claims by itself. The account takes part in no programme that settles disputes
    /// beforehand.
    pub(crate) fn of(claim: &'c Claim, amount: Amount) -> Self {
        Self {
            kind: claim.kind.dispute(false),
            reason: claim.reason,
            amount,
            case_type: claim.kind.case_type(false),
            enhanced: claim.kind.enhanced_eligibility(),
        }
    }

    /// What somebody has asked for.
    pub(crate) fn by_hand(kind: DisputeKind, reason: &'c str, amount: Amount) -> Self {
        Self {
            kind,
            reason,
            amount,
            case_type: case_type(kind),
            enhanced: None,
        }
    }
}

/// The network's word for a dispute of this kind.
fn case_type(kind: DisputeKind) -> &'static str {
    match kind {
        DisputeKind::Chargeback => "chargeback",
        DisputeKind::Inquiry => "inquiry",
        DisputeKind::Prevented => "resolution",
    }
}

/// What a bank could still take back of a charge: what the buyer has paid, and no bank or refund has given
/// back.
pub(crate) fn contestable(
    transaction: &Transaction<'_>,
    charge: &Charge,
) -> anyhow::Result<Amount> {
    let disputes = transaction.having::<Dispute>("charge", &charge.id)?;
    let held = disputes.iter().filter(|it| it.status.holds_the_money());
    let held: Amount = held.map(|it| it.amount).sum();
    Ok(charge.refundable().minus(held))
}

/// The buyer contests a charge.
pub(crate) fn open(
    transaction: &Transaction<'_>,
    charge: &mut Charge,
    contest: &Contest<'_>,
) -> anyhow::Result<Dispute> {
    let kind = contest.kind;
    let status = match kind {
        DisputeKind::Chargeback => DisputeStatus::NeedsResponse,
        DisputeKind::Inquiry => DisputeStatus::WarningNeedsResponse,
        DisputeKind::Prevented => DisputeStatus::Prevented,
    };
    let mut dispute = Dispute {
        id: DisputeId::random(),
        created: transaction.now,
        amount: contest.amount,
        currency: charge.currency,
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        kind,
        reason: contest.reason.to_owned(),
        case_type: contest.case_type.to_owned(),
        enhanced: contest.enhanced.map(str::to_owned),
        status,
        brand: match &charge.means {
            Means::Card(card) => Some(card.test.brand.as_str().to_owned()),
            Means::BankDebit(_) | Means::Voucher(_) | Means::CustomerBalance => None,
        },
        evidence: BTreeMap::new(),
        submissions: 0,
        due_by: transaction.now.saturating_add(RESPONSE_TIME),
        past_due: false,
        charge_refunded: false,
        entries: Vec::new(),
        // Stripe copies nothing of the charge's.
        metadata: Metadata::new(),
    };
    charge.disputed = true;
    transaction.put(charge)?;
    if kind == DisputeKind::Chargeback {
        move_money(transaction, &mut dispute, Entry::Dispute)?;
    }
    transaction.put(&dispute)?;
    record(transaction, "charge.dispute.created", &dispute)?;
    radar::life::close_reviews_of(transaction, &charge.id, Closed::Disputed)?;
    if kind == DisputeKind::Chargeback {
        radar::life::nothing_to_avert(transaction, &charge.id)?;
    }
    match kind {
        DisputeKind::Chargeback => {
            record(transaction, "charge.dispute.funds_withdrawn", &dispute)?;
        }
        DisputeKind::Prevented => record(transaction, "charge.dispute.closed", &dispute)?,
        DisputeKind::Inquiry => {}
    }
    Ok(dispute)
}

/// What the shop says. Submitted, it goes to the bank, which in test mode may answer at once.
pub(crate) fn argue(
    transaction: &Transaction<'_>,
    dispute: &mut Dispute,
    evidence: BTreeMap<String, String>,
    submit: bool,
) -> anyhow::Result<Result<(), WrongState>> {
    let reviewed = match dispute.status {
        DisputeStatus::NeedsResponse => DisputeStatus::UnderReview,
        DisputeStatus::WarningNeedsResponse => DisputeStatus::WarningUnderReview,
        _ => return Ok(Err(WrongState)),
    };
    let before = dispute.answer();
    dispute.evidence.extend(evidence);
    if submit {
        dispute.status = reviewed;
        dispute.submissions = dispute.submissions.saturating_add(1);
        dispute.past_due = transaction.now > dispute.due_by;
    }
    transaction.put(dispute)?;
    record_change(transaction, "charge.dispute.updated", &before, dispute)?;
    match decision(dispute).filter(|_| submit) {
        Some(status) => advance(transaction, dispute, status),
        None => Ok(Ok(())),
    }
}

/// The shop gives in.
pub(crate) fn concede(
    transaction: &Transaction<'_>,
    dispute: &mut Dispute,
) -> anyhow::Result<Result<(), WrongState>> {
    match dispute.status {
        DisputeStatus::NeedsResponse => advance(transaction, dispute, DisputeStatus::Lost),
        DisputeStatus::WarningNeedsResponse => {
            advance(transaction, dispute, DisputeStatus::WarningClosed)
        }
        _ => Ok(Err(WrongState)),
    }
}

/// The buyer or the bank moves a dispute on.
pub(crate) fn advance(
    transaction: &Transaction<'_>,
    dispute: &mut Dispute,
    status: DisputeStatus,
) -> anyhow::Result<Result<(), WrongState>> {
    use DisputeStatus::{
        Lost, NeedsResponse, Prevented, UnderReview, WarningClosed, WarningNeedsResponse,
        WarningUnderReview, Won,
    };
    let asked = dispute.status.is_open_inquiry();
    let possible = match status {
        WarningNeedsResponse => false,
        WarningUnderReview => dispute.status == WarningNeedsResponse,
        WarningClosed | Prevented | NeedsResponse => asked,
        UnderReview => dispute.status == NeedsResponse,
        Lost => matches!(dispute.status, NeedsResponse | UnderReview),
        Won => matches!(dispute.status, NeedsResponse | UnderReview | Lost),
    };
    let charge: Charge = transaction.existing(&dispute.charge)?;
    let contestable = contestable(transaction, &charge)?;
    if !possible || (status == NeedsResponse && contestable <= Amount::ZERO) {
        return Ok(Err(WrongState));
    }
    let before = dispute.answer();
    dispute.status = status;
    match status {
        NeedsResponse => {
            dispute.kind = DisputeKind::Chargeback;
            // A refund has given a part back meanwhile, or another chargeback.
            dispute.amount = dispute.amount.min(contestable);
            case_type(dispute.kind).clone_into(&mut dispute.case_type);
            dispute.due_by = transaction.now.saturating_add(RESPONSE_TIME);
            move_money(transaction, dispute, Entry::Dispute)?;
        }
        Won => move_money(transaction, dispute, Entry::DisputeReversal)?,
        Prevented => {
            dispute.kind = DisputeKind::Prevented;
            case_type(dispute.kind).clone_into(&mut dispute.case_type);
        }
        _ => {}
    }
    transaction.put(dispute)?;
    match status {
        WarningNeedsResponse | WarningUnderReview | UnderReview => {
            record_change(transaction, "charge.dispute.updated", &before, dispute)?;
        }
        NeedsResponse => {
            record_change(transaction, "charge.dispute.updated", &before, dispute)?;
            record(transaction, "charge.dispute.funds_withdrawn", dispute)?;
        }
        Won => {
            record(transaction, "charge.dispute.funds_reinstated", dispute)?;
            record_change(transaction, "charge.dispute.closed", &before, dispute)?;
        }
        WarningClosed | Prevented | Lost => {
            record_change(transaction, "charge.dispute.closed", &before, dispute)?;
        }
    }
    Ok(Ok(()))
}

/// A buyer who has all their money back has nothing left to ask about.
pub(crate) fn withdraw_inquiries(
    transaction: &Transaction<'_>,
    charge: &ChargeId,
) -> anyhow::Result<()> {
    for mut dispute in transaction.having::<Dispute>("charge", charge)? {
        dispute.charge_refunded = true;
        transaction.put(&dispute)?;
        if dispute.status.is_open_inquiry() {
            advance(transaction, &mut dispute, DisputeStatus::WarningClosed)?
                .map_err(|WrongState| anyhow::anyhow!("{} cannot close", dispute.id))?;
        }
    }
    Ok(())
}

fn move_money(
    transaction: &Transaction<'_>,
    dispute: &mut Dispute,
    entry: Entry,
) -> anyhow::Result<()> {
    let amount = match entry {
        Entry::Dispute => dispute.amount.negated(),
        _ => dispute.amount,
    };
    let booked = account::book::enter(transaction, entry, &dispute.id, amount, dispute.currency)?;
    dispute.entries.push(booked);
    Ok(())
}
