//! Sends outbox rows as mails.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use mailer::Mailer;
use serde_json::Value;
use shared::{config::Environment, telemetry};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let environment = Environment::of_process();
    telemetry::start(&environment);
    let function = Mailer::new(&environment).await.inspect_err(|error| {
        tracing::error!(%error, "cannot start");
    })?;
    run(service_fn(|event: LambdaEvent<Value>| async {
        function.handle(event.payload).await.map_err(Error::from)
    }))
    .await
}
