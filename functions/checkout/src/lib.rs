//! POST /checkout: opens a Stripe Checkout session for a signed-in buyer.
//!
//! There are three steps, and a repeated request carries on from any of them: the purchase is
//! stored with everything that Stripe will be told; Stripe opens a session; its URL is stored and
//! returned.

mod problems;

use std::time::Duration;

use http::{Response, StatusCode};
use lambda_http::{Body, Request};
use serde_json::{Value, json};
use shared::{
    attempts::Attempts,
    aws::{self, call::Service},
    cart::Cart,
    clock::{Clock, rfc3339},
    comparison::fetch_session,
    config::{ConfigError, EmailVerified, Environment, Stack},
    customers::Customers,
    http::{Problem, body, claims, json, language, request_id},
    orders::{Earlier, OpenError, Orders},
    product::{Product, ProductId, Recurring},
    purchase::{
        Attempt, Billing, Buyer, HoldLimits, Order, Purchase, PurchaseId, PurchaseIds,
        SessionState, Status, TooMuch,
    },
    shipping::Shipping,
    store::{
        Tables, history::History, purchases::Stored, requests::IdempotentRequest, unpaid::Unpaid,
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

/// How long a request may take: less than the function's time limit in `template.yaml`. A repeated
/// request carries on from whichever step this one had reached.
const LONGEST: Duration = Duration::from_secs(18);

/// How much of DynamoDB's 400 KiB per item an order's lines may take, because facts are added
/// later.
const LARGEST_ORDER: usize = 256 * 1024;

/// The function: opens purchases, and a Checkout session for each.
#[derive(Clone)]
pub struct Checkout {
    orders: Orders,
    history: History,
    attempts: Attempts,
    customers: Customers,
    unpaid: Unpaid,
    limits: HoldLimits,
    shipping: Shipping,
    billing: Billing,
    stripe: Stripe,
    email_verified: EmailVerified,
    site_url: String,
    stack: Stack,
    clock: Clock,
    ids: PurchaseIds,
}

impl Checkout {
    /// Reads tables, limits, settings and the site's address, and fails if one is missing or wrong. Stripe's key
    /// is read meanwhile.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        aws::prepare(environment, Service::DynamoDb)?;
        let stripe = Stripe::new(environment)?;
        stripe.prepare();
        let tables = Tables::of(environment)?;
        let stack = environment.stack()?;
        Ok(Self {
            orders: Orders::of(&tables)?,
            history: History::of(&tables)?,
            attempts: Attempts::of(&tables)?,
            customers: Customers::of(&tables, environment.mode()?, stack.clone())?,
            unpaid: Unpaid::of(&tables)?,
            limits: HoldLimits {
                purchases: environment.count("MAX_OPEN_PURCHASES")?,
                pieces: environment.count("MAX_RESERVED_PIECES")?,
            },
            shipping: environment.shipping()?,
            billing: environment.billing()?,
            stripe,
            email_verified: environment.email_verified()?,
            site_url: environment.site_url()?,
            stack,
            clock: environment.clock(),
            ids: environment.purchase_ids(),
        })
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let id = request_id(&request);
        let answer = tokio::time::timeout(LONGEST, self.checkout(&request)).await;
        match answer.unwrap_or_else(|_| Err(Problem::too_slow())) {
            Ok(response) => response,
            Err(problem) => {
                tracing::info!(request_id = id, %problem, "checkout refused");
                problem.into_response(&id)
            }
        }
    }

    async fn checkout(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let claims = claims(request, self.email_verified)?;
        let cart = Cart::parse(&body(request, LARGEST_BODY)?);
        let cart = cart.map_err(|error| problems::of_cart(&error))?;
        let idempotent = idempotency_key(request)?
            .map(|key| IdempotentRequest::new(&claims.subject, key, cart.fingerprint()));
        let buyer = Buyer {
            subject: Some(claims.subject),
            email: Some(claims.email),
            language: language(request),
        };
        let moment = self.clock.moment();
        let now = moment.unix_timestamp();
        let id = self.ids.next(moment);
        let stored = self.order(id, &cart, buyer, idempotent.as_ref(), now);
        let stored = stored.await?;
        let purchase_id = stored.purchase.id();
        let url = self.session_url(stored, now).await?;
        tracing::info!(request_id = request_id(request), %purchase_id, "checkout opened");
        json(
            StatusCode::CREATED,
            &json!({ "purchase_id": purchase_id, "url": url }),
        )
    }

    /// The purchase for this request: a new one with this `id`, or the one that its key stands for.
    async fn order(
        &self,
        id: PurchaseId,
        cart: &Cart,
        buyer: Buyer,
        idempotent: Option<&IdempotentRequest>,
        now: i64,
    ) -> Result<Stored, Problem> {
        let subject = buyer.subject.clone().unwrap_or_default();
        let begun = self
            .orders
            .begin(&subject, idempotent, cart.products(), now);
        let begun = match begun.await {
            Err(error) => return Err(self.open_problem(error, &subject, now).await),
            Ok(begun) => begun,
        };
        let replaced = match begun.earlier {
            Earlier::Free(replaced) => replaced,
            Earlier::Known(stored) => {
                let earlier = stored.purchase.id();
                match self.unless_over(*stored, now).await? {
                    Some(stored) => return Ok(stored),
                    None => Some(earlier.into()),
                }
            }
        };
        let products = self.without_second_trials(begun.products, &subject).await?;
        let order = freeze(cart, &products, buyer, &self.shipping)?;
        let order = self.with_customer(order.billed(self.billing)).await?;
        let purchase = Purchase::new(id, order, now);
        let request = idempotent.map(|request| (request, replaced));
        let opened = self
            .orders
            .open(purchase, request, begun.held, self.limits, now);
        match opened.await {
            Ok(stored) => Ok(stored),
            Err(error) => Err(self.open_problem(error, &subject, now).await),
        }
    }

    /// The products as this buyer gets them: a trial is for whoever has not had one of that product,
    /// or cancelling and subscribing again would make it free for good.
    async fn without_second_trials(
        &self,
        mut products: Vec<Product>,
        subject: &str,
    ) -> Result<Vec<Product>, Problem> {
        let has_trial = |terms: Recurring| terms.trial_days > 0;
        if !products
            .iter()
            .any(|it| it.recurring.is_some_and(has_trial))
        {
            return Ok(products);
        }
        let tried = self.history.tried(subject).await;
        let tried = tried.map_err(|error| Problem::store(&error))?;
        for product in &mut products {
            if let Some(terms) = &mut product.recurring
                && tried.contains(&product.id)
            {
                terms.trial_days = 0;
            }
        }
        Ok(products)
    }

    /// The order with its buyer's customer at Stripe, if some of it recurs. It is frozen with the
    /// rest, so that a repeated call has the same parameters.
    async fn with_customer(&self, mut order: Order) -> Result<Order, Problem> {
        let Buyer { subject, email, .. } = &order.buyer;
        let (Some(_), Some(subject), Some(email)) = (order.recurring(), subject, email) else {
            return Ok(order);
        };
        let customer = self.customers.ensure(&self.stripe, subject, email).await;
        let customer = customer.map_err(|error| {
            tracing::error!(%error, "a buyer has no customer at Stripe");
            Problem::from(error)
        })?;
        order.customer = Some(customer);
        Ok(order)
    }

    /// The purchase that a key stands for; `None` if its session ended and nobody had paid, so that
    /// the key is free for another. Stripe is asked, because the payment's event may be late.
    async fn unless_over(&self, mut stored: Stored, now: i64) -> Result<Option<Stored>, Problem> {
        let attempt = stored.purchase.attempt();
        if attempt.url.is_none() && attempt.is_over_at() <= now {
            // Nobody was told where to pay, and what it held for its buyer no longer counts.
            // Another attempt would hold it again, whatever the buyer holds by now, while a new
            // purchase has to be within the limits.
            let abandoned = self.attempts.abandon(stored, now).await;
            let stored = abandoned.map_err(|error| Problem::store(&error))?;
            return Ok(Some(stored).filter(|stored| !stored.purchase.is_over()));
        }
        let is_over = attempt.url.is_some() && attempt.expires_at <= now;
        if !is_over || stored.purchase.status() != Status::Open {
            return Ok(Some(stored));
        }
        let sessions: Vec<_> = stored.purchase.open_sessions().cloned().collect();
        for id in sessions {
            let session = fetch_session(&self.stripe, &id).await;
            match session.and_then(|session| Ok(session.state()?)) {
                Ok(SessionState::Expired) => {
                    let expired = self.attempts.expired(stored, &id, now).await;
                    stored = expired.map_err(|error| Problem::store(&error))?;
                }
                // It is paid or still can be, and a key stands for only one purchase.
                Ok(_) => return Ok(Some(stored)),
                Err(error) => {
                    let purchase_id = stored.purchase.id();
                    tracing::error!(
                        %purchase_id,
                        %error,
                        "Stripe could not be asked about a session whose time is over"
                    );
                    return Err(error.into());
                }
            }
        }
        Ok(Some(stored).filter(|stored| !stored.purchase.is_over()))
    }

    /// Where the purchase is paid: as stored, or as Stripe now says.
    async fn session_url(&self, mut stored: Stored, now: i64) -> Result<String, Problem> {
        if stored.purchase.attempt().leads_nowhere(now) {
            let next = self.attempts.next_attempt(stored, now).await;
            stored = next.map_err(|error| Problem::store(&error))?;
        }
        if let Some(url) = &stored.purchase.attempt().url {
            return Ok(url.clone());
        }
        if stored.purchase.is_abandoned() {
            // Its time has just ended, and its stock was returned. The key is free for another.
            return Err(Problem::too_slow());
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
                let (id, url) = (&session.id, &session.url);
                let stored = self.attempts.attach(stored, id, url, now).await;
                let stored = stored.map_err(|error| Problem::store(&error))?;
                let url = stored.purchase.attempt().url.clone();
                Ok(url.unwrap_or(session.url))
            }
            Err(error) => Err(self.stripe_problem(stored, &error, now).await),
        }
    }

    /// What a failure at Stripe means for the purchase and for the caller.
    async fn stripe_problem(&self, stored: Stored, error: &StripeError, now: i64) -> Problem {
        let purchase_id = stored.purchase.id();
        tracing::error!(%purchase_id, %error, "Stripe did not open a session");
        let followed = match error {
            error if error.is_final() => self.attempts.abandon(stored, now).await.map(|_| ()),
            StripeError::Failed(_) => self.attempts.next_attempt(stored, now).await.map(|_| ()),
            // This call, or an earlier one whose answer got lost, may have opened a session.
            _ => Ok(()),
        };
        if let Err(error) = followed {
            return Problem::store(&error);
        }
        match error {
            StripeError::Refused { code, .. } if code.starts_with("amount_too_") => {
                problems::total_not_chargeable(
                    "items: the total is more or less than the payment provider charges",
                )
            }
            error if error.is_about_other_currency() => problems::other_currency(),
            error => Problem::stripe(error),
        }
    }

    /// Why no purchase was opened. If the buyer's own open purchases are part of the reason, the
    /// answer lists them, so that they can be paid or cancelled.
    async fn open_problem(&self, error: OpenError, subject: &str, now: i64) -> Problem {
        let holds = |purchase: &Purchase, is_wanted: &dyn Fn(&ProductId) -> bool| {
            purchase.order().reserved().any(|(id, _)| is_wanted(id))
        };
        let problem = problems::of_open(&error);
        match &error {
            OpenError::SoldOut(product) => {
                let holds_it = |purchase: &Purchase| holds(purchase, &|id| id == product);
                self.naming_open(problem, subject, now, holds_it).await
            }
            OpenError::TooMuch(TooMuch::Reserved(_)) => {
                let holds_any = |purchase: &Purchase| holds(purchase, &|_| true);
                self.naming_open(problem, subject, now, holds_any).await
            }
            OpenError::TooMuch(TooMuch::Open(_)) => {
                self.naming_open(problem, subject, now, |_| true).await
            }
            OpenError::KeyReused | OpenError::Rush | OpenError::Store(_) => problem,
        }
    }

    /// Adds those of the buyer's open purchases that have to do with the problem.
    async fn naming_open(
        &self,
        problem: Problem,
        subject: &str,
        now: i64,
        has_to_do: impl Fn(&Purchase) -> bool,
    ) -> Problem {
        let open = self.unpaid.of_buyer(subject, now).await;
        // The problem is worth telling even without them.
        let open = open.unwrap_or_else(|error| {
            tracing::error!(%error, "a buyer's open purchases could not be read");
            Vec::new()
        });
        let concerned = open.iter().filter(|purchase| has_to_do(purchase));
        let open: Vec<Value> = concerned.map(|one| open_purchase(one, now)).collect();
        match open.is_empty() {
            true => problem,
            false => problem.with("open_purchases", open),
        }
    }
}

/// An open purchase as a problem lists it. It has no `url` if nobody can pay it, because the
/// outcome of its call to Stripe is not known yet, or its time is over.
fn open_purchase(purchase: &Purchase, now: i64) -> Value {
    let Attempt {
        url, expires_at, ..
    } = purchase.attempt();
    let (id, until) = (purchase.id(), rfc3339(*expires_at));
    match url.as_ref().filter(|_| *expires_at > now) {
        Some(url) => json!({ "purchase_id": id, "url": url, "expires_at": until }),
        None => json!({ "purchase_id": id, "expires_at": until }),
    }
}

fn idempotency_key(request: &Request) -> Result<Option<&str>, Problem> {
    let Some(key) = request.headers().get("idempotency-key") else {
        return Ok(None);
    };
    // Among what `to_str` takes for visible is a tab.
    match key.to_str() {
        Ok(key) if (1..=LONGEST_KEY).contains(&key.len()) && !key.contains('\t') => Ok(Some(key)),
        _ => Err(Problem::bad_request(format!(
            "Idempotency-Key: 1 to {LONGEST_KEY} visible ASCII characters"
        ))),
    }
}

/// The order for a cart, at current prices.
fn freeze(
    cart: &Cart,
    products: &[Product],
    buyer: Buyer,
    shipping: &Shipping,
) -> Result<Order, Problem> {
    let mut items = Vec::new();
    for (id, quantity) in cart.items() {
        let product = products.iter().find(|product| product.id == *id);
        let product = product.ok_or_else(|| problems::unknown_product(id))?;
        items.push((product, quantity));
    }
    let order = Order::new(buyer, items);
    let order = order.and_then(|order| order.delivered(shipping, cart.country()));
    let order = order.map_err(problems::of_order)?;
    let length = serde_json::to_vec(&order.lines).map_or(usize::MAX, |lines| lines.len());
    match length > LARGEST_ORDER {
        true => Err(problems::cart_too_large(
            "items: together, the products' descriptions are too long for one purchase; split the \
             cart in two",
        )),
        false => Ok(order),
    }
}
