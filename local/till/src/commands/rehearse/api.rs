//! The shop's HTTP API, called as its site calls it.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::money::Money;
use shared::product::Product;
use shared::purchase::{PurchaseId, SubscriptionId};
use shared::shipping::Country;

use crate::account::web::Web;

/// The API at its address.
pub(super) struct Api {
    web: Web,
    url: String,
}

/// What opens when somebody wants to buy.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Checkout {
    pub(super) purchase_id: PurchaseId,
    /// Stripe's page.
    pub(super) url: String,
}

/// A purchase as its buyer sees it, as far as a rehearsal looks at it.
#[derive(Debug, Deserialize)]
pub(super) struct Purchase {
    pub(super) status: String,
    pub(super) total: Money,
    pub(super) paid: Money,
    /// What it came to with shipping and tax, once that is known.
    pub(super) sums: Option<Sums>,
    #[serde(default)]
    pub(super) refunds: Vec<Moved>,
    #[serde(default)]
    pub(super) disputes: Vec<Moved>,
    pub(super) subscription_id: Option<SubscriptionId>,
}

/// As far as it is looked at.
#[derive(Debug, Deserialize)]
pub(super) struct Sums {
    pub(super) total: Money,
}

/// A refund or a dispute.
#[derive(Debug, Deserialize)]
pub(super) struct Moved {
    pub(super) id: String,
    pub(super) status: String,
}

#[derive(Deserialize)]
struct Page {
    products: Vec<Product>,
    next: Option<String>,
}

struct Answer {
    status: StatusCode,
    body: Bytes,
}

impl Answer {
    /// What it holds, if it is the answer that was hoped for.
    fn expect<T: for<'d> Deserialize<'d>>(
        self,
        hoped: StatusCode,
        asked: &str,
    ) -> anyhow::Result<T> {
        if self.status != hoped {
            bail!("{asked} answers {}{}", self.status, self.detail());
        }
        serde_json::from_slice(&self.body)
            .with_context(|| format!("{asked} answers what the contract does not have"))
    }

    /// A problem's own words, or the gateway's.
    fn detail(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let word = |name: &str| body.get(name).and_then(Value::as_str);
        let detail = word("detail").or_else(|| word("message"));
        detail.map_or_else(String::new, |detail| format!(": {detail}"))
    }
}

impl Api {
    pub(super) fn at(web: &Web, url: &str) -> Self {
        Self {
            web: web.clone(),
            url: url.trim_end_matches('/').to_owned(),
        }
    }

    /// All that the shop shows.
    pub(super) async fn products(&self) -> anyhow::Result<Vec<Product>> {
        let mut all = Vec::new();
        let mut path = "/products".to_owned();
        loop {
            let page: Page = self.get(None, &path).await?;
            all.extend(page.products);
            match page.next {
                Some(cursor) => path = format!("/products?cursor={cursor}"),
                None => return Ok(all),
            }
        }
    }

    /// What anybody gets, or the buyer of a token.
    pub(super) async fn get<T: for<'d> Deserialize<'d>>(
        &self,
        token: Option<&str>,
        path: &str,
    ) -> anyhow::Result<T> {
        let answer = self.ask(&Method::GET, path, token, None).await?;
        answer.expect(StatusCode::OK, &format!("GET {path}"))
    }

    /// The status with which a call is answered.
    pub(super) async fn status(&self, path: &str) -> anyhow::Result<StatusCode> {
        Ok(self.ask(&Method::GET, path, None, None).await?.status)
    }

    /// One of the buyer's purchases.
    pub(super) async fn purchase(&self, token: &str, id: PurchaseId) -> anyhow::Result<Purchase> {
        self.get(Some(token), &format!("/purchases/{id}")).await
    }

    /// Opens a purchase of one piece, to be sent there if it is sent; under one key, one purchase.
    pub(super) async fn checkout(
        &self,
        token: &str,
        (product, destination): (&Product, Option<Country>),
        key: &str,
    ) -> anyhow::Result<Checkout> {
        let item = json!({ "product_id": product.id, "quantity": 1 });
        let cart = match destination {
            Some(country) => json!({ "items": [item], "country": country.as_str() }),
            None => json!({ "items": [item] }),
        };
        let body = Some((key, cart));
        let answer = self
            .ask(&Method::POST, "/checkout", Some(token), body)
            .await?;
        answer.expect(StatusCode::CREATED, "POST /checkout")
    }

    /// Ends a purchase that waits for its payment.
    pub(super) async fn cancel(&self, token: &str, id: PurchaseId) -> anyhow::Result<Purchase> {
        let path = format!("/purchases/{id}/cancel");
        let answer = self.ask(&Method::POST, &path, Some(token), None).await?;
        answer.expect(StatusCode::OK, &format!("POST {path}"))
    }

    async fn ask(
        &self,
        method: &Method,
        path: &str,
        token: Option<&str>,
        body: Option<(&str, Value)>,
    ) -> anyhow::Result<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let mut bytes = Bytes::new();
        if let Some((key, body)) = body {
            request = request
                .header(header::CONTENT_TYPE, "application/json")
                .header("idempotency-key", key);
            bytes = Bytes::from(body.to_string());
        }
        let request = request.body(bytes).context("the request cannot be made")?;
        let answer = self.web.send(request).await;
        let answer = answer.with_context(|| format!("{method} {} cannot be reached", self.url))?;
        Ok(Answer {
            status: answer.status(),
            body: answer.into_body(),
        })
    }
}
