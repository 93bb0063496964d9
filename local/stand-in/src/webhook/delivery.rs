//! The sending of webhooks: each event is posted, signed, to every endpoint that subscribes to it,
//! until that takes it with a 2xx.

use std::collections::{BTreeMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use crate::account::object::Account;
use crate::engine::resource::Cause;
use crate::engine::time::{HOUR, real};
use crate::engine::transaction::Transaction;
use crate::webhook::alarm::Alarm;
use crate::webhook::endpoint::WebhookEndpoint;
use crate::webhook::event::Event;
use crate::webhook::history::Attempt;
use crate::webhook::queue::{self, Route};
use crate::webhook::signature::SigningSecret;

/// Tries under way at a time. A webhook that hangs then delays few others.
const AT_ONCE: usize = 8;

/// As much of an answer as is worth keeping.
const ANSWER_LIMIT: usize = 64 << 10;

const USER_AGENT: &str = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";

/// Delivers what is due until `shutdown` is ready.
pub(crate) async fn run(account: &Account, shutdown: impl Future<Output = ()>) {
    let mut shutdown = pin!(shutdown);
    let mut sending = FuturesUnordered::new();
    let mut under_way = HashSet::new();
    loop {
        let read = {
            let mut reading = pin!(agenda(account));
            loop {
                // Tries go on meanwhile: one of them may have the turn that this waits for.
                tokio::select! {
                    read = &mut reading => break read,
                    Some(route) = sending.next() => { under_way.remove(&route); }
                }
            }
        };
        let agenda = match read {
            Ok(agenda) => agenda,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "cannot read what is to deliver"
                );
                Agenda {
                    due: Vec::new(),
                    pause: Duration::from_secs(1),
                }
            }
        };
        for route in agenda.due {
            if under_way.len() < AT_ONCE && under_way.insert(route.clone()) {
                sending.push(attempt(account, route));
            }
        }
        tokio::select! {
            () = &mut shutdown => return,
            Some(route) = sending.next() => { under_way.remove(&route); }
            () = account.0.changed.notified() => {}
            () = tokio::time::sleep(agenda.pause) => {}
        }
    }
}

/// What there is to do now, and how long until there may be more.
struct Agenda {
    due: Vec<Route>,
    pause: Duration,
}

async fn agenda(account: &Account) -> anyhow::Result<Agenda> {
    let inner = Arc::clone(&account.0);
    let read = move |transaction: &Transaction<'_>| read_agenda(transaction, &inner.alarm);
    account.transact(Cause::default(), read).await
}

fn read_agenda(transaction: &Transaction<'_>, alarm: &Alarm) -> anyhow::Result<Agenda> {
    // As many more as may be under way already.
    let due = queue::due(transaction, AT_ONCE.saturating_mul(2))?;
    let later = queue::next_due(transaction)?;
    let next = [later, transaction.next_expiry()?]
        .into_iter()
        .flatten()
        .min();
    alarm.set(transaction, next)?;
    let pause = next.map_or(HOUR, |next| {
        next.saturating_sub(transaction.now).clamp(1, HOUR)
    });
    Ok(Agenda {
        due,
        pause: Duration::from_secs(pause.unsigned_abs()),
    })
}

/// Tries once and notes what came of it. Returns the route.
async fn attempt(account: &Account, route: Route) -> Route {
    if let Err(error) = try_once(account, &route).await {
        tracing::error!(
            event = &*route.event,
            endpoint = &*route.endpoint,
            error = format!("{error:#}"),
            "cannot deliver an event"
        );
        // It is still due. Not again at once, though.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    route
}

/// What is sent, and where to.
struct Parcel {
    body: String,
    event_type: String,
    url: String,
    secret: SigningSecret,
}

async fn try_once(account: &Account, route: &Route) -> anyhow::Result<()> {
    let to_pack = route.clone();
    let own_webhook = account.0.beginning.webhook.as_ref();
    let own_secret = own_webhook.map(|it| it.secret.clone());
    let packed = account
        .transact(Cause::default(), move |transaction| {
            pack(transaction, &to_pack, own_secret)
        })
        .await?;
    // Its endpoint may have been deleted just now, or everything reset.
    let Some(parcel) = packed else { return Ok(()) };
    let headers = headers(&parcel.secret, &parcel.body);

    let begun = Instant::now();
    let answer = if account.0.faults.endpoint_down(&parcel.event_type) {
        Err(
            "A fault that was planned at /_stripe/faults keeps the endpoint out of reach."
                .to_owned(),
        )
    } else {
        let mut request = account.0.webhook_client.post(&parcel.url);
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        read_answer(request.body(parcel.body).send().await).await
    };
    let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);

    let route = route.clone();
    let (answer, error) = match answer {
        Ok(answer) => (Some(answer), None),
        Err(error) => (None, Some(error)),
    };
    account
        .transact(Cause::default(), move |transaction| {
            let attempt = Attempt {
                at: transaction.now,
                url: parcel.url,
                request_headers: headers,
                status: answer.as_ref().map(|it| it.status),
                answer_headers: answer
                    .as_ref()
                    .map_or_else(Vec::new, |it| it.headers.clone()),
                answer: answer.map(|it| it.body),
                error,
                milliseconds,
            };
            queue::note(transaction, &route, &attempt)
        })
        .await
}

/// What an event is posted with.
pub(crate) fn headers(secret: &SigningSecret, body: &str) -> BTreeMap<String, String> {
    [
        ("Accept", "*/*; q=0.5, application/xml"),
        ("Cache-Control", "no-cache"),
        ("Content-Type", "application/json; charset=utf-8"),
        // Real time: the receiver compares it with its own clock.
        ("Stripe-Signature", &secret.sign(body, real())),
        ("User-Agent", USER_AGENT),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

fn pack(
    transaction: &Transaction<'_>,
    route: &Route,
    own_secret: Option<SigningSecret>,
) -> anyhow::Result<Option<Parcel>> {
    let Some(endpoint) = transaction.get::<WebhookEndpoint>(&route.endpoint)? else {
        return Ok(None);
    };
    let Some(event) = transaction.get::<Event>(&route.event)? else {
        return Ok(None);
    };
    let body = queue::body(transaction, route)?;
    let secret = match &endpoint.secret {
        Some(secret) => SigningSecret::new(secret)?,
        None => own_secret.context("the endpoint has no signing secret")?,
    };
    Ok(body.map(|body| Parcel {
        body,
        event_type: event.event_type,
        url: endpoint.url,
        secret,
    }))
}

/// What a receiver has answered.
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

async fn read_answer(sent: reqwest::Result<reqwest::Response>) -> Result<Answer, String> {
    let describe = |error: reqwest::Error| format!("{:#}", anyhow::Error::new(error));
    let mut response = sent.map_err(describe)?;
    let mut body = Vec::new();
    while body.len() < ANSWER_LIMIT
        && let Some(chunk) = response.chunk().await.map_err(describe)?
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(ANSWER_LIMIT);
    let headers = response.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    Ok(Answer {
        status: response.status().as_u16(),
        headers: headers.collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::database::Database;
    use crate::engine::faults::Faults;
    use crate::engine::ids::{EventId, WebhookEndpointId};
    use crate::engine::time::MachineTime;
    use crate::webhook::endpoint::{Webhook, register_own};

    #[test]
    fn an_event_that_a_reset_has_taken_away_is_nothing_to_deliver() {
        let webhook = Webhook {
            url: "http://shop.example/webhook".parse().unwrap(),
            secret: SigningSecret::new("whsec_local").unwrap(),
            enabled_events: vec!["*".to_owned()],
        };
        let site = "http://127.0.0.1:12111".parse().unwrap();
        let database = Database::open(None, &site, MachineTime::default()).unwrap();
        let packed = database.transact(&Faults::default(), |transaction| {
            register_own(transaction, &webhook)?;
            let route = Route {
                event: EventId::random(),
                endpoint: WebhookEndpointId::shops_own(),
            };
            pack(transaction, &route, Some(webhook.secret.clone()))
        });
        assert!(packed.unwrap().is_none());
    }
}
