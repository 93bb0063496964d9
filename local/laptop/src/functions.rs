//! The Lambda functions, called in this process: the same handlers as deployed, each with its time
//! limit from `template.yaml`.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::environment::Variables;
use anyhow::bail;
use futures::future::BoxFuture;
use serde_json::Value;
use shared::clock::Clock;
use template::{Function, Template};

/// A function behind the HTTP API or a function URL.
pub type HttpFunction = Arc<
    dyn Fn(lambda_http::Request) -> BoxFuture<'static, http::Response<lambda_http::Body>>
        + Send
        + Sync,
>;

/// A function that a stream or a schedule wakes: event in, answer out, as JSON.
pub type EventFunction =
    Arc<dyn Fn(Value) -> BoxFuture<'static, anyhow::Result<Value>> + Send + Sync>;

/// Builds the functions from their environments (by logical id), as each one's `main` would, to go
/// by this clock.
pub type Wiring = Arc<
    dyn Fn(BTreeMap<String, Variables>, Clock) -> BoxFuture<'static, anyhow::Result<Functions>>
        + Send
        + Sync,
>;

/// The functions' code by their logical ids in the template.
#[derive(Clone, Default)]
pub struct Functions {
    http: BTreeMap<String, HttpFunction>,
    event: BTreeMap<String, EventFunction>,
}

impl Functions {
    /// Adds a function that answers HTTP requests.
    #[must_use]
    pub fn http<F, A>(mut self, id: &str, function: F) -> Self
    where
        F: Fn(lambda_http::Request) -> A + Send + Sync + 'static,
        A: Future<Output = http::Response<lambda_http::Body>> + Send + 'static,
    {
        self.http.insert(
            id.to_owned(),
            Arc::new(move |request| Box::pin(function(request))),
        );
        self
    }

    /// Adds a function that handles events.
    #[must_use]
    pub fn event<F, A>(mut self, id: &str, function: F) -> Self
    where
        F: Fn(Value) -> A + Send + Sync + 'static,
        A: Future<Output = anyhow::Result<Value>> + Send + 'static,
    {
        self.event.insert(
            id.to_owned(),
            Arc::new(move |event| Box::pin(function(event))),
        );
        self
    }
}

/// Why an invocation got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0} took longer than its {limit} seconds", limit = .1.as_secs())]
    TimedOut(String, Duration),
    #[error("{0} panicked: {1}")]
    Panicked(String, String),
    #[error("{0} failed: {1:#}")]
    Failed(String, anyhow::Error),
}

/// The functions with the limits that the template sets.
pub(crate) struct Deployment {
    functions: Functions,
    settings: BTreeMap<String, Function>,
}

impl Deployment {
    /// Combines code and template; fails if the template calls a function that is not there.
    pub(crate) fn new(functions: Functions, template: &mut Template) -> anyhow::Result<Self> {
        let http = template.routes.iter().map(|route| &route.function);
        for id in http.chain(&template.function_urls) {
            if !functions.http.contains_key(id) {
                bail!(
                    "template.yaml sends HTTP requests to {id}, which the local shop has no code for"
                );
            }
        }
        let streams = template.streams.iter().map(|mapping| &mapping.function);
        for id in streams.chain(template.schedules.iter().map(|schedule| &schedule.function)) {
            if !functions.event.contains_key(id) {
                bail!("template.yaml sends events to {id}, which the local shop has no code for");
            }
        }
        Ok(Self {
            functions,
            settings: std::mem::take(&mut template.functions),
        })
    }

    /// How long an invocation of `id` may take.
    pub(crate) fn timeout(&self, id: &str) -> Duration {
        self.settings
            .get(id)
            .map_or(Duration::from_secs(3), |function| function.timeout)
    }

    /// Calls a function with a request.
    pub(crate) async fn answer(
        &self,
        id: &str,
        request: lambda_http::Request,
    ) -> Result<http::Response<lambda_http::Body>, Failure> {
        let Some(function) = self.functions.http.get(id) else {
            return Err(Failure::Failed(
                id.to_owned(),
                anyhow::anyhow!("there is no such function"),
            ));
        };
        self.run(id, function(request)).await
    }

    /// Calls a function with an event.
    pub(crate) async fn handle(&self, id: &str, event: Value) -> Result<Value, Failure> {
        let Some(function) = self.functions.event.get(id) else {
            return Err(Failure::Failed(
                id.to_owned(),
                anyhow::anyhow!("there is no such function"),
            ));
        };
        let answer = self.run(id, function(event)).await?;
        answer.map_err(|error| Failure::Failed(id.to_owned(), error))
    }

    /// Runs one invocation as a task of its own, so that a panic, or a caller who hangs up, affects
    /// nothing that it would not affect on Lambda.
    async fn run<T: Send + 'static>(
        &self,
        id: &str,
        invocation: BoxFuture<'static, T>,
    ) -> Result<T, Failure> {
        let limit = self.timeout(id);
        let mut task = tokio::spawn(invocation);
        match tokio::time::timeout(limit, &mut task).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(stopped)) => {
                let why = stopped
                    .try_into_panic()
                    .map_or_else(|e| e.to_string(), panic_message);
                Err(Failure::Panicked(id.to_owned(), why))
            }
            Err(_) => {
                task.abort();
                Err(Failure::TimedOut(id.to_owned(), limit))
            }
        }
    }
}

fn panic_message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into())
}
