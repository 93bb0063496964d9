//! The functions as Lambda runs them: instances that take one invocation at a time, are started when
//! none is free, and may be killed at any moment.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared::network::Network;

use crate::instance::{Code, Function, Instance};
use crate::network;
use crate::process::Process;
use crate::weather::Trouble;
use crate::world::World;

/// Lambda stops whatever takes longer; each function stops itself before.
const LONGEST: Duration = Duration::from_secs(300);

async fn start(world: &Arc<World>, function: Function) -> Instance {
    let process = Arc::<Process>::default();
    let network = {
        let (world, process) = (Arc::downgrade(world), Arc::clone(&process));
        Network::answered_by(move |request| {
            let (world, process) = (world.clone(), Arc::clone(&process));
            Box::pin(async move {
                match world.upgrade() {
                    Some(world) => network::answer(&world, &process, request).await,
                    None => pending().await,
                }
            })
        })
    };
    let environment = world.environment(function.id()).with_network(network);
    Instance {
        code: function.start(&environment).await,
        process,
    }
}

/// Invokes a function. `None` if it was killed, or stopped because it took too long.
pub(crate) async fn invoke<A>(
    world: &Arc<World>,
    function: Function,
    work: impl AsyncFnOnce(&Code) -> A,
) -> Option<A> {
    let instance = match world.pools.take(function) {
        Some(instance) => instance,
        None => start(world, function).await,
    };
    let fuse = world
        .strikes(Trouble::Killed)
        .then(|| world.draw(|dice| dice.u32(..24)));
    instance.process.burns_after(fuse);
    let answer = tokio::select! {
        biased;
        () = instance.process.is_killed() => None,
        answer = tokio::time::timeout(LONGEST, work(&instance.code)) => answer.ok(),
    };
    match answer {
        Some(answer) => {
            instance.process.burns_after(None);
            world.pools.put_back(function, instance);
            Some(answer)
        }
        None => {
            world.tell(format!("{function:?} was killed"));
            None
        }
    }
}

/// Invokes a function behind an address with an HTTP event. The answer's status and JSON.
pub(crate) async fn request(
    world: &Arc<World>,
    function: Function,
    event: &Value,
) -> Option<(u16, Value)> {
    let request = shared::http::request(&event.to_string());
    let request = request.unwrap_or_else(|_| panic!("an HTTP event: {event}"));
    let answer = invoke(world, function, async |code| match code {
        Code::Checkout(code) => code.handle(request).await,
        Code::Purchases(code) => code.handle(request).await,
        Code::Webhook(code) => code.handle(request).await,
        Code::Mailer(_) | Code::Reconcile(_) => unreachable!("no request leads to {function:?}"),
    });
    let answer = answer.await?;
    let status = answer.status().as_u16();
    let json = serde_json::from_slice(answer.body()).unwrap_or_default();
    Some((status, json))
}

/// Invokes a function that a stream or a schedule wakes. What it answers, or why it failed.
pub(crate) async fn event(
    world: &Arc<World>,
    function: Function,
    event: Value,
) -> Option<Result<Value, String>> {
    invoke(world, function, async |code| match code {
        Code::Mailer(code) => code.handle(event).await.map_err(|error| error.to_string()),
        Code::Reconcile(code) => code.handle(event).await.map_err(|error| error.to_string()),
        Code::Checkout(_) | Code::Purchases(_) | Code::Webhook(_) => {
            unreachable!("no event leads to {function:?}")
        }
    })
    .await
}
