//! Reads subscriptions at Stripe. What is stored of one is always the last reading.
//!
//! How a subscription stands can go back and forth, so its events are only hints, and their order
//! and timestamps mean nothing. A reader notes the version of what is stored, then asks Stripe, and
//! writes its reading on condition that the version is still that one. If it is not, somebody else
//! has stored a reading meanwhile, and it does all of it again. So each stored reading was fetched
//! after the one before it was stored, and readings never go back, however slow a reader is and
//! wherever it dies.

use crate::{
    config::{ConfigError, Stack},
    email::Frozen,
    invoice::{Invoice, Letters},
    ledger::{Desk, Source},
    mode::Mode,
    purchase::{Buyer, Mail, PurchaseId, Subject, SubscriptionId},
    standing::Standing,
    store::{
        StoreError, Tables,
        claims::{Claim, Claims},
        invoices::Invoices,
        later::Written,
        purchases::Purchases,
        subscriptions::{StoredSubscription, Subscriptions},
        transaction::{Part, Step, Writer},
    },
    stripe::{
        client::{Client as Stripe, StripeError},
        event::{Hint, Unreadable},
        object::Tags,
        subscription,
    },
    subscription::{Reading, Subscription},
    view::Publication,
};

/// Reads subscriptions.
#[derive(Clone)]
pub struct Readings {
    writer: Writer,
    subscriptions: Subscriptions,
    invoices: Invoices,
    purchases: Purchases,
    claims: Claims,
    desk: Desk,
    stripe: Stripe,
    stack: Stack,
}

/// What became of a reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// It said something new: how the subscription stands now.
    Changed(Standing),
    /// It said nothing new.
    NothingNew,
    /// This very event was the reason for an earlier reading.
    SeenBefore,
    /// The subscription is not this shop's.
    Foreign,
    /// Stripe does not know it. It may have been deleted with a test clock; but with another
    /// account's key every subscription would be unknown, so nothing is concluded from that.
    Unknown,
}

/// Why something cannot be read at Stripe now.
#[derive(Debug, thiserror::Error)]
pub enum ReadingError {
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stripe failed.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// The reason may quote the object, so it is kept out of logs.
    #[error("one of Stripe's objects cannot be read")]
    Unreadable(#[from] Unreadable),
}

/// What a try found, in the order in which it looked.
enum Found {
    /// The event's claim.
    Claimed,
    /// What is stored, and what Stripe says.
    Looked(Box<Looked>),
    Foreign,
    Unknown,
}

/// What is stored, and what Stripe says.
struct Looked {
    stored: StoredSubscription,
    reading: Reading,
    /// Mails have to wait until a person confirms the purchase.
    held: bool,
    /// The mail that asked to pay its latest invoice, and which invoice, if it is over now.
    dunned: Option<(Subject, Mail)>,
}

impl Readings {
    /// Fails if the environment does not name all of the tables it writes to.
    pub fn of(
        stripe: Stripe,
        tables: &Tables,
        (mode, stack): (Mode, Stack),
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            subscriptions: Subscriptions::of(tables)?,
            invoices: Invoices::of(tables)?,
            purchases: Purchases::of(tables)?,
            claims: Claims::of(tables)?,
            desk: Desk::of(tables, mode)?,
            stripe,
            stack,
        })
    }

    /// Reads a subscription because of `source`, whose event says `hint`.
    pub async fn read(
        &self,
        id: &SubscriptionId,
        hint: Hint,
        source: &Source,
        now: i64,
    ) -> Result<Read, ReadingError> {
        let look = || self.look(id, source);
        let decide = |found| self.decide(found, hint, source, now);
        Ok(self.writer.run(None, look, decide).await?.answer)
    }

    /// What is stored, and only then what Stripe says.
    async fn look(&self, id: &SubscriptionId, source: &Source) -> Result<Found, ReadingError> {
        let subject = Subject::Subscription(id.clone());
        let is_event = matches!(source, Source::Event { .. });
        let is_claimed = is_event && self.claims.has(&subject, source).await?;
        let known = self.subscriptions.get(id).await?;
        let by_earlier = known
            .as_ref()
            .is_some_and(|known| known.written.is_by_earlier_version());
        if is_claimed && !by_earlier {
            return Ok(Found::Claimed);
        }
        let Some(object) = subscription::read(&self.stripe, id).await? else {
            return Ok(Found::Unknown);
        };
        let Some(tagged) = object.metadata.purchase(&self.stack)? else {
            return Ok(Found::Foreign);
        };
        // A purchase is stored before anybody can pay for it: one that is not there was lost.
        let purchase = self.purchases.get(tagged).await?;
        let purchase = purchase.map(|stored| stored.purchase);
        let held = purchase
            .as_ref()
            .is_none_or(|purchase| purchase.is_only_rebuilt());
        let stored = known.unwrap_or_else(|| {
            let tags = object.metadata.buyer(None);
            let buyer = purchase.map_or_else(|| tags.clone(), |it| it.order().buyer.or(&tags));
            StoredSubscription {
                subscription: Subscription::new(id.clone(), tagged, buyer),
                version: 0,
                written: Written::default(),
            }
        });
        let reading = object.reading()?;
        let dunned = self.dunned(id, &reading).await?;
        Ok(Found::Looked(Box::new(Looked {
            stored,
            reading,
            held,
            dunned,
        })))
    }

    /// The mail that asked the buyer to pay the latest invoice, so that the subscription goes on,
    /// if it is over now.
    async fn dunned(
        &self,
        id: &SubscriptionId,
        reading: &Reading,
    ) -> Result<Option<(Subject, Mail)>, StoreError> {
        let latest = reading.latest_invoice.as_ref();
        let Some(latest) = latest.filter(|_| reading.is_over()) else {
            return Ok(None);
        };
        let stored = self.invoices.get(id, latest).await?;
        let invoice = stored.map(|stored| stored.invoice);
        let dunned = |invoice: Invoice| {
            let mail = invoice.dunning().filter(|it| invoice.mails().contains(it));
            Some((invoice.subject(), mail?))
        };
        Ok(invoice.and_then(dunned))
    }

    fn decide(
        &self,
        found: Found,
        hint: Hint,
        source: &Source,
        now: i64,
    ) -> Result<Step<Read>, ReadingError> {
        let looked = match found {
            Found::Claimed => return Ok(Step::Done(Read::SeenBefore)),
            Found::Foreign => return Ok(Step::Done(Read::Foreign)),
            Found::Unknown => return Ok(Step::Done(Read::Unknown)),
            Found::Looked(looked) => *looked,
        };
        let Looked {
            mut stored,
            reading,
            held,
            dunned,
        } = looked;
        let status = Standing::Subscription(Some(reading.status));
        let next = stored.version.saturating_add(1);
        let is_ending = hint == Hint::TrialWillEnd;
        let letters = stored
            .subscription
            .read(reading.clone(), is_ending, next, now);
        let answer = match letters {
            Some(_) => Read::Changed(status),
            None => Read::NothingNew,
        };
        let mut parts = Vec::new();
        let is_event = matches!(source, Source::Event { .. });
        let subject = stored.subscription.subject();
        if is_event || letters.is_some() {
            let claim = Claim {
                subject: &subject,
                source,
                changed: letters.is_some(),
                status,
                is_over: false,
                version: stored.version,
            };
            let claim = self.claims.put(claim, &stored.written, now)?;
            parts.push(Part::deciding(claim, Read::SeenBefore));
        }
        // Even one that says nothing new puts off the next.
        if letters.is_some() || !is_event {
            parts.push(Part::vital(self.subscriptions.put(&stored, now)?));
        }
        let Letters { due, superseded } = letters.unwrap_or_default();
        let content = |_: &Mail| Frozen::of_subscription(&stored.subscription, &reading);
        let letters = (&due, &superseded);
        parts.extend(self.desk.write(&subject, letters, content, held, now)?);
        let subscription = &stored.subscription;
        if subscription.turn().is_some_and(|turn| turn.version == next) {
            let told = |telling| Publication::of_subscription(subscription, &reading, telling);
            parts.extend(self.desk.publish(told, held, now)?);
        }
        if let Some((invoice, mail)) = dunned {
            parts.push(Part::vital(self.desk.supersede(&invoice, &mail, now)?));
        }
        Ok(Step::Write(parts, answer))
    }

    /// The purchase and the buyer that a subscription is tagged with; `None` if it is not ours.
    pub(crate) async fn tags(
        &self,
        id: &SubscriptionId,
    ) -> Result<Option<(PurchaseId, Buyer)>, ReadingError> {
        let Some(object) = subscription::read(&self.stripe, id).await? else {
            return Ok(None);
        };
        let tags: &Tags = &object.metadata;
        let purchase = tags.purchase(&self.stack)?;
        Ok(purchase.map(|purchase| (purchase, tags.buyer(None))))
    }
}
