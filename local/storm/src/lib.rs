//! The whole shop in simulated time, with everything going wrong around it that may go wrong.
//!
//! A seed stands for a [`History`]: who buys what and what becomes of it, and how bad the weather is.
//! It runs in a [`world`] of its own, on one thread, whose time passes as soon as nobody has anything
//! to do: weeks take a second. The functions are the deployed ones, in the pools of instances that
//! Lambda would have ([`invocation`]), and may be killed between any two calls. What they call is the
//! stand-in and the embedded DynamoDB engine, through a [`network`] that refuses, fails, and loses
//! answers after the work was done; [`tables`] are read stale, as indexes are at DynamoDB. Around them
//! are [`buyers`](mod@buyer), [`members`](mod@member), banks, Stripe's deliveries ([`post`]), the outbox's stream and the
//! schedules ([`wakers`]). In some histories, another version of the code is at work for a while
//! ([`rollout`]): a simulated one ([`mod@other`]), or a real one, in the package `two-versions`.
//!
//! When the dust has settled, the [`oracle`] compares what the shop believes with what Stripe says and
//! what was sent. The same seed gives the same history, so that whatever is found can be looked at
//! again; [`shrink`] finds a shorter one that ends as badly.
#![warn(missing_docs)]
// A simulation may panic as tests do: whatever it cannot go on with is a bug of its own.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod billing;
mod bug;
mod buyer;
mod code;
mod command;
mod digest;
mod events;
mod history;
mod instance;
mod invocation;
mod mails;
mod member;
mod membership;
mod network;
mod oracle;
mod other;
mod post;
mod process;
mod products;
mod rollout;
mod run;
mod seller;
mod shrink;
mod span;
mod story;
mod stripe;
mod tables;
mod version;
mod visit;
mod wakers;
mod weather;
mod world;

pub use self::bug::Bug;
pub use self::command::main;
pub use self::history::History;
pub use self::run::{Ending, run};
pub use self::version::{Answered, Code, Failure, Function, Surroundings, Version};
