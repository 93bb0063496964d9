//! Stripe events, posted to a public Lambda function URL.

use lambda_http::Error;
use shared::{config::Environment, http, telemetry};
use webhook::Webhook;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = Webhook::new(&environment).await.inspect_err(|error| {
        tracing::error!(%error, "cannot start");
    })?;
    http::serve(|request| function.handle(request)).await
}
