//! The functions as Lambda runs them: instances that take one invocation at a time, are started when
//! none is free, and may be killed at any moment.

use std::collections::BTreeMap;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use checkout::Checkout;
use mailer::Mailer;
use purchases::PurchaseHistory;
use reconcile::Reconcile;
use serde_json::Value;
use shared::config::Environment;
use shared::network::Network;
use tokio::sync::Notify;
use webhook::Webhook;

use crate::network;
use crate::weather::Trouble;
use crate::world::World;

/// Lambda stops whatever takes longer; each function stops itself before.
const LONGEST: Duration = Duration::from_secs(300);

/// A function, by its logical id in the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    Checkout,
    Purchases,
    Webhook,
    Mailer,
    Reconcile,
}

/// A started function.
pub(crate) enum Code {
    Checkout(Checkout),
    Purchases(PurchaseHistory),
    Webhook(Webhook),
    Mailer(Mailer),
    Reconcile(Reconcile),
}

/// Instances that have nothing to do.
#[derive(Default)]
pub(crate) struct Pools(Mutex<BTreeMap<Function, Vec<Instance>>>);

struct Instance {
    code: Code,
    process: Arc<Process>,
}

/// What an instance's calls share.
#[derive(Default)]
pub(crate) struct Process {
    /// How many more moments between calls it lives to see; nothing if it is not going to be killed.
    fuse: Mutex<Option<u32>>,
    killed: Notify,
    /// The mail that it has claimed last.
    pub(crate) claimed: Mutex<Option<String>>,
}

impl Process {
    /// A moment before or after a call. If it is the one at which the process is killed, nothing
    /// follows.
    pub(crate) async fn lives_on(&self) {
        let burns = {
            let mut fuse = self.fuse.lock().unwrap();
            match &mut *fuse {
                None => false,
                Some(0) => true,
                Some(left) => {
                    *left -= 1;
                    false
                }
            }
        };
        if burns {
            self.killed.notify_one();
            pending::<()>().await;
        }
    }
}

impl Function {
    fn id(self) -> &'static str {
        match self {
            Self::Checkout => "CheckoutFunction",
            Self::Purchases => "PurchasesFunction",
            Self::Webhook => "WebhookFunction",
            Self::Mailer => "MailerFunction",
            Self::Reconcile => "ReconcileFunction",
        }
    }

    async fn start(self, environment: &Environment) -> Code {
        match self {
            Self::Checkout => Checkout::new(environment).await.map(Code::Checkout),
            Self::Purchases => PurchaseHistory::new(environment).await.map(Code::Purchases),
            Self::Webhook => Webhook::new(environment, environment.clock())
                .await
                .map(Code::Webhook),
            Self::Mailer => Mailer::new(environment).await.map(Code::Mailer),
            Self::Reconcile => Reconcile::new(environment).await.map(Code::Reconcile),
        }
        .expect("an environment that a function starts with")
    }
}

impl Instance {
    async fn start(world: &Arc<World>, function: Function) -> Self {
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
        Self {
            code: function.start(&environment).await,
            process,
        }
    }
}

/// Invokes a function. `None` if it was killed, or stopped because it took too long.
pub(crate) async fn invoke<A>(
    world: &Arc<World>,
    function: Function,
    work: impl AsyncFnOnce(&Code) -> A,
) -> Option<A> {
    let free = {
        let mut pools = world.pools.0.lock().unwrap();
        pools.entry(function).or_default().pop()
    };
    let instance = match free {
        Some(instance) => instance,
        None => Instance::start(world, function).await,
    };
    let fuse = world
        .strikes(Trouble::Killed)
        .then(|| world.draw(|dice| dice.u32(..24)));
    *instance.process.fuse.lock().unwrap() = fuse;
    let answer = tokio::select! {
        biased;
        () = instance.process.killed.notified() => None,
        answer = tokio::time::timeout(LONGEST, work(&instance.code)) => answer.ok(),
    };
    match answer {
        Some(answer) => {
            *instance.process.fuse.lock().unwrap() = None;
            let mut pools = world.pools.0.lock().unwrap();
            pools.entry(function).or_default().push(instance);
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
