//! POST /checkout: opens a Stripe Checkout session for a signed-in buyer.

use checkout::Checkout;
use lambda_http::Error;
use shared::{config::Environment, http, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = Checkout::new(&environment).await.inspect_err(|error| {
        tracing::error!(%error, "cannot start");
    })?;
    http::serve(|request| function.handle(request)).await
}
