//! GET /purchases and /purchases/{id}: a signed-in buyer's own history, which purchases are still
//! to be paid, and of one of them, links to the files that were bought. POST
//! /purchases/{id}/cancel: cancels one that is not paid. POST /portal: the buyer's own billing
//! portal at Stripe. GET /subscriptions and /subscriptions/{id}, GET /entitlements: what they
//! subscribe to, and what that entitles them to.

mod open;
mod portal;
mod subscriptions;

use std::time::Duration;

use http::{Method, Response, StatusCode};
use lambda_http::{Body, Request, RequestExt};
use serde_json::json;
use shared::{
    aws::{self, call::Service},
    clock::Clock,
    config::{ConfigError, EmailVerified, Environment},
    files::Files,
    http::{
        Problem, claims, json, next_cursor, only_open, page_cursor, page_limit, request_id,
        resource,
    },
    purchase::PurchaseId,
    store::{
        Tables,
        history::History,
        invoices::Invoices,
        purchases::{Purchases, Stored},
        unpaid::Unpaid,
    },
    stripe::client::Client as Stripe,
    view::BuyerView,
};

use crate::{open::OpenPurchases, portal::Portal, subscriptions::BuyersSubscriptions};

/// How long a request may take: less than the function's time limit in `template.yaml`.
const LONGEST: Duration = Duration::from_secs(18);

/// The function: shows and cancels a buyer's purchases.
#[derive(Clone)]
pub struct PurchaseHistory {
    purchases: Purchases,
    invoices: Invoices,
    history: History,
    unpaid: Unpaid,
    open: OpenPurchases,
    portal: Portal,
    subscriptions: BuyersSubscriptions,
    files: Files,
    email_verified: EmailVerified,
    clock: Clock,
}

impl PurchaseHistory {
    /// Reads tables and what open purchases need, but Stripe's key only when it is first needed.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        aws::prepare(environment, Service::DynamoDb)?;
        let tables = Tables::of(environment)?;
        let stripe = Stripe::new(environment)?;
        Ok(Self {
            purchases: Purchases::of(&tables)?,
            invoices: Invoices::of(&tables)?,
            history: History::of(&tables)?,
            unpaid: Unpaid::of(&tables)?,
            open: OpenPurchases::new(&tables, environment, stripe.clone())?,
            portal: Portal::new(&tables, environment, stripe)?,
            subscriptions: BuyersSubscriptions::of(&tables)?,
            files: Files::of(environment)?,
            email_verified: environment.email_verified()?,
            clock: environment.clock(),
        })
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let answer = tokio::time::timeout(LONGEST, self.answer(&request)).await;
        let answer = answer.unwrap_or_else(|_| Err(Problem::too_slow()));
        answer.unwrap_or_else(|problem| problem.into_response(&request_id(&request)))
    }

    async fn answer(&self, request: &Request) -> Result<Response<Body>, Problem> {
        match resource(request) {
            "portal" => self.portal(request).await,
            "subscriptions" => {
                let claims = claims(request, self.email_verified)?;
                let now = self.clock.now();
                self.subscriptions
                    .answer(request, &claims.subject, now)
                    .await
            }
            "entitlements" => {
                let claims = claims(request, self.email_verified)?;
                let now = self.clock.now();
                self.subscriptions
                    .entitlements(request, &claims.subject, now)
                    .await
            }
            _ => self.purchases(request).await,
        }
    }

    async fn portal(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let claims = claims(request, self.email_verified)?;
        let url = self.portal.open(&claims.subject).await?;
        json(StatusCode::CREATED, &json!({ "url": url }))
    }

    async fn purchases(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let path = request.path_parameters_ref();
        let stored = match path.and_then(|path| path.first("id")) {
            None => return self.list(request).await,
            Some(id) => self.own(id, request).await?,
        };
        let now = self.clock.now();
        let stored = match *request.method() {
            // Cancelling is the only thing that is posted to a purchase.
            Method::POST => self.open.cancel(stored, now).await?,
            _ => self.open.looked_at(stored, now).await,
        };
        let purchase = self.invoices.complete(stored.purchase).await;
        let purchase = purchase.map_err(|error| Problem::store(&error))?;
        let link = |product: &_, name: &_| self.files.link(product, name, now);
        let shown = BuyerView::of(&purchase, now).with_downloads(&purchase, link);
        let shown = shown.map_err(|error| {
            tracing::error!(purchase_id = %purchase.id(), %error, "no link to a file can be made");
            Problem::internal()
        })?;
        json(StatusCode::OK, &shown)
    }

    /// Another buyer's purchase is answered like one that does not exist.
    async fn own(&self, id: &str, request: &Request) -> Result<Stored, Problem> {
        let claims = claims(request, self.email_verified)?;
        let unknown = || Problem::not_found("You have no purchase with this id.");
        let id: PurchaseId = id.parse().map_err(|_| unknown())?;
        let stored = self.purchases.get(id).await;
        let stored = stored.map_err(|error| Problem::store(&error))?;
        stored
            .filter(|stored| {
                stored.purchase.order().buyer.subject.as_ref() == Some(&claims.subject)
            })
            .ok_or_else(unknown)
    }

    async fn list(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let claims = claims(request, self.email_verified)?;
        let now = self.clock.now();
        // Whoever sends a page that makes no sense learns of it, even where there is only one page.
        let limit = page_limit(request)?;
        let before: Option<PurchaseId> = page_cursor(request)?;
        if only_open(request)? {
            let open = self.unpaid.of_buyer(&claims.subject, now).await;
            let open = open.map_err(|error| Problem::store(&error))?;
            let purchases: Vec<_> = open.iter().map(|one| BuyerView::of(one, now)).collect();
            return json(
                StatusCode::OK,
                &json!({ "purchases": purchases, "next": null }),
            );
        }
        let page = self.history.page(&claims.subject, limit, before).await;
        let page = page.map_err(|error| Problem::store(&error))?;
        let purchases = self.invoices.complete_all(page.purchases).await;
        let purchases = purchases.map_err(|error| Problem::store(&error))?;
        let purchases: Vec<_> = purchases
            .iter()
            .map(|one| BuyerView::of(one, now))
            .collect();
        json(
            StatusCode::OK,
            &json!({ "purchases": purchases, "next": next_cursor(page.next) }),
        )
    }
}
