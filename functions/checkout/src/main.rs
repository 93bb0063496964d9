//! POST /checkout: opens a Stripe Checkout session for a signed-in buyer.

use std::convert::Infallible;

use checkout::Checkout;
use lambda_http::{Error, Request, run, service_fn};
use shared::{config::Environment, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = Checkout::new(&environment).await.inspect_err(|error| {
        tracing::error!(%error, "cannot start");
    })?;
    run(service_fn(|request: Request| async {
        Ok::<_, Infallible>(function.handle(request).await)
    }))
    .await
}
