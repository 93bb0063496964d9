//! What the dashboard reads and does, as JSON over HTTP. All paths are relative to where it is served.

mod answer;
mod objects;
mod outbox;
mod parked;
mod payments;
mod products;
mod purchases;
mod search;
mod subscriptions;
mod unchanged;
mod window;

use axum::Router;

pub use self::answer::{Trouble, fresh};
pub use self::unchanged::only_what_changed;
pub use self::window::{Reads, Seen, Window};

/// All of it.
pub fn routes(window: &Window) -> Router {
    Router::new()
        .merge(purchases::routes(window.clone()))
        .merge(subscriptions::routes(window.clone()))
        .merge(search::routes(window.clone()))
        .merge(payments::routes(window.clone()))
        .merge(outbox::routes(window.clone()))
        .merge(parked::routes(window.clone()))
        .merge(products::routes(window.clone()))
        .merge(objects::routes(window.clone()))
}
