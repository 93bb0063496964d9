//! GET /purchases, GET /purchases/{id} and POST /purchases/{id}/cancel: a signed-in buyer's own.

use std::convert::Infallible;

use lambda_http::{Error, Request, run, service_fn};
use purchases::PurchaseHistory;
use shared::{config::Environment, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = PurchaseHistory::new(&environment)
        .await
        .inspect_err(|error| {
            tracing::error!(%error, "cannot start");
        })?;
    run(service_fn(|request: Request| async {
        Ok::<_, Infallible>(function.handle(request).await)
    }))
    .await
}
