//! Who fills in the payment page. Nothing in Stripe's API does that for a session of Checkout, so on
//! Stripe's own page it takes a person, who is told what to type; the stand-in's page is submitted.

use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use serde_json::Value;
use shared::money::Money;
use shared::shipping::Country;
use url::form_urlencoded;

use crate::account::stand_in::StandIn;
use crate::account::web::Web;
use crate::commands::console::note;
use crate::commands::shop::Shop;

/// How long a person has for one page.
const FOR_A_PERSON: Duration = Duration::from_mins(10);

/// With what is paid.
#[derive(Clone, Copy)]
pub(super) enum Means {
    /// One of Stripe's [test cards](https://docs.stripe.com/testing), and what is to be done about it
    /// beside typing it.
    Card(&'static str, &'static str),
    /// A bank account, whose money takes its time, and how Stripe's page is told of one.
    BankDebit(&'static str),
}

/// Is charged.
pub(super) const PAYS: Means = Means::Card("4242 4242 4242 4242", "");
/// Is refused by its issuer.
pub(super) const DECLINED: Means = Means::Card(
    "4000 0000 0000 0002",
    ". It is declined; leave the page as it is then",
);
/// Is charged once its holder has shown who they are.
pub(super) const CHALLENGED: Means = Means::Card(
    "4000 0027 6000 3184",
    ", and complete the authentication that it asks for",
);
/// Is charged, and contested at once.
pub(super) const DISPUTED: Means = Means::Card("4000 0000 0000 0259", "");

/// A payment page.
pub(super) struct Page<'p> {
    pub(super) url: &'p str,
    /// The buyer's.
    pub(super) email: &'p str,
    pub(super) total: Money,
    /// Where it asks for an address, if it does.
    pub(super) destination: Option<Country>,
}

/// Somebody at the page.
pub(super) enum Payer {
    /// The page is the stand-in's, at this address.
    Form {
        web: Web,
        stand_in: String,
    },
    Person,
}

impl Payer {
    /// Asks whether it is the stand-in that takes the shop's money.
    pub(super) async fn of(shop: &Shop, web: &Web) -> anyhow::Result<Self> {
        let Some(url) = shop.environment.optional("STRIPE_API_BASE") else {
            return Ok(Self::Person);
        };
        // Something between us and Stripe has no clock.
        Ok(match StandIn::at(url)?.clock().await {
            Ok(_) => Self::Form {
                web: web.clone(),
                stand_in: url.trim_end_matches('/').to_owned(),
            },
            Err(_) => Self::Person,
        })
    }

    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Form { .. } => "the payment pages are the stand-in's, and are submitted",
            Self::Person => "the payment pages are Stripe's, and wait for you",
        }
    }

    /// Whether it is a person.
    pub(super) fn waits(&self) -> bool {
        matches!(self, Self::Person)
    }

    /// How much longer than an event something takes that begins with a payment.
    pub(super) fn time(&self) -> Duration {
        match self {
            Self::Form { .. } => Duration::ZERO,
            Self::Person => FOR_A_PERSON,
        }
    }

    /// Has the page paid, or asks for it: whether it was, events will tell.
    pub(super) async fn pay(&self, page: &Page<'_>, means: Means) -> anyhow::Result<()> {
        match self {
            Self::Form { web, .. } => submit(web, page, means).await,
            Self::Person => {
                let how = match means {
                    Means::Card(number, further) => {
                        format!("the card {number}, any future date and any CVC{further}")
                    }
                    Means::BankDebit(how) => how.to_owned(),
                };
                let minutes = FOR_A_PERSON.as_secs().div_euclid(60);
                let Page { total, url, .. } = page;
                let shipping = page.destination.map_or_else(String::new, |country| {
                    format!(", and shipping to {country},")
                });
                note(&format!(
                    "Pay {total}{shipping} within {minutes} minutes with {how}:\n  {url}"
                ));
                Ok(())
            }
        }
    }

    /// The holder of a card shows who they are. A person has done so on the page.
    pub(super) async fn authenticate(&self, intent: &str) -> anyhow::Result<()> {
        let path = format!("payment_intents/{intent}/authenticate");
        self.control(&path, &[("outcome", "succeed")]).await
    }

    /// The money of a delayed payment arrives. At Stripe it does so by itself.
    pub(super) async fn settle(&self, session: &str) -> anyhow::Result<()> {
        self.control(&format!("sessions/{session}/succeed"), &[])
            .await
    }

    async fn control(&self, path: &str, form: &[(&str, &str)]) -> anyhow::Result<()> {
        let Self::Form { web, stand_in } = self else {
            return Ok(());
        };
        let url = format!("{stand_in}/_stripe/{path}");
        let (status, body) = post(web, &url, form).await?;
        if status.is_success() {
            return Ok(());
        }
        let refusal: Value = serde_json::from_slice(&body).unwrap_or_default();
        let why = refusal.pointer("/error/message").and_then(Value::as_str);
        bail!("the stand-in answers {status}: {}", why.unwrap_or_default());
    }
}

/// Sends the stand-in's form.
async fn submit(web: &Web, page: &Page<'_>, means: Means) -> anyhow::Result<()> {
    let url = page.url;
    let mut form = vec![("email", page.email)];
    if let Some(country) = &page.destination {
        form.extend([
            ("phone", "+49301234567"),
            ("shipping_name", "Rehearsal"),
            ("shipping_line1", "Weg 1"),
            ("shipping_city", "Berlin"),
            ("shipping_postal_code", "10115"),
            ("shipping_country", country.as_str()),
        ]);
    }
    match means {
        Means::Card(number, _) => form.extend([
            ("method", "card"),
            ("card_number", number),
            ("exp", "12 / 40"),
            ("cvc", "123"),
        ]),
        Means::BankDebit(_) => form.push(("method", "bank_debit")),
    }
    let (status, _) = post(web, url, &form).await?;
    // Leads on, or says that the card was declined.
    if status.is_redirection() || status == StatusCode::PAYMENT_REQUIRED {
        return Ok(());
    }
    bail!("the payment page at {url} answers {status}")
}

async fn post(web: &Web, url: &str, form: &[(&str, &str)]) -> anyhow::Result<(StatusCode, Bytes)> {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form)
        .finish();
    let request = Request::post(url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form))
        .with_context(|| format!("{url} is not an address"))?;
    let answer = web.send(request).await;
    let answer = answer.with_context(|| format!("{url} cannot be reached"))?;
    Ok((answer.status(), answer.into_body()))
}
