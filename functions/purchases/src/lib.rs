//! GET /purchases and /purchases/{id}: a signed-in buyer's own history.

use std::collections::BTreeSet;

use http::{Response, StatusCode};
use lambda_http::{Body, Request, RequestExt};
use serde::Serialize;
use serde_json::json;
use shared::{
    config::{ConfigError, Environment},
    http::{Problem, claims, json, next_cursor, page_cursor, page_limit, request_id},
    money::Money,
    product::ProductId,
    purchase::{
        Accounts, Attention, DisputeId, DisputeStatus, Purchase, PurchaseId, RefundId, RefundState,
        Status, WaitsFor,
    },
    store::purchases::Purchases,
};
use time::format_description::well_known::Rfc3339;

/// The function.
#[derive(Clone)]
pub struct PurchaseHistory {
    purchases: Purchases,
}

impl PurchaseHistory {
    /// As the environment says.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let dynamodb = shared::store::client(environment)?;
        let table = environment.required("PURCHASES_TABLE")?;
        Ok(Self {
            purchases: Purchases::new(dynamodb, table),
        })
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let answer = match request
            .path_parameters_ref()
            .and_then(|path| path.first("id"))
        {
            Some(id) => self.one(id, &request).await,
            None => self.list(&request).await,
        };
        answer.unwrap_or_else(|problem| problem.into_response(&request_id(&request)))
    }

    /// Another buyer's purchase is answered like one that does not exist.
    async fn one(&self, id: &str, request: &Request) -> Result<Response<Body>, Problem> {
        let claims = claims(request)?;
        let unknown = || Problem::not_found("You have no purchase with this id.");
        let id: PurchaseId = id.parse().map_err(|_| unknown())?;
        let stored = self
            .purchases
            .get(id)
            .await
            .map_err(|error| Problem::store(&error))?;
        let purchase = stored
            .map(|stored| stored.purchase)
            .filter(|purchase| purchase.order.buyer.subject.as_ref() == Some(&claims.subject))
            .ok_or_else(unknown)?;
        json(StatusCode::OK, &View::of(&purchase))
    }

    async fn list(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let claims = claims(request)?;
        let limit = page_limit(request)?;
        let before: Option<PurchaseId> = page_cursor(request)?;
        let page = self.purchases.history(&claims.subject, limit, before).await;
        let page = page.map_err(|error| Problem::store(&error))?;
        let purchases: Vec<_> = page.purchases.iter().map(View::of).collect();
        json(
            StatusCode::OK,
            &json!({ "purchases": purchases, "next": next_cursor(page.next) }),
        )
    }
}

/// A purchase as its buyer sees it: what they ordered, and what became of their money. What a dispute
/// moved on the seller's balance, its fee, reason and deadline are the seller's affair alone.
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
    fn of(purchase: &'a Purchase) -> Self {
        let lines = purchase.order.lines.iter().map(|line| LineView {
            product_id: &line.product_id,
            name: &line.name,
            quantity: line.quantity,
            unit_amount: line.unit_amount,
        });
        let refunds = purchase
            .facts
            .refunds
            .iter()
            .map(|(id, refund)| RefundView {
                id,
                status: refund.state,
                amount: refund.amount,
            });
        let disputes = purchase.facts.disputes.iter();
        let disputes = disputes.filter_map(|(id, dispute)| {
            Some(DisputeView {
                id,
                status: dispute.status()?,
                amount: dispute.terms()?.amount,
            })
        });
        Self {
            id: purchase.id,
            status: purchase.status(),
            waits_for: purchase.waits_for(),
            created_at: purchase
                .id
                .created_at()
                .format(&Rfc3339)
                .unwrap_or_default(),
            total: purchase.order.total,
            accounts: purchase.accounts(),
            lines: lines.collect(),
            refunds: refunds.collect(),
            disputes: disputes.collect(),
            attention: purchase.attention(),
        }
    }
}
