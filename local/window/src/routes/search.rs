//! Finding a purchase or a subscription by whatever somebody has of it.

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::get;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shared::purchase::{InvoiceId, Subject, SubscriptionId};
use shared::view::{SellerSubscription, SellerView};

use super::answer::{Trouble, fresh};
use super::window::Window;
use crate::name::Name;
use crate::overview::{LISTED, has, is_about};
use crate::shop::{NotFound, Shop};

pub(super) fn routes(window: Window) -> Router {
    Router::new()
        .route("/search.json", get(search))
        .with_state(window)
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    q: String,
}

/// Something that was found.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Hit {
    Purchase {
        id: String,
        purchase: Value,
    },
    Subscription {
        id: String,
        subscription: Value,
        /// Which of its invoices it was.
        #[serde(skip_serializing_if = "Option::is_none")]
        invoice: Option<InvoiceId>,
    },
}

async fn search(
    State(window): State<Window>,
    Query(Wanted { q }): Query<Wanted>,
) -> Result<Response, Trouble> {
    // A number is often written like this.
    let wanted = q.trim().trim_start_matches('#');
    if wanted.is_empty() {
        return fresh(&json!({ "found": [] }));
    }
    let shop = &window.seen().await.shop;
    match by_id(shop, wanted).await {
        Ok(Some(subject)) => match hit(shop, &subject).await? {
            Some(hit) => fresh(&json!({ "found": [hit] })),
            None => fresh(&json!({ "found": [], "says": lost(&subject, shop) })),
        },
        Ok(None) => among_all(&window, wanted).await,
        Err(error) => match error.downcast_ref::<NotFound>() {
            Some(NotFound(says)) => fresh(&json!({ "found": [], "says": says })),
            None => Err(error.into()),
        },
    }
}

/// What an id is, or belongs to; `None` if the text is not one.
async fn by_id(shop: &Shop, wanted: &str) -> anyhow::Result<Option<Subject>> {
    if wanted.starts_with("evt_") {
        return Ok(Some(of_event(shop, wanted).await?));
    }
    if let Some(subject) = subscription(wanted) {
        return Ok(Some(subject));
    }
    match wanted.parse::<Name>() {
        Ok(name) => Ok(Some(name.find(shop).await?)),
        Err(_) => Ok(None),
    }
}

fn subscription(id: &str) -> Option<Subject> {
    let id = SubscriptionId::try_from(id.to_owned()).ok()?;
    Some(Subject::Subscription(id))
}

/// What an event of Stripe's is about.
async fn of_event(shop: &Shop, id: &str) -> anyhow::Result<Subject> {
    let is_id = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let event: Option<Value> = match is_id {
        true => {
            let stripe = shop.stripe().await?;
            stripe.get(&format!("/events/{id}"), &[]).await?
        }
        false => None,
    };
    let event = event.ok_or_else(|| {
        NotFound(format!(
            "Stripe, which keeps events for 30 days, has no event {id}"
        ))
    })?;
    let object = event.pointer("/data/object/id").and_then(Value::as_str);
    let object = object.unwrap_or_default();
    if let Some(subject) = subscription(object) {
        return Ok(subject);
    }
    match object.parse::<Name>() {
        Ok(name) => name.find(shop).await,
        Err(_) => {
            let why = format!("{id} is about {object}, of which the shop keeps nothing");
            Err(NotFound(why).into())
        }
    }
}

/// Stripe knows it, and the shop does not.
fn lost(subject: &Subject, shop: &Shop) -> String {
    format!(
        "That belongs to {subject}, which is not recorded in {}: `till reconcile --since 30d` records what \
         Stripe still knows of it",
        shop.name()
    )
}

/// What there is of it; `None` if it is not recorded.
async fn hit(shop: &Shop, subject: &Subject) -> Result<Option<Hit>, Trouble> {
    let as_json = |value: Result<Value, serde_json::Error>| value.map_err(anyhow::Error::from);
    let (id, invoice) = match subject {
        Subject::Purchase(id) => {
            let Some(stored) = shop.purchases()?.get(*id).await? else {
                return Ok(None);
            };
            let purchase = shop.invoices()?.complete(stored.purchase).await?;
            return Ok(Some(Hit::Purchase {
                id: id.to_string(),
                purchase: as_json(serde_json::to_value(SellerView::of(&purchase)))?,
            }));
        }
        Subject::Subscription(id) => (id, None),
        Subject::Invoice(id, invoice) => (id, Some(invoice.clone())),
    };
    let found = shop.subscriptions()?.with_invoices(id).await?;
    let Some(found) = found else {
        return Ok(None);
    };
    let subscription = SellerSubscription::of(&found.subscription);
    Ok(Some(Hit::Subscription {
        id: id.to_string(),
        subscription: as_json(serde_json::to_value(subscription))?,
        invoice,
    }))
}

/// By what stands in purchases and subscriptions: numbers, addresses, names.
async fn among_all(window: &Window, wanted: &str) -> Result<Response, Trouble> {
    let overview = window.overview().await?;
    let purchases = overview.purchases.iter().filter(|it| has(it, wanted));
    let purchases: Vec<_> = purchases.collect();
    let numbered = overview.numbers.iter();
    let numbered: BTreeMap<_, _> = numbered
        .filter(|(number, ..)| number.eq_ignore_ascii_case(wanted))
        .map(|(_, subscription, invoice)| (subscription, invoice))
        .collect();
    let subscriptions = overview.subscriptions.iter();
    let subscriptions =
        subscriptions.filter(|it| is_about(it, wanted) || numbered.contains_key(it.id()));
    let subscriptions: Vec<_> = subscriptions.collect();
    let all = purchases.len().saturating_add(subscriptions.len());
    let purchases = purchases.into_iter().map(|it| {
        let id = it.id().to_string();
        let purchase = serde_json::to_value(SellerView::of(it))?;
        Ok(Hit::Purchase { id, purchase })
    });
    let subscriptions = subscriptions.into_iter().map(|it| {
        Ok(Hit::Subscription {
            id: it.id().to_string(),
            subscription: serde_json::to_value(SellerSubscription::of(it))?,
            invoice: numbered.get(it.id()).copied().cloned(),
        })
    });
    let found = purchases.chain(subscriptions).take(LISTED);
    let found = found.collect::<anyhow::Result<Vec<_>>>()?;
    fresh(&json!({
        "found": found,
        "of": all,
        "read": window.read(&overview),
    }))
}
