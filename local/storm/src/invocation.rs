//! The functions as Lambda runs them: instances that take one invocation at a time, are started when
//! none is free, and may be killed at any moment.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use serde_json::Value;

use crate::code;
use crate::instance::Instance;
use crate::network;
use crate::process::Process;
use crate::version::{Function, Surroundings};
use crate::weather::Trouble;
use crate::world::World;

/// Lambda stops whatever takes longer; each function stops itself before.
const LONGEST: Duration = Duration::from_secs(300);

async fn start(world: &Arc<World>, function: Function, is_other: bool) -> Instance {
    let simulated = world.simulated.filter(|_| is_other);
    let process = Arc::new(Process::of(simulated));
    let network = {
        let (world, process) = (Arc::downgrade(world), Arc::clone(&process));
        Arc::new(move |request| {
            let (world, process) = (world.clone(), Arc::clone(&process));
            let answer = async move {
                match world.upgrade() {
                    Some(world) => network::answer(&world, &process, request).await,
                    None => pending().await,
                }
            };
            answer.boxed()
        })
    };
    let around = Surroundings {
        variables: world.variables(function.id()),
        moment: Arc::clone(&world.moment),
        purchase_id: Arc::clone(&world.purchase_id),
        network,
    };
    let version = match world.earlier.filter(|_| is_other) {
        Some(earlier) => earlier,
        None => code::start,
    };
    Instance {
        code: version(function, around).await,
        process,
    }
}

/// Invokes a function. `None` if it was killed, or stopped because it took too long.
async fn invoke(
    world: &Arc<World>,
    function: Function,
    event: Value,
) -> Option<Result<Value, String>> {
    let kind = (function, world.is_other_at_work());
    let instance = match world.pools.take(kind) {
        Some(instance) => instance,
        None => start(world, function, kind.1).await,
    };
    let fuse = world
        .strikes(Trouble::Killed)
        .then(|| world.draw(|dice| dice.u32(..24)));
    instance.process.burns_after(fuse);
    let answer = tokio::select! {
        biased;
        () = instance.process.is_killed() => None,
        answer = tokio::time::timeout(LONGEST, (instance.code)(event)) => answer.ok(),
    };
    match answer {
        Some(answer) => {
            instance.process.burns_after(None);
            world.pools.put_back(kind, instance);
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
    let answer = invoke(world, function, event.clone()).await?;
    let answer = answer.expect("an answer to every request");
    let status = answer["status"].as_u64().and_then(|it| it.try_into().ok());
    Some((status.expect("a status"), answer["body"].clone()))
}

/// Invokes a function that a stream or a schedule wakes. What it answers, or why it failed.
pub(crate) async fn event(
    world: &Arc<World>,
    function: Function,
    event: Value,
) -> Option<Result<Value, String>> {
    invoke(world, function, event).await
}
