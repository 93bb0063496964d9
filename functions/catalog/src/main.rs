//! GET /products and /products/{id}: what is sold.

use catalog::Catalog;
use lambda_http::Error;
use shared::{config::Environment, http, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = Catalog::new(&environment).await.inspect_err(|error| {
        tracing::error!(%error, "cannot start");
    })?;
    http::serve(|request| function.handle(request)).await
}
