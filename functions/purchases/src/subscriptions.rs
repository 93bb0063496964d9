//! What the buyer who asks subscribes to, and what that entitles them to.

use std::cmp::Reverse;

use http::{Response, StatusCode};
use lambda_http::{Body, Request, RequestExt};
use serde_json::json;
use shared::{
    config::ConfigError,
    http::{Problem, json, seconds},
    purchase::SubscriptionId,
    store::{
        StoreError, Tables,
        history::History,
        subscriptions::{Subscriptions, WithInvoices},
    },
    view::{EntitlementView, SubscriptionDetails, SubscriptionView},
};
use tokio::task::JoinSet;

/// By how many seconds a payment may be late unless the caller says otherwise: a day. Stripe charges
/// renewals about an hour after the period ends, and its event may be late.
const GRACE: i64 = 24 * 3600;

/// The most seconds by which a payment may be late and still entitle: 30 days. Stripe tries for two
/// weeks by default, and for two months at most.
const LONGEST_GRACE: i64 = 30 * 24 * 3600;

/// The most subscriptions of one buyer that are looked at, the newest as far as Stripe's ids tell.
const MOST: usize = 100;

/// Shows a buyer's subscriptions.
#[derive(Clone)]
pub(crate) struct BuyersSubscriptions {
    history: History,
    subscriptions: Subscriptions,
}

impl BuyersSubscriptions {
    pub(crate) fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            history: History::of(tables)?,
            subscriptions: Subscriptions::of(tables)?,
        })
    }

    /// One, or all of them.
    pub(crate) async fn answer(
        &self,
        request: &Request,
        subject: &str,
        now: i64,
    ) -> Result<Response<Body>, Problem> {
        let path = request.path_parameters_ref();
        match path.and_then(|path| path.first("id")) {
            Some(id) => self.one(id, subject, now).await,
            None => self.list(subject, now).await,
        }
    }

    /// Another buyer's subscription is answered like one that does not exist.
    async fn one(&self, id: &str, subject: &str, now: i64) -> Result<Response<Body>, Problem> {
        let unknown = || Problem::not_found("You have no subscription with this id.");
        let id = SubscriptionId::try_from(id.to_owned()).map_err(|_| unknown())?;
        let found = self.subscriptions.with_invoices(&id).await;
        let found = found.map_err(|error| Problem::store(&error))?;
        let found =
            found.filter(|found| found.subscription.buyer().subject.as_deref() == Some(subject));
        json(
            StatusCode::OK,
            &SubscriptionDetails::of(&found.ok_or_else(unknown)?, now),
        )
    }

    async fn list(&self, subject: &str, now: i64) -> Result<Response<Body>, Problem> {
        let found = self.all(subject).await;
        let found = found.map_err(|error| Problem::store(&error))?;
        let subscriptions: Vec<_> = found
            .iter()
            .map(|one| SubscriptionView::of(one, now))
            .collect();
        json(
            StatusCode::OK,
            &json!({ "subscriptions": subscriptions, "next": null }),
        )
    }

    /// `GET /entitlements?grace=`
    pub(crate) async fn entitlements(
        &self,
        request: &Request,
        subject: &str,
        now: i64,
    ) -> Result<Response<Body>, Problem> {
        let grace = seconds(request, "grace", GRACE, LONGEST_GRACE)?;
        let found = self.all(subject).await;
        let found = found.map_err(|error| Problem::store(&error))?;
        let entitlements = EntitlementView::of_buyer(&found, now, grace);
        json(StatusCode::OK, &json!({ "entitlements": entitlements }))
    }

    /// All of a buyer's subscriptions, newest first.
    async fn all(&self, subject: &str) -> Result<Vec<WithInvoices>, StoreError> {
        let mut ids = self.history.subscriptions(subject).await?;
        let older = ids.len().saturating_sub(MOST);
        let mut reading = JoinSet::new();
        for id in ids.split_off(older) {
            let subscriptions = self.subscriptions.clone();
            reading.spawn(async move { subscriptions.with_invoices(&id).await });
        }
        let mut found = Vec::new();
        for read in reading.join_all().await {
            found.extend(read?);
        }
        let began = |one: &WithInvoices| one.subscription.reading().map(|it| it.started_at);
        // One that has not been read yet has just begun.
        found.sort_by_key(|one| (began(one).is_some(), Reverse(began(one))));
        Ok(found)
    }
}
