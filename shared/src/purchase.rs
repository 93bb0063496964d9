//! The facts of one purchase, how they merge, and the status they add up to.
//!
//! Stripe's events come in any order, twice, days late. So a purchase is not a state that events
//! move: it is a set of facts that only ever grows, where merging is a least upper bound —
//! commutative, associative, idempotent — and everything a person sees is computed from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    money::{Money, MoneyError},
    product::{Product, ProductId},
};

/// A purchase's id: a version 7 UUID, so that ids sort by the time they were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PurchaseId(Uuid);

/// Not a purchase id.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a purchase id is a version 7 UUID in lower case")]
pub struct NotAPurchaseId;

impl PurchaseId {
    /// A new one.
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// When it was made, to the millisecond.
    pub fn created_at(self) -> OffsetDateTime {
        let (seconds, nanoseconds) = self
            .0
            .get_timestamp()
            .map_or((0, 0), |timestamp| timestamp.to_unix());
        let nanoseconds = i128::from(seconds)
            .saturating_mul(1_000_000_000)
            .saturating_add(nanoseconds.into());
        OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl FromStr for PurchaseId {
    type Err = NotAPurchaseId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match Uuid::try_parse(text) {
            // One way to write an id, so that it is one key.
            Ok(id) if id.get_version_num() == 7 && id.to_string() == text => Ok(Self(id)),
            _ => Err(NotAPurchaseId),
        }
    }
}

impl fmt::Display for PurchaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An id that the payment provider gave.
macro_rules! provider_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(id: String) -> Self {
                Self(id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

provider_id!(
    /// A Checkout session, `cs_…`.
    SessionId
);
provider_id!(
    /// A payment intent, `pi_…`.
    PaymentIntentId
);

/// Who buys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// The `sub` claim of their ID token; `None` if the purchase was rebuilt from a session
    /// without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Where their mail goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their language as a BCP 47 tag, in which amounts are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// One product of an order, as it was offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Which product.
    pub product_id: ProductId,
    /// Its name at the time.
    pub name: String,
    /// Its description at the time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// A picture of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How many.
    pub quantity: u32,
    /// The price of one, in minor units of the order's currency.
    pub unit_amount: i64,
}

/// What was asked for, frozen before Stripe heard of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Who.
    pub buyer: Buyer,
    /// What; empty if the order was rebuilt.
    pub lines: Vec<Line>,
    /// For how much, before any promotion.
    pub total: Money,
    /// The order was lost here and rebuilt from what Stripe said of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebuilt: bool,
}

/// Why a cart makes no order.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Two currencies in one cart; a session has one.
    #[error("{product} is sold in {currency}, other products of this cart in {other}; buy them one after the other", currency = .currency.to_uppercase(), other = .other.to_uppercase())]
    MixedCurrencies {
        /// The first product that differs.
        product: ProductId,
        /// Its currency.
        currency: String,
        /// The currency before it.
        other: String,
    },
    /// Not for sale now.
    #[error("{0} is not for sale at the moment")]
    Inactive(ProductId),
    /// Nothing Stripe would charge.
    #[error("the total of {0}")]
    Total(MoneyError),
    /// There is nothing in it.
    #[error("there is nothing in it")]
    Empty,
}

impl Order {
    /// Freezes products and their quantities at today's prices.
    pub fn new<'a>(
        buyer: Buyer,
        items: impl IntoIterator<Item = (&'a Product, u32)>,
    ) -> Result<Self, OrderError> {
        let mut lines = Vec::new();
        let mut total: Option<Money> = None;
        for (product, quantity) in items {
            if !product.active {
                return Err(OrderError::Inactive(product.id.clone()));
            }
            let sum = total.unwrap_or(Money::zero(product.price.currency));
            if sum.currency != product.price.currency {
                return Err(OrderError::MixedCurrencies {
                    product: product.id.clone(),
                    currency: product.price.currency.to_string(),
                    other: sum.currency.to_string(),
                });
            }
            let amount = product
                .price
                .checked_mul(quantity)
                .map_err(OrderError::Total)?;
            total = Some(sum.checked_add(amount).map_err(OrderError::Total)?);
            lines.push(Line {
                product_id: product.id.clone(),
                name: product.name.clone(),
                description: product.description.clone(),
                image: product.images.first().cloned(),
                quantity,
                unit_amount: product.price.amount,
            });
        }
        let total = total.ok_or(OrderError::Empty)?;
        total.check_total().map_err(OrderError::Total)?;
        Ok(Self {
            buyer,
            lines,
            total,
            rebuilt: false,
        })
    }
}

/// One try at opening a Checkout session. All that Stripe is told is built from the order and
/// this, so that repeating a call under its idempotency key repeats its parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1, 2, 3 …; part of Stripe's idempotency key.
    pub number: u32,
    /// When it began, in Unix seconds.
    pub started_at: i64,
    /// When the session is to expire, in Unix seconds.
    pub expires_at: i64,
    /// Where the buyer pays, once Stripe has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Attempt {
    /// How long a session may be paid. Stripe allows up to 24 hours from its own clock's now.
    const LIFETIME_SECONDS: i64 = 23 * 3600;
    /// Stripe refuses sessions that end in less than 30 minutes; clocks differ, calls take time.
    const LEAST_LIFETIME_SECONDS: i64 = 35 * 60;
    /// Stripe forgets idempotency keys after 24 hours.
    const LONGEST_REPEAT_SECONDS: i64 = 20 * 3600;

    /// The first.
    pub fn first(now: i64) -> Self {
        Self::numbered(1, now)
    }

    /// The one after this, with an idempotency key of its own.
    pub fn next(&self, now: i64) -> Self {
        Self::numbered(self.number.saturating_add(1), now)
    }

    /// Whether its call to Stripe may (still) be made or repeated.
    pub fn is_usable(&self, now: i64) -> bool {
        now.saturating_sub(self.started_at) < Self::LONGEST_REPEAT_SECONDS
            && self.expires_at.saturating_sub(now) > Self::LEAST_LIFETIME_SECONDS
    }

    fn numbered(number: u32, now: i64) -> Self {
        let expires_at = now.saturating_add(Self::LIFETIME_SECONDS);
        Self {
            number,
            started_at: now,
            expires_at,
            url: None,
        }
    }
}

/// How far one Checkout session has come. The order of the variants is the order of precedence:
/// whatever comes in, and in whichever order, the furthest holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SessionState {
    /// Waiting for the buyer.
    Open,
    /// Over, says Stripe; never concluded from our own clock.
    Expired,
    /// Completed by a delayed payment method: the money is on its way.
    Pending,
    /// The delayed payment did not come.
    Failed,
    /// Paid, or nothing to pay.
    Settled {
        /// How much, in which currency.
        amount: Money,
        /// By which payment intent; `None` where nothing was to pay.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payment_intent: Option<PaymentIntentId>,
    },
}

/// Something that Stripe said of a purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A session has come this far.
    Session(SessionId, SessionState),
}

/// All that is known of a purchase's payment. Grows only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Each session's furthest state.
    #[serde(default)]
    pub sessions: BTreeMap<SessionId, SessionState>,
}

impl Facts {
    /// Takes a change in; says whether it told anything new.
    pub fn merge(&mut self, change: Change) -> bool {
        match change {
            Change::Session(id, state) => match self.sessions.get_mut(&id) {
                Some(known) if *known >= state => false,
                Some(known) => {
                    *known = state;
                    true
                }
                None => {
                    self.sessions.insert(id, state);
                    true
                }
            },
        }
    }

    /// The furthest state of any session.
    fn payment(&self) -> Option<&SessionState> {
        self.sessions.values().max()
    }

    /// What was settled, session by session.
    fn settled(&self) -> impl Iterator<Item = Money> {
        self.sessions.values().filter_map(|state| match state {
            SessionState::Settled { amount, .. } => Some(*amount),
            _ => None,
        })
    }
}

/// What a purchase's facts add up to; the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Paid for.
    Paid,
    /// A delayed payment did not come.
    Failed,
    /// A delayed payment is on its way.
    Pending,
    /// The session ended unpaid.
    Expired,
    /// Stripe refused the session, so nobody could ever pay.
    Abandoned,
    /// Waiting for the buyer.
    Open,
}

impl Status {
    /// As in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paid => "paid",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Abandoned => "abandoned",
            Self::Open => "open",
        }
    }
}

/// Something a person should look at. Nothing is dropped because of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attention {
    /// More than one session was paid.
    PaidTwice,
    /// More was paid than ordered.
    Overpaid,
    /// Paid in another currency than ordered.
    OtherCurrency,
    /// The order was lost here and rebuilt from Stripe's session.
    Rebuilt,
}

/// A mail that a purchase calls for. Each is sent for at most once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mail {
    /// A delayed payment is on its way. Of use only while that is so.
    Pending,
    /// A delayed payment did not come. Of use only while that is so.
    Failed,
    /// The receipt. Once true it stays due, whatever follows.
    Paid,
}

impl Mail {
    /// The effect's name, part of its outbox row's id.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Paid => "paid",
        }
    }
}

/// One purchase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// Its key; also when it was made.
    pub id: PurchaseId,
    /// What was asked for.
    pub order: Order,
    /// The try at opening a session that counts.
    pub attempt: Attempt,
    /// Stripe refused the session for good.
    pub abandoned: bool,
    /// What Stripe said.
    pub facts: Facts,
    /// Mails that have an outbox row.
    pub mails: BTreeSet<Mail>,
    /// Mails among them that stopped being true.
    pub superseded: BTreeSet<Mail>,
}

/// What a change leads to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Effects {
    /// Mails to write to the outbox.
    pub due: BTreeSet<Mail>,
    /// Mails in the outbox that need not go any more.
    pub superseded: BTreeSet<Mail>,
}

impl Purchase {
    /// A new purchase, before Stripe hears of it.
    pub fn new(order: Order, now: i64) -> Self {
        Self::with_id(PurchaseId::generate(), order, now)
    }

    /// One that was lost here, rebuilt under its id.
    pub fn rebuilt(id: PurchaseId, buyer: Buyer, total: Money) -> Self {
        let order = Order {
            buyer,
            lines: Vec::new(),
            total,
            rebuilt: true,
        };
        Self::with_id(id, order, id.created_at().unix_timestamp())
    }

    fn with_id(id: PurchaseId, order: Order, now: i64) -> Self {
        Self {
            id,
            order,
            attempt: Attempt::first(now),
            abandoned: false,
            facts: Facts::default(),
            mails: BTreeSet::new(),
            superseded: BTreeSet::new(),
        }
    }

    /// Takes a change in. `None` if it told nothing new.
    pub fn record(&mut self, change: Change) -> Option<Effects> {
        if !self.facts.merge(change) {
            return None;
        }
        let status = self.status();
        let mail_now = match status {
            Status::Paid => Some(Mail::Paid),
            Status::Pending => Some(Mail::Pending),
            Status::Failed => Some(Mail::Failed),
            _ => None,
        };
        let effects = Effects {
            due: mail_now
                .into_iter()
                .filter(|mail| !self.mails.contains(mail))
                .collect(),
            superseded: self
                .mails
                .iter()
                .copied()
                .filter(|mail| *mail != Mail::Paid && Some(*mail) != mail_now)
                .filter(|mail| !self.superseded.contains(mail))
                .collect(),
        };
        self.mails.extend(&effects.due);
        self.superseded.extend(&effects.superseded);
        Some(effects)
    }

    /// What the facts add up to.
    pub fn status(&self) -> Status {
        match self.facts.payment() {
            Some(SessionState::Settled { .. }) => Status::Paid,
            Some(SessionState::Failed) => Status::Failed,
            Some(SessionState::Pending) => Status::Pending,
            Some(SessionState::Expired) => Status::Expired,
            Some(SessionState::Open) => Status::Open,
            None if self.abandoned => Status::Abandoned,
            None => Status::Open,
        }
    }

    /// What was paid in the order's currency. Amounts in another one are not added up with it
    /// but called to [`Attention::OtherCurrency`].
    pub fn paid(&self) -> Money {
        let nothing = Money::zero(self.order.total.currency);
        self.facts
            .settled()
            .filter(|amount| amount.currency == nothing.currency)
            .fold(nothing, |sum, amount| {
                Money::new(sum.amount.saturating_add(amount.amount), sum.currency)
            })
    }

    /// What a person should look at.
    pub fn attention(&self) -> BTreeSet<Attention> {
        let ordered = self.order.total;
        let checks = [
            (Attention::PaidTwice, self.facts.settled().count() > 1),
            (
                Attention::Overpaid,
                self.facts
                    .settled()
                    .any(|paid| paid.currency == ordered.currency && paid.amount > ordered.amount),
            ),
            (
                Attention::OtherCurrency,
                self.facts
                    .settled()
                    .any(|paid| paid.currency != ordered.currency),
            ),
            (Attention::Rebuilt, self.order.rebuilt),
        ];
        checks
            .into_iter()
            .filter(|(_, holds)| *holds)
            .map(|(attention, _)| attention)
            .collect()
    }

    /// Whether the buyer finds it in their history: from the moment they did their part.
    pub fn is_in_history(&self) -> bool {
        matches!(
            self.status(),
            Status::Paid | Status::Failed | Status::Pending
        )
    }

    /// Whether nothing will come of it, so that it may be forgotten in time.
    pub fn is_over(&self) -> bool {
        matches!(self.status(), Status::Expired | Status::Abandoned)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn usd(amount: i64) -> Money {
        Money::new(amount, "usd".parse().unwrap())
    }

    fn purchase() -> Purchase {
        let buyer = Buyer {
            subject: None,
            email: None,
            language: None,
        };
        Purchase::new(
            Order {
                buyer,
                lines: vec![],
                total: usd(1500),
                rebuilt: false,
            },
            0,
        )
    }

    fn session(id: &str, state: SessionState) -> Change {
        Change::Session(SessionId::from(id.to_owned()), state)
    }

    fn settled(amount: Money) -> SessionState {
        SessionState::Settled {
            amount,
            payment_intent: Some("pi_1".to_owned().into()),
        }
    }

    fn state() -> impl Strategy<Value = SessionState> {
        prop_oneof![
            Just(SessionState::Open),
            Just(SessionState::Expired),
            Just(SessionState::Pending),
            Just(SessionState::Failed),
            (
                prop_oneof![Just(1500_i64), Just(900), Just(2000)],
                "usd|eur",
                any::<bool>()
            )
                .prop_map(|(amount, currency, has_intent)| SessionState::Settled {
                    amount: Money::new(amount, currency.parse().unwrap()),
                    payment_intent: has_intent.then(|| "pi_1".to_owned().into()),
                }),
        ]
    }

    fn changes() -> impl Strategy<Value = Vec<Change>> {
        prop::collection::vec(
            ("cs_[12]", state()).prop_map(|(id, s)| session(&id, s)),
            0..8,
        )
    }

    /// What must not depend on the order in which changes came.
    fn outcome(changes: &[Change]) -> (Facts, Status, Money, BTreeSet<Attention>, bool) {
        let mut purchase = purchase();
        for change in changes {
            purchase.record(change.clone());
        }
        let receipt = purchase.mails.contains(&Mail::Paid);
        (
            purchase.facts.clone(),
            purchase.status(),
            purchase.paid(),
            purchase.attention(),
            receipt,
        )
    }

    proptest! {
        #[test]
        fn any_order_and_any_repetition_of_the_same_changes_gives_the_same_purchase(
            (changes, shuffled) in changes().prop_flat_map(|changes| {
                let twice: Vec<_> = changes.iter().chain(&changes).cloned().collect();
                (Just(changes), Just(twice).prop_shuffle())
            })
        ) {
            prop_assert_eq!(outcome(&changes), outcome(&shuffled));
        }

        #[test]
        fn a_change_seen_before_tells_nothing_new(changes in changes()) {
            let mut purchase = purchase();
            for change in &changes {
                purchase.record(change.clone());
            }
            let before = purchase.clone();
            for change in changes {
                prop_assert_eq!(purchase.record(change), None);
            }
            prop_assert_eq!(before, purchase);
        }

        #[test]
        fn each_mail_is_ordered_once_and_a_receipt_is_never_taken_back(changes in changes()) {
            let mut purchase = purchase();
            let mut ordered = BTreeSet::new();
            for change in changes {
                let effects = purchase.record(change).unwrap_or_default();
                for mail in effects.due {
                    prop_assert!(ordered.insert(mail));
                }
                prop_assert!(!effects.superseded.contains(&Mail::Paid));
            }
            prop_assert_eq!(ordered.contains(&Mail::Paid), purchase.status() == Status::Paid);
            let stale = ordered.iter().copied().filter(|mail| match mail {
                Mail::Pending => purchase.status() != Status::Pending,
                Mail::Failed => purchase.status() != Status::Failed,
                Mail::Paid => false,
            });
            prop_assert_eq!(stale.collect::<BTreeSet<_>>(), purchase.superseded);
        }
    }

    #[test]
    fn the_furthest_session_says_what_became_of_the_purchase() {
        let mut purchase = purchase();
        assert_eq!(purchase.status(), Status::Open);
        for (state, status) in [
            (SessionState::Open, Status::Open),
            (SessionState::Expired, Status::Expired),
            (SessionState::Pending, Status::Pending),
            (SessionState::Failed, Status::Failed),
            (settled(usd(1500)), Status::Paid),
        ] {
            purchase.record(session("cs_1", state));
            assert_eq!(purchase.status(), status);
        }
        purchase.record(session("cs_2", SessionState::Expired));
        assert_eq!(purchase.status(), Status::Paid);
        assert_eq!(purchase.paid(), usd(1500));
        assert!(purchase.attention().is_empty());
    }

    #[test]
    fn a_second_payment_and_strange_amounts_call_for_attention() {
        let mut twice = purchase();
        twice.record(session("cs_1", settled(usd(1500))));
        twice.record(session("cs_2", settled(usd(1500))));
        assert_eq!(twice.attention(), [Attention::PaidTwice].into());
        assert_eq!(twice.paid(), usd(3000));

        let mut odd = purchase();
        odd.record(session("cs_1", settled(usd(1501))));
        assert_eq!(odd.attention(), [Attention::Overpaid].into());

        let mut euro = purchase();
        euro.record(session(
            "cs_1",
            settled(Money::new(1500, "eur".parse().unwrap())),
        ));
        assert_eq!(euro.attention(), [Attention::OtherCurrency].into());
        assert_eq!(euro.status(), Status::Paid);

        let mut promotion = purchase();
        promotion.record(session("cs_1", settled(usd(900))));
        assert!(promotion.attention().is_empty());
    }

    #[test]
    fn an_attempt_is_given_up_before_stripe_forgets_its_key() {
        let attempt = Attempt::first(0);
        assert!(attempt.is_usable(20 * 3600 - 1));
        assert!(!attempt.is_usable(20 * 3600));
        assert_eq!(attempt.next(5).number, 2);
        let short = Attempt {
            expires_at: 36 * 60,
            ..Attempt::first(0)
        };
        assert!(short.is_usable(59));
        assert!(!short.is_usable(60));
    }

    #[test]
    fn a_purchase_id_is_written_in_one_way_and_knows_its_time() {
        let id = PurchaseId::generate();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<PurchaseId>().is_err());
        assert!(
            "8c9e4a52-3b5f-4d0a-9a35-0c1de2a3f5b7"
                .parse::<PurchaseId>()
                .is_err()
        );
        let age = OffsetDateTime::now_utc() - id.created_at();
        assert!(age.whole_seconds().abs() < 5);
    }
}
