//! Compares a purchase or an invoice with what Stripe says about it, because an event may have been
//! missed, or never sent. What is fetched goes through the same ledger as an event, so nothing happens twice.

use serde_json::Value;

use crate::{
    ledger::{Ledger, Outcome, Report, Source},
    money::Money,
    purchase::{Buyer, Change, PaymentIntentId, PurchaseId, SessionId, SessionState},
    standing::Standing,
    store::StoreError,
    stripe::{
        client::{Client as Stripe, StripeError},
        object::{AboutCharge, Session, Unreadable},
    },
};

mod invoices;

pub use invoices::InvoiceComparison;

/// Compares one purchase, session by session and refund by refund, and collects what was new.
pub struct Comparison<'a> {
    purchase: PurchaseId,
    ledger: &'a Ledger,
    stripe: &'a Stripe,
    now: i64,
    news: Vec<News>,
}

/// Something that had been missed and is now recorded.
#[derive(Clone, Debug)]
pub struct News {
    /// The id of the object that said so.
    pub object: String,
    /// How its subject stood once it was recorded.
    pub status: Standing,
}

/// Why a purchase cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum ComparisonError {
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stripe failed.
    #[error(transparent)]
    Stripe(#[from] StripeError),
    /// The reason may quote the object, so it is kept out of logs.
    #[error("one of Stripe's objects cannot be read")]
    Unreadable(#[from] Unreadable),
    /// Never treated as expired: with another account's key, every session would be unknown.
    #[error("Stripe does not know session {0}")]
    NoSuchSession(SessionId),
}

/// A session, with what distinguishes a delayed payment that failed from one still under way.
pub async fn fetch_session(stripe: &Stripe, id: &SessionId) -> Result<Session, ComparisonError> {
    let path = format!("/checkout/sessions/{id}");
    let expand = [("expand[]", "payment_intent")];
    let found: Option<Session> = stripe.get(&path, &expand).await?;
    found.ok_or_else(|| ComparisonError::NoSuchSession(id.clone()))
}

impl<'a> Comparison<'a> {
    /// Begins comparing `purchase`.
    pub fn of(purchase: PurchaseId, ledger: &'a Ledger, stripe: &'a Stripe, now: i64) -> Self {
        Self {
            purchase,
            ledger,
            stripe,
            now,
            news: Vec::new(),
        }
    }

    /// What was new, up to the first comparison that failed.
    pub fn news(self) -> Vec<News> {
        self.news
    }

    /// Compares a session.
    pub async fn session(&mut self, id: &SessionId) -> Result<(), ComparisonError> {
        let session = fetch_session(self.stripe, id).await?;
        self.record_session(&session).await.map(|_| ())
    }

    /// Compares a session and, if it is paid, its refunds and disputes: if the payment was missed,
    /// they may have been, too.
    pub async fn session_and_what_went_back(
        &mut self,
        id: &SessionId,
    ) -> Result<(), ComparisonError> {
        let session = fetch_session(self.stripe, id).await?;
        self.found_session(&session).await
    }

    /// The same for a session that has been fetched already.
    pub async fn found_session(&mut self, session: &Session) -> Result<(), ComparisonError> {
        if let Some(paid_by) = self.record_session(session).await? {
            for about in what_went_back(self.stripe, &paid_by).await? {
                self.record_about_charge(about).await?;
            }
        }
        Ok(())
    }

    /// Records a session. Returns the payment intent that paid it, if one did.
    pub async fn record_session(
        &mut self,
        session: &Session,
    ) -> Result<Option<PaymentIntentId>, ComparisonError> {
        let state = session.state()?;
        let paid_by = match &state {
            SessionState::Settled { payment_intent, .. } => payment_intent.clone(),
            _ => None,
        };
        let change = Change::Session(session.id.clone(), state);
        let intent = session.payment_intent().cloned();
        self.record(session.id.as_str(), change, intent, session.origin())
            .await?;
        Ok(paid_by)
    }

    /// Compares the refund or dispute at `path`.
    pub async fn about_charge(
        &mut self,
        path: &str,
        read: impl Fn(Value) -> Result<AboutCharge, Unreadable>,
    ) -> Result<(), ComparisonError> {
        match self.stripe.get(path, &[]).await? {
            Some(object) => self.record_about_charge(read(object)?).await,
            None => Ok(()),
        }
    }

    async fn record_about_charge(&mut self, about: AboutCharge) -> Result<(), ComparisonError> {
        let object = about.id().to_owned();
        let change = Change::Payment(about.change);
        self.record(&object, change, about.payment_intent, None)
            .await
    }

    async fn record(
        &mut self,
        object: &str,
        change: Change,
        payment_intent: Option<PaymentIntentId>,
        origin: Option<(Buyer, Money)>,
    ) -> Result<(), ComparisonError> {
        let report = Report {
            source: Source::Fetched {
                object: object.to_owned(),
                at: self.now,
            },
            purchase: self.purchase,
            change,
            payment_intent,
            origin,
        };
        if let Outcome::Recorded(status, _) = self.ledger.record(&report, self.now).await? {
            self.news.push(News {
                object: object.to_owned(),
                status,
            });
        }
        Ok(())
    }
}

/// Every refund and dispute of what a payment intent paid.
async fn what_went_back(
    stripe: &Stripe,
    intent: &PaymentIntentId,
) -> Result<Vec<AboutCharge>, ComparisonError> {
    type Read = fn(Value) -> Result<AboutCharge, Unreadable>;
    let kinds: [(&str, Read); 2] = [
        ("/refunds", AboutCharge::refund),
        ("/disputes", AboutCharge::dispute),
    ];
    let mut found = Vec::new();
    for (path, read) in kinds {
        let query = [("payment_intent", intent.as_str())];
        for object in stripe.list_whole(path, &query).await? {
            found.push(read(object)?);
        }
    }
    Ok(found)
}
