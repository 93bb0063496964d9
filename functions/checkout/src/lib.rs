//! POST /checkout: opens a Stripe Checkout session for a signed-in buyer.
//!
//! Three steps, each of which a repetition of the request carries on from: the purchase is stored
//! with all that Stripe will be told; Stripe opens a session; its address is stored and answered.

use std::time::Duration;

use http::{Response, StatusCode};
use lambda_http::{Body, Request};
use serde_json::json;
use shared::{
    cart::Cart,
    config::{ConfigError, Environment, Stack},
    http::{Problem, body, claims, json, language, request_id},
    ledger::{Earlier, OpenError, Orders, needs_another_attempt},
    money::MoneyError,
    product::Product,
    purchase::{Buyer, Order, OrderError, Purchase},
    store::{
        products::Products,
        purchases::{IdempotentRequest, Stored},
    },
    stripe::{
        checkout,
        client::{Client as Stripe, StripeError},
    },
};

/// A cart of 90 products with the longest ids is under 16 KiB.
const LARGEST_BODY: usize = 64 * 1024;

/// Stripe's own limit for idempotency keys.
const LONGEST_KEY: usize = 255;

/// How long a request may take: less than the function's time limit in `template.yaml`. Whatever
/// step it has come to, a repetition carries on from there.
const LONGEST: Duration = Duration::from_secs(18);

/// What an order's lines may take of DynamoDB's 400 KiB an item, which also holds what follows.
const LARGEST_ORDER: usize = 256 * 1024;

/// The function.
#[derive(Clone)]
pub struct Checkout {
    products: Products,
    orders: Orders,
    stripe: Stripe,
    site_url: String,
    stack: Stack,
}

impl Checkout {
    /// As the environment says.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        let dynamodb = shared::store::client(environment)?;
        let products = environment.required("PRODUCTS_TABLE")?;
        Ok(Self {
            products: Products::new(dynamodb.clone(), products),
            orders: Orders::new(dynamodb, products, environment.required("PURCHASES_TABLE")?),
            stripe: Stripe::new(environment).await?,
            site_url: environment.site_url()?,
            stack: environment.stack()?,
        })
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let id = request_id(&request);
        let answer = tokio::time::timeout(LONGEST, self.checkout(&request)).await;
        match answer.unwrap_or_else(|_| Err(too_slow())) {
            Ok(response) => response,
            Err(problem) => {
                tracing::info!(request_id = id, %problem, "checkout refused");
                problem.into_response(&id)
            }
        }
    }

    async fn checkout(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let claims = claims(request)?;
        if body(request).len() > LARGEST_BODY {
            return Err(Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The request is too large",
                format!("body: at most {LARGEST_BODY} bytes"),
            ));
        }
        let cart =
            Cart::parse(body(request)).map_err(|error| Problem::bad_request(error.to_string()))?;
        let idempotent = idempotency_key(request)?
            .map(|key| IdempotentRequest::new(&claims.subject, key, cart.fingerprint()));
        let buyer = Buyer {
            subject: Some(claims.subject),
            email: Some(claims.email),
            language: language(request),
        };
        let stored = self.order(&cart, buyer, idempotent.as_ref()).await?;
        let purchase_id = stored.purchase.id;
        let url = self.session_url(stored).await?;
        tracing::info!(request_id = request_id(request), %purchase_id, "checkout opened");
        json(
            StatusCode::CREATED,
            &json!({ "purchase_id": purchase_id, "url": url }),
        )
    }

    /// The purchase this request asks for: a new one, or the one its key stands for.
    async fn order(
        &self,
        cart: &Cart,
        buyer: Buyer,
        idempotent: Option<&IdempotentRequest>,
    ) -> Result<Stored, Problem> {
        let earlier = async {
            match idempotent {
                Some(request) => self.orders.earlier(request).await,
                None => Ok(Earlier::Free(None)),
            }
        };
        let (earlier, products) = tokio::join!(earlier, self.products.get_all(cart.products()));
        let replaced = match earlier.map_err(open_problem)? {
            Earlier::Known(stored) => return Ok(*stored),
            Earlier::Free(replaced) => replaced,
        };
        let products = products.map_err(|error| Problem::store(&error))?;
        let order = freeze(cart, &products, buyer)?;
        let purchase = Purchase::new(order, shared::store::now());
        let request = idempotent.map(|request| (request, replaced));
        self.orders
            .open(purchase, request)
            .await
            .map_err(open_problem)
    }

    /// Where the purchase is paid: as stored, or as Stripe now says.
    async fn session_url(&self, mut stored: Stored) -> Result<String, Problem> {
        if needs_another_attempt(&stored.purchase.attempt) {
            stored = self
                .orders
                .next_attempt(stored)
                .await
                .map_err(|e| Problem::store(&e))?;
        }
        if let Some(url) = stored.purchase.attempt.url {
            return Ok(url);
        }
        if stored.purchase.abandoned {
            // Its time ended just now, and its stock went back. The key is free for another.
            return Err(too_slow());
        }
        let opened = checkout::open(
            &self.stripe,
            &stored.purchase,
            &self.site_url,
            self.stack.tag(),
        )
        .await;
        match opened {
            Ok(session) => {
                let stored = self.orders.attach(stored, &session.id, &session.url).await;
                let stored = stored.map_err(|error| Problem::store(&error))?;
                Ok(stored.purchase.attempt.url.unwrap_or(session.url))
            }
            Err(error) => Err(self.stripe_problem(stored, &error).await),
        }
    }

    /// What a failure at Stripe means to the purchase and to the caller.
    async fn stripe_problem(&self, stored: Stored, error: &StripeError) -> Problem {
        let purchase_id = stored.purchase.id;
        tracing::error!(%purchase_id, %error, "Stripe opened no session");
        let followed = match error {
            // It is our key that is refused, and only this time: an earlier call, whose answer got
            // lost, may have opened a session.
            StripeError::Refused { status, .. }
                if matches!(*status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) =>
            {
                Ok(())
            }
            StripeError::Refused { .. } => self.orders.abandon(stored).await.map(|_| ()),
            StripeError::Failed(_) => self.orders.next_attempt(stored).await.map(|_| ()),
            _ => Ok(()),
        };
        if let Err(error) = followed {
            return Problem::store(&error);
        }
        let upstream = |status, kind, detail: &str| {
            Problem::new(status, kind, "The payment page cannot be opened", detail)
        };
        match error {
            StripeError::Refused { code, .. } if code.starts_with("amount_too_") => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "total-not-chargeable",
                "The total cannot be charged",
                "items: the total is outside what the payment provider charges",
            ),
            StripeError::Refused { .. } | StripeError::Unreadable(_) => upstream(
                StatusCode::BAD_GATEWAY,
                "payment-provider-refused",
                "The payment provider refused. Nothing was charged; the shop has to look into it.",
            ),
            StripeError::Failed(_) => upstream(
                StatusCode::BAD_GATEWAY,
                "payment-provider-failed",
                "The payment provider failed. Nothing was charged; please try again.",
            ),
            StripeError::Busy(_) | StripeError::Unreachable => upstream(
                StatusCode::SERVICE_UNAVAILABLE,
                "payment-provider-busy",
                "The payment provider is busy or out of reach. Nothing was charged; please try again.",
            )
            .retry_after(2),
            StripeError::TimedOut | StripeError::Broken => upstream(
                StatusCode::GATEWAY_TIMEOUT,
                "payment-provider-timeout",
                "The payment provider did not answer in time. Nothing was charged; please try again.",
            )
            .retry_after(2),
        }
    }
}

fn idempotency_key(request: &Request) -> Result<Option<&str>, Problem> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) => Ok(Some(key)),
        _ => Err(Problem::bad_request(format!(
            "Idempotency-Key: 1 to {LONGEST_KEY} visible ASCII characters"
        ))),
    }
}

/// The order of a cart at today's prices.
fn freeze(cart: &Cart, products: &[Product], buyer: Buyer) -> Result<Order, Problem> {
    let mut items = Vec::new();
    for (id, quantity) in cart.items() {
        let product = products
            .iter()
            .find(|product| product.id == *id)
            .ok_or_else(|| {
                Problem::new(
                    StatusCode::NOT_FOUND,
                    "unknown-product",
                    "There is no such product",
                    format!("product_id: there is no product {id}"),
                )
            })?;
        items.push((product, quantity));
    }
    let order = Order::new(buyer, items).map_err(order_problem)?;
    let length = serde_json::to_vec(&order.lines).map_or(usize::MAX, |lines| lines.len());
    if length > LARGEST_ORDER {
        return Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "cart-too-large",
            "The cart is too large",
            "items: their descriptions are too long together; buy them in two purchases",
        ));
    }
    Ok(order)
}

fn order_problem(error: OrderError) -> Problem {
    {
        let detail = format!("items: {error}");
        match error {
            OrderError::Inactive(_) => Problem::new(
                StatusCode::CONFLICT,
                "product-inactive",
                "A product is not for sale",
                detail,
            ),
            OrderError::MixedCurrencies { .. } => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "mixed-currencies",
                "The products have different currencies",
                detail,
            ),
            OrderError::Total(
                MoneyError::TooSmall(_) | MoneyError::TooLarge(_) | MoneyError::Overflow,
            )
            | OrderError::Empty => Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "total-not-chargeable",
                "The total cannot be charged",
                detail,
            ),
            // A price that should never have come in.
            OrderError::Total(error) => {
                tracing::error!(%error, "a stored product has a price that cannot be charged");
                Problem::internal()
            }
        }
    }
}

fn too_slow() -> Problem {
    Problem::new(
        StatusCode::GATEWAY_TIMEOUT,
        "timeout",
        "It took too long",
        "Nothing was charged; please try again.",
    )
    .retry_after(2)
}

fn open_problem(error: OpenError) -> Problem {
    match error {
        OpenError::KeyReused => Problem::new(
            StatusCode::CONFLICT,
            "idempotency-key-reused",
            "The idempotency key was used before",
            "Idempotency-Key: it was used for another cart; use a new key for a new cart",
        ),
        OpenError::SoldOut(product) => Problem::new(
            StatusCode::CONFLICT,
            "sold-out",
            "A product is sold out",
            format!("items: there is not enough left of {product}"),
        ),
        OpenError::Store(error) => Problem::store(&error),
    }
}
