//! Stripe events, posted to a public Lambda function URL.

use lambda_http::Error;
use shared::{clock::Clock, config::Environment, http, telemetry};
use webhook::Webhook;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = Webhook::new(&environment, Clock::default()).await;
    let function = function.inspect_err(|error| tracing::error!(%error, "cannot start"))?;
    http::serve(|request| function.handle(request)).await
}
