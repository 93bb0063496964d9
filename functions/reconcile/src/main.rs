//! Fetches from Stripe what webhooks missed.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use reconcile::Scheduled;
use serde_json::Value;
use shared::{config::Environment, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = Scheduled::new(environment);
    run(service_fn(|event: LambdaEvent<Value>| async {
        // Boxed, because the compiler limits how deeply futures are nested.
        let findings = Box::pin(function.handle(event.payload)).await;
        findings.map_err(Error::from)
    }))
    .await
}
