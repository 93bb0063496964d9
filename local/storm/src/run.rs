//! A history from its beginning until the dust has settled.

use std::sync::Arc;

use serde_json::json;
use tokio::runtime::Builder;

use crate::bug::Bug;
use crate::history::History;
use crate::invocation::event;
use crate::span::{HOUR, MINUTE};
use crate::version::Function;
use crate::version::Version;
use crate::world::{World, seconds};
use crate::{buyer, member, oracle, post, seller, wakers};

/// How a history ended.
pub struct Ending {
    /// What must not be; nothing if all is well.
    pub wrongs: Vec<String>,
    /// What happened, a line for each thing.
    pub story: Vec<String>,
    /// Mails that were sent twice because nobody could know that they had been sent.
    pub sent_twice: u32,
    /// Purchases that were opened.
    pub purchases: usize,
}

/// Plays a history, of a shop with this bug. If there is an earlier version of the code, that is at
/// work as the history says; without, it is simulated.
pub fn run(history: &History, bug: Option<Bug>, earlier: Option<Version>) -> Ending {
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(async {
        let world = World::of(history, bug, earlier).await;
        seller::stock_up(&world).await;
        world.break_loose();
        let around = [
            tokio::spawn(post::watch(Arc::clone(&world))),
            tokio::spawn(wakers::stream(Arc::clone(&world))),
            tokio::spawn(wakers::mailer(Arc::clone(&world))),
            tokio::spawn(wakers::reconcile(Arc::clone(&world))),
        ];
        for visit in &history.visits {
            world.begin(buyer::visit(Arc::clone(&world), visit.clone()));
        }
        for restock in &history.restocks {
            world.begin(seller::restock(Arc::clone(&world), restock.clone()));
        }
        for membership in &history.memberships {
            world.begin(member::join(Arc::clone(&world), membership.clone()));
        }
        world.come_to_rest().await;
        settle(&world).await;
        around.iter().for_each(tokio::task::JoinHandle::abort);
        let sent_twice = oracle::judge(&world).await;
        let wrongs = world.wrongs.lock().unwrap().clone();
        let purchases = world.opened.lock().unwrap().len();
        Ending {
            wrongs,
            story: world.story.lines(),
            sent_twice,
            purchases,
        }
    })
}

/// Good weather, until every session has ended, what is late has come, and reconcile has seen it all.
async fn settle(world: &Arc<World>) {
    world.calm_down();
    // A session lasts a day, a mail that failed waits for six hours at most, and the seller's for a day.
    for hours in [1, 1, 6, 6, 6, 8, 1, 1, 6, 6, 6, 8, 1, 1, 1, 12, 12] {
        seconds(hours * HOUR).await;
        if hours == 8 {
            end_what_is_open(world).await;
        }
        wakers::run_reconcile(world).await;
        seconds(5 * MINUTE).await;
        event(world, Function::Mailer, json!({})).await;
    }
    world.come_to_rest().await;
}

/// What would wait for somebody for ever: disputes, refunds and delayed payments end.
async fn end_what_is_open(world: &Arc<World>) {
    for dispute in world.stripe.all("/v1/disputes").await {
        let status = dispute["status"].as_str().unwrap_or_default();
        let ends = match status {
            "needs_response" | "under_review" => "lost",
            "warning_needs_response" | "warning_under_review" => "warning_closed",
            _ => continue,
        };
        let id = dispute["id"].as_str().unwrap_or_default();
        buyer::decide(world, id, ends).await;
    }
    for refund in world.stripe.all("/v1/refunds").await {
        if refund["status"] == "pending" {
            let path = format!(
                "/_stripe/refunds/{}/succeed",
                refund["id"].as_str().unwrap()
            );
            world.stripe.ask("POST", &path, &[]).await;
        }
    }
    world.happened.notify_one();
}
