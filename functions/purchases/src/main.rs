//! GET /purchases, GET /purchases/{id}, POST /purchases/{id}/cancel and POST /portal: a
//! signed-in buyer's own.

use lambda_http::Error;
use purchases::PurchaseHistory;
use shared::{config::Environment, http, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = PurchaseHistory::new(&environment)
        .await
        .inspect_err(|error| {
            tracing::error!(%error, "cannot start");
        })?;
    http::serve(|request| function.handle(request)).await
}
