//! The smallest possible function: the yardstick of `.ci/measure/bench`.

use std::convert::Infallible;

use lambda_http::{Error, Request, run, service_fn};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(|_: Request| async {
        Ok::<_, Infallible>("hello")
    }))
    .await
}
