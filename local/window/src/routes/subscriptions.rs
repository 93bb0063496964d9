//! Subscriptions with their stories. The JSON is that of `till subscriptions --json`, with every amount
//! also as text.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use serde_json::json;
use shared::purchase::SubscriptionId;
use shared::view::SellerSubscription;

use super::answer::{Trouble, fresh};
use super::window::Window;
use crate::overview::LISTED;
use crate::story::SubscriptionStory;

pub(super) fn routes(window: Window) -> Router {
    Router::new()
        .route("/subscriptions.json", get(list))
        .route("/subscriptions/{id}", get(story))
        .with_state(window)
}

/// The newest subscriptions, and how many there are.
async fn list(State(window): State<Window>) -> Result<Response, Trouble> {
    let overview = window.overview().await?;
    let newest = overview.subscriptions.iter().take(LISTED);
    fresh(&json!({
        "subscriptions": newest.map(SellerSubscription::of).collect::<Vec<_>>(),
        "found": overview.subscriptions.len(),
        "unreadable": overview.unreadable,
        "read": window.read(&overview),
    }))
}

async fn story(State(window): State<Window>, Path(id): Path<String>) -> Result<Response, Trouble> {
    let unknown = || Trouble::NoSuch("there is no subscription with this id".to_owned());
    let id = SubscriptionId::try_from(id).map_err(|_| unknown())?;
    // What was mailed and told is found by reading the whole outbox.
    let story = window.once(id.as_str(), async {
        let shop = &window.seen().await.shop;
        let outbox = (&shop.mails()?, &shop.events()?);
        let story = SubscriptionStory::read(&shop.all_subscriptions()?, outbox, &id).await?;
        Ok(story
            .ok_or_else(unknown)?
            .json(shop.now())
            .map_err(anyhow::Error::from)?)
    });
    fresh(&story.await?)
}
