//! The functions of the crates called `shared`, `checkout` and so on. `two-versions` compiles this file
//! again, with the crates of another version under these names.

use std::future::Future;
use std::sync::Arc;

use checkout::Checkout;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use mailer::Mailer;
use purchases::PurchaseHistory;
use reconcile::Reconcile;
use serde_json::{Value, json};
use shared::clock::Clock;
use shared::config::{ConfigError, Environment};
use shared::https::CallError;
use shared::network::Network;
use shared::purchase::PurchaseIds;
use webhook::Webhook;

use crate::{Code, Failure, Function, Surroundings};

/// An instance of a function behind an address.
macro_rules! answering {
    ($function:expr) => {
        taking($function.await, |code, event| async move {
            let request = shared::http::request(&event.to_string());
            let request = request.map_err(|_| format!("not an HTTP event: {event}"))?;
            let answer = code.handle(request).await;
            let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
            Ok(json!({ "status": answer.status().as_u16(), "body": body }))
        })
    };
}

/// An instance of a function that a stream or a schedule wakes.
macro_rules! woken {
    ($function:expr) => {
        taking($function.await, |code, event| async move {
            code.handle(event).await.map_err(|error| error.to_string())
        })
    };
}

/// Starts an instance of a function.
pub(crate) fn start(function: Function, around: Surroundings) -> BoxFuture<'static, Code> {
    async move {
        let environment = environment(around);
        match function {
            Function::Checkout => answering!(Checkout::new(&environment)),
            Function::Purchases => answering!(PurchaseHistory::new(&environment)),
            Function::Webhook => answering!(Webhook::new(&environment, environment.clock())),
            Function::Mailer => woken!(Mailer::new(&environment)),
            Function::Reconcile => woken!(Reconcile::new(&environment)),
        }
    }
    .boxed()
}

fn environment(around: Surroundings) -> Environment {
    let Surroundings {
        variables,
        moment,
        purchase_id,
        network,
    } = around;
    let network = Network::answered_by(move |request| {
        let answer = network(request);
        Box::pin(async move {
            answer.await.map_err(|failure| match failure {
                Failure::Unreachable => CallError::Unreachable("there is no way".to_owned()),
                Failure::Broken => CallError::Broken("the connection broke".to_owned()),
            })
        })
    });
    let id = move |at| purchase_id(at).parse().expect("a purchase's id");
    Environment::from(variables)
        .with_clock(Clock::new(move || moment()))
        .with_purchase_ids(PurchaseIds::new(id))
        .with_network(network)
}

/// An instance whose events `take` takes.
fn taking<T, F>(
    started: Result<T, ConfigError>,
    take: impl Fn(Arc<T>, Value) -> F + Send + Sync + 'static,
) -> Code
where
    T: Send + Sync + 'static,
    F: Future<Output = Result<Value, String>> + Send + 'static,
{
    let code = Arc::new(started.expect("an environment that a function starts with"));
    Arc::new(move |event| take(Arc::clone(&code), event).boxed())
}
