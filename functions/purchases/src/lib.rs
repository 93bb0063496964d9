//! GET /purchases and /purchases/{id}: a signed-in buyer's own history, and what of it is still to
//! be paid. POST /purchases/{id}/cancel: they do not want to pay any more.

mod open;

use std::{collections::BTreeSet, time::Duration};

use http::{Method, Response, StatusCode};
use lambda_http::{Body, Request, RequestExt};
use serde::Serialize;
use serde_json::json;
use shared::{
    clock::Clock,
    config::{ConfigError, EmailVerified, Environment},
    http::{
        Problem, claims, json, next_cursor, only_open, page_cursor, page_limit, request_id, rfc3339,
    },
    money::Money,
    product::ProductId,
    purchase::{
        Accounts, Attempt, Attention, DisputeId, DisputeStatus, Purchase, PurchaseId, RefundId,
        RefundState, Status, WaitsFor,
    },
    store::{
        Tables,
        history::History,
        purchases::{Purchases, Stored},
        unpaid::Unpaid,
    },
};
use time::format_description::well_known::Rfc3339;

use crate::open::OpenPurchases;

/// How long a request may take: less than the function's time limit in `template.yaml`.
const LONGEST: Duration = Duration::from_secs(18);

/// The function: a buyer's purchases, as they are and as they end.
#[derive(Clone)]
pub struct PurchaseHistory {
    purchases: Purchases,
    history: History,
    unpaid: Unpaid,
    open: OpenPurchases,
    email_verified: EmailVerified,
    clock: Clock,
}

impl PurchaseHistory {
    /// Reads the tables and what an open purchase needs; Stripe's key only when it is first asked.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let tables = Tables::of(environment)?;
        Ok(Self {
            purchases: Purchases::of(&tables)?,
            history: History::of(&tables)?,
            unpaid: Unpaid::of(&tables)?,
            open: OpenPurchases::new(&tables, environment)?,
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
        let path = request.path_parameters_ref();
        let stored = match path.and_then(|path| path.first("id")) {
            None => return self.list(request).await,
            Some(id) => self.own(id, request).await?,
        };
        let now = self.clock.now();
        let stored = match *request.method() {
            // The one thing that can be posted to a purchase.
            Method::POST => self.open.cancel(stored, now).await?,
            _ => self.open.looked_at(stored, now).await,
        };
        json(StatusCode::OK, &View::of(&stored.purchase, now))
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
        if only_open(request)? {
            let open = self.unpaid.of_buyer(&claims.subject, now).await;
            let open = open.map_err(|error| Problem::store(&error))?;
            let purchases: Vec<_> = open.iter().map(|one| View::of(one, now)).collect();
            return json(
                StatusCode::OK,
                &json!({ "purchases": purchases, "next": null }),
            );
        }
        let limit = page_limit(request)?;
        let before: Option<PurchaseId> = page_cursor(request)?;
        let page = self.history.page(&claims.subject, limit, before).await;
        let page = page.map_err(|error| Problem::store(&error))?;
        let purchases: Vec<_> = page
            .purchases
            .iter()
            .map(|one| View::of(one, now))
            .collect();
        json(
            StatusCode::OK,
            &json!({ "purchases": purchases, "next": next_cursor(page.next) }),
        )
    }
}

/// A purchase as its buyer sees it: what they ordered, and what became of their money. What a
/// dispute moved on the seller's balance, its fee, reason and deadline are the seller's affair
/// alone.
#[derive(Serialize)]
struct View<'a> {
    id: PurchaseId,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<&'a WaitsFor>,
    created_at: String,
    total: Money,
    #[serde(flatten)]
    accounts: Accounts,
    lines: Vec<LineView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundView<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<DisputeView<'a>>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    attention: BTreeSet<Attention>,
}

#[derive(Serialize)]
struct LineView<'a> {
    product_id: &'a ProductId,
    name: &'a str,
    quantity: u32,
    unit_amount: i64,
}

/// Where to pay, and until when.
#[derive(Serialize)]
struct PaymentView<'a> {
    url: &'a str,
    expires_at: String,
}

#[derive(Serialize)]
struct RefundView<'a> {
    id: &'a RefundId,
    status: RefundState,
    amount: Money,
}

#[derive(Serialize)]
struct DisputeView<'a> {
    id: &'a DisputeId,
    status: DisputeStatus,
    amount: Money,
}

impl<'a> View<'a> {
    fn of(purchase: &'a Purchase, now: i64) -> Self {
        let lines = purchase.order().lines.iter().map(|line| LineView {
            product_id: &line.product_id,
            name: &line.name,
            quantity: line.quantity,
            unit_amount: line.unit_amount,
        });
        let refunds = purchase
            .payment()
            .refunds()
            .iter()
            .map(|(id, refund)| RefundView {
                id,
                status: refund.state,
                amount: refund.amount,
            });
        let disputes = purchase.payment().disputes().iter();
        let disputes = disputes.filter_map(|(id, dispute)| {
            Some(DisputeView {
                id,
                status: dispute.status()?,
                amount: dispute.terms()?.amount,
            })
        });
        let Attempt {
            url, expires_at, ..
        } = purchase.attempt();
        let payable = purchase.awaits_payment() && *expires_at > now;
        let payment = url.as_deref().filter(|_| payable).map(|url| PaymentView {
            url,
            expires_at: rfc3339(*expires_at),
        });
        Self {
            id: purchase.id(),
            status: purchase.status(),
            waits_for: purchase.waits_for(),
            created_at: purchase
                .id()
                .created_at()
                .format(&Rfc3339)
                .unwrap_or_default(),
            payment,
            total: purchase.order().total,
            accounts: purchase.accounts(),
            lines: lines.collect(),
            refunds: refunds.collect(),
            disputes: disputes.collect(),
            attention: purchase.attention(),
        }
    }
}
