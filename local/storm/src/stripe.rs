//! Stripe: the stand-in, in this world's time.

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Request, Response};
use laptop::environment::STAND_IN_KEY;
use serde_json::Value;
use shared::stripe::client::api_version;
use stand_in::{Config, MachineTime, OtherKeys, Seed, StandIn};
use tower::ServiceExt as _;
use url::Url;

pub(crate) const URL: &str = "http://stripe.storm";

pub(crate) struct Stripe(Router);

impl Stripe {
    pub(crate) fn at(machine: MachineTime) -> Self {
        let stand_in = StandIn::open(Config {
            database: None,
            public_url: Url::parse(URL).unwrap(),
            fixed_url: true,
            host_names: Vec::new(),
            business_name: "Storm".to_owned(),
            secret_key: STAND_IN_KEY.to_owned(),
            other_keys: OtherKeys::Refused,
            // What happens is listed by the API, and brought to the shop by `post`.
            webhook: None,
            seed: Seed::default(),
            machine,
        });
        Self(stand_in.expect("a stand-in in memory").router())
    }

    /// What the stand-in answers.
    pub(crate) async fn answer(&self, request: Request<Bytes>) -> Response<Bytes> {
        let router = self.0.clone();
        let answered = router.oneshot(request.map(Body::from)).await;
        let (head, body) = answered.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.expect("a whole answer");
        Response::from_parts(head, body)
    }

    /// A call of somebody whom the weather does not concern: the buyer's browser, the seller in
    /// Stripe's dashboard, a bank.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        form: &[(&str, &str)],
    ) -> (u16, Value) {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let request = Request::builder()
            .method(method)
            .uri(format!("{URL}{path}"))
            .header("host", "stripe.storm")
            .header("authorization", format!("Bearer {STAND_IN_KEY}"))
            .header("stripe-version", api_version())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(body))
            .unwrap();
        let answer = self.answer(request).await;
        let status = answer.status().as_u16();
        let json = serde_json::from_slice(answer.body()).unwrap_or_default();
        (status, json)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, &[]).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// All of a list, oldest first.
    pub(crate) async fn all(&self, path: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let after = all.last().map_or(String::new(), |last| {
                format!("&starting_after={}", last["id"].as_str().unwrap())
            });
            let separator = if path.contains('?') { '&' } else { '?' };
            let page = self
                .get(&format!("{path}{separator}limit=100{after}"))
                .await;
            all.extend(page["data"].as_array().cloned().unwrap_or_default());
            if page["has_more"] != true {
                all.reverse();
                return all;
            }
        }
    }
}
