//! Stripe events, posted to a public Lambda function URL.

use std::convert::Infallible;

use lambda_http::{Error, Request, run, service_fn};
use shared::{config::Environment, telemetry};
use webhook::Webhook;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = Webhook::new(&environment).await.inspect_err(|error| {
        tracing::error!(%error, "cannot start");
    })?;
    run(service_fn(|request: Request| async {
        Ok::<_, Infallible>(function.handle(request).await)
    }))
    .await
}
