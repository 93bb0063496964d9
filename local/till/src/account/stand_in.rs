//! The Stripe stand-in of a shop on this machine, and its clock, which is the shop's, too.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, Request, header};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::web::Web;

/// The stand-in.
pub(crate) struct StandIn {
    web: Web,
    /// `http://127.0.0.1:3001`.
    url: String,
}

/// Its clock, and what happened while it was moved.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Clock {
    /// Unix seconds.
    pub(crate) now: i64,
    /// Of these, how many the machine's own clock has not seen.
    pub(crate) ahead: i64,
    /// Oldest first; nothing if it was only read.
    #[serde(default)]
    pub(crate) happened: Vec<Happened>,
}

/// An event, in short.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Happened {
    /// Unix seconds.
    pub(crate) at: i64,
    /// Such as `invoice.paid`.
    #[serde(rename = "type")]
    pub(crate) event_type: String,
    /// The id of what it is about.
    pub(crate) object: String,
}

/// Why a command was not obeyed.
#[derive(Deserialize)]
struct Refusal {
    error: Told,
}

#[derive(Deserialize)]
struct Told {
    message: String,
}

impl StandIn {
    pub(crate) fn at(url: &str) -> anyhow::Result<Self> {
        Ok(Self {
            web: Web::new(None)?,
            url: url.to_owned(),
        })
    }

    /// What time it is.
    pub(crate) async fn clock(&self) -> anyhow::Result<Clock> {
        self.ask(Method::GET, String::new()).await
    }

    /// Moves time forward by a span such as `1mo`.
    pub(crate) async fn advance(&self, span: &str) -> anyhow::Result<Clock> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("advance", span)
            .finish();
        self.ask(Method::POST, form).await
    }

    async fn ask(&self, method: Method, form: String) -> anyhow::Result<Clock> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/_stripe/clock", self.url))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Bytes::from(form))?;
        let answer = self.web.send(request).await;
        let answer = answer.with_context(|| {
            let url = &self.url;
            format!("no Stripe stand-in answers at {url}: pass its --stripe-port if it has another")
        })?;
        let body = answer.body();
        if answer.status().is_success() {
            return serde_json::from_slice(body).context("the stand-in's answer is not a clock");
        }
        match serde_json::from_slice::<Refusal>(body) {
            Ok(Refusal { error }) => bail!(error.message),
            Err(_) => bail!("the stand-in answered {}", answer.status()),
        }
    }
}
