//! A Stripe for one machine: its API, its payment page, its events and signed webhooks, behind one
//! address.
//!
//! What Stripe's API takes and answers is data ([`description`], from the texts in `api/`). What
//! happens is code. A folder is a noun of Stripe's: [`checkout`], [`payment`], [`refund`],
//! [`dispute`], [`radar`], [`promotion`], [`invoice`], [`credit_note`], [`quote`], [`subscription`],
//! [`subscription_schedule`], [`portal`], [`test_clock`], [`mod@file`], [`payout`], [`cash_balance`],
//! [`account`], [`webhook`]. It has what the API shows (`object`), what can be asked of it (`api`), and
//! what happens to it (`life`). Objects that
//! only hold what they are given are [`plain`]; what every kind can be asked, a [`collection`] answers.
//! [`engine`] keeps it all and knows the time, [`wire`] has what requests and answers have in common.
//!
//! A [`StandIn`] has an [`Account`] for each secret key. One payment walks through these rooms:
//!
//! 1. The shop posts to `/v1/checkout/sessions`. [`serve`] finds the account of the key, and [`call`]
//!    replays what an idempotency key has already answered, holds the parameters against the
//!    description, and leads to [`checkout::api`], which stores a session.
//! 2. The buyer's browser opens `/pay/<session>` and submits a card ([`page`]).
//! 3. [`payment::life`] pays: the card decides ([`payment::verdict`]), or its bank wants to see the
//!    buyer first ([`challenge`]). The session follows its intent ([`checkout::life`]), the money is
//!    booked ([`account::book`]), and what happened is recorded ([`webhook::record`]), all in one
//!    transaction. Whoever pays over the API walks the same way.
//! 4. [`webhook::delivery`] signs and posts each event that the webhook subscribes to, until it is
//!    taken.
//! 5. Later the money may go back: a [`refund`] by the shop's wish, a [`dispute`] by the buyer's.
//!
//! [`cli`] has what the Stripe CLI asks for besides: listeners, and the sending of events again.
//!
//! If a stand-in has a database on disk, everything is there before anybody is answered, so the
//! process may be killed at any moment. Time is an account's own ([`engine::clock`]) and can be moved
//! forward; [`control`] is how, and [`due`] what follows. A customer may live in the time of a
//! [`test_clock`] instead. An account begins with what its [`seed`]
//! says. [`window`] shows all of it to a person: each call is in the log that [`wire::requests`]
//! keeps.
//!
//! Objects, errors and rules are those of Stripe's API reference at [`API_VERSION`].
#![warn(missing_docs)]

mod account;
mod billing;
mod browser;
mod call;
mod cash_balance;
mod challenge;
mod checkout;
mod cli;
mod collection;
mod control;
mod coverage;
mod credit_note;
mod description;
mod dispute;
mod door;
mod due;
mod engine;
mod file;
mod invoice;
mod page;
mod payment;
mod payout;
mod plain;
mod portal;
mod promotion;
mod quote;
mod radar;
mod receipt;
mod refund;
mod seed;
mod serve;
mod stand_in;
mod subscription;
mod subscription_schedule;
mod test_clock;
mod verification;
mod webhook;
mod window;
mod wire;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

pub use self::account::object::Account;
pub use self::control::{Clock, ControlError, NewDispute};
pub use self::coverage::coverage;
pub use self::dispute::object::DisputeKind;
pub use self::engine::resource::API_VERSION;
pub use self::engine::time::MachineTime;
pub use self::seed::{Seed, SeedError};
pub use self::stand_in::{Config, OtherKeys, StandIn};
pub use self::webhook::endpoint::Webhook;
pub use self::webhook::signature::{EmptySecret, SigningSecret};

impl StandIn {
    /// Everything the stand-in answers: `/v1`, `/pay`, `/_stripe`, and the CLI's websocket.
    pub fn router(&self) -> Router {
        Router::new()
            .merge(page::routes())
            .merge(window::routes())
            .merge(challenge::routes())
            .merge(receipt::routes())
            .merge(invoice::page::routes())
            .merge(portal::page::routes())
            .merge(verification::routes())
            .merge(file::download::pages())
            .nest("/_stripe", control::routes())
            .layer(axum::middleware::from_fn_with_state(
                self.clone(),
                door::only_from_here,
            ))
            .route("/", get(front_door))
            .merge(cli::socket::routes())
            .merge(file::download::routes())
            .fallback(serve::answer)
            .with_state(self.clone())
    }

    /// The control API alone, for whoever has a door of their own to put it behind: it lets
    /// everybody in.
    pub fn control(&self) -> Router {
        control::routes().with_state(self.clone())
    }
}

/// A person who opens the port in a browser comes to the window; a program is told that the API has
/// nothing there.
async fn front_door(State(stand_in): State<StandIn>, request: Request) -> Response {
    match window::is_for_a_browser(request.headers()) {
        true => window::enter(State(stand_in)).await.into_response(),
        false => serve::answer(State(stand_in), request).await,
    }
}
