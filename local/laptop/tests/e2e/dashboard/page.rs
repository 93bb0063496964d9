//! The dashboard, as its page uses it.

use reqwest::{Client, Method};
use serde_json::Value;
use testing::TestApp;

/// What the page asks for and does.
pub(super) struct Page<'a> {
    app: &'a TestApp,
    pub(super) http: Client,
}

impl<'a> Page<'a> {
    pub(super) fn of(app: &'a TestApp) -> Self {
        let http = Client::builder().no_proxy().build().unwrap();
        Self { app, http }
    }

    pub(super) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let [_, shop, ..] = self.app.ports();
        let url = format!("http://127.0.0.1:{shop}/_local{path}");
        self.http.request(method, url)
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        let answer = self.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    /// Presses a button: the answer's status and body.
    pub(super) async fn press(&self, path: &str, form: &[(&str, &str)]) -> (u16, String) {
        let pressed = self.request(Method::POST, path).form(form).send().await;
        let answer = pressed.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Presses a button that does something.
    pub(super) async fn does(&self, path: &str, form: &[(&str, &str)]) -> Value {
        let (status, answer) = self.press(path, form).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap_or_default()
    }

    /// Looks at what a refund would do, and makes it.
    pub(super) async fn refund(&self, of: &str, form: &[(&str, &str)]) -> Value {
        let path = format!("/payments/{of}/refund");
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let key = testing::text(&self.get(&format!("{path}?{query}")).await, "key");
        let form = [form, &[("key", &*key)]].concat();
        self.does(&path, &form).await
    }

    pub(super) async fn story(&self, purchase: &str) -> Value {
        self.get(&format!("/purchases/{purchase}")).await
    }
}
