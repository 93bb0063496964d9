//! The shop's own functions, observed: what each was given, and what it calls.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use laptop::functions::Wiring;
use laptop::wiring;
use reqwest::Client;

/// What each function was given, by its logical id.
#[derive(Clone, Default)]
pub(crate) struct Environments(pub(crate) Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>);

impl Environments {
    /// The shop's own wiring, noting what each function is given; with the Stripe account at this
    /// address, if there is one.
    pub(crate) fn overhear(&self, stripe: Option<String>) -> Wiring {
        let heard = Arc::clone(&self.0);
        let wire = wiring::deployed();
        Arc::new(move |mut environments, clock| {
            for (environment, stripe) in environments.values_mut().zip(stripe.iter().cycle()) {
                environment.insert("STRIPE_API_BASE".to_owned(), stripe.clone());
            }
            heard.lock().unwrap().clone_from(&environments);
            wire(environments, clock)
        })
    }
}

/// Counts a function's calls to DynamoDB and Stripe.
#[derive(Clone, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<String, usize>>>);

impl Calls {
    /// A wiring in which the calls of `function` pass through this counter.
    pub(crate) fn of(&self, function: &'static str, wire: Wiring) -> Wiring {
        let calls = self.clone();
        Arc::new(move |mut environments, clock| {
            let (calls, wire) = (calls.clone(), Arc::clone(&wire));
            Box::pin(async move {
                let variables = environments.get_mut(function).unwrap();
                for name in ["AWS_ENDPOINT_URL_DYNAMODB", "STRIPE_API_BASE"] {
                    let target = variables[name].clone();
                    variables.insert(name.to_owned(), calls.before(target).await);
                }
                wire(environments, clock).await
            })
        })
    }

    /// The address of a server that counts calls and passes them on to `target`.
    async fn before(&self, target: String) -> String {
        let (calls, http) = (self.clone(), Client::builder().no_proxy().build().unwrap());
        let handler = move |request: axum::extract::Request| async move {
            let (parts, body) = request.into_parts();
            calls.count(&parts);
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let mut headers = parts.headers;
            headers.remove("host");
            let url = format!("{target}{}", parts.uri);
            let request = http.request(parts.method, url).headers(headers).body(body);
            let answer = request.send().await.unwrap();
            let (status, headers) = (answer.status(), answer.headers().clone());
            let mut response =
                http::Response::new(axum::body::Body::from(answer.bytes().await.unwrap()));
            *response.status_mut() = status;
            *response.headers_mut() = headers;
            response.headers_mut().remove("transfer-encoding");
            response
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = axum::Router::new().fallback(handler);
        tokio::spawn(async move { axum::serve(listener, server).await });
        format!("http://{address}")
    }

    fn count(&self, request: &http::request::Parts) {
        let call = match request.headers.get("x-amz-target") {
            Some(operation) => {
                let operation = operation.to_str().unwrap();
                operation.rsplit('.').next().unwrap().to_owned()
            }
            None => format!("Stripe {}", request.method),
        };
        *self.0.lock().unwrap().entry(call).or_default() += 1;
    }

    /// What has been called since this was last asked, and how often.
    pub fn take(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut *self.0.lock().unwrap())
            .into_iter()
            .collect()
    }
}
