//! What came back, and what is read from it.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    pub fn is(&self, status: u16) -> bool {
        self.status.as_u16() == status
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The answer as problem+json, all of whose members are there and agree with the status.
    #[track_caller]
    pub fn problem(&self) -> Value {
        let content_type = self.header("content-type").unwrap_or_default();
        assert_eq!(content_type, "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16(), "{problem}");
        for member in ["type", "title", "detail", "request_id"] {
            let text = problem[member].as_str().unwrap_or_default();
            assert!(!text.is_empty(), "no {member} in {problem}");
        }
        problem
    }
}

/// What `POST /checkout` has opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    pub purchase: String,
    /// The payment page.
    pub url: String,
}

impl Checkout {
    #[track_caller]
    pub fn of(answer: &Answer) -> Self {
        let answer = answer.clone().expect(201).json();
        let text = |name: &str| {
            let text = answer[name].as_str();
            text.unwrap_or_else(|| panic!("no {name} in {answer}"))
                .to_owned()
        };
        Self {
            purchase: text("purchase_id"),
            url: text("url"),
        }
    }

    /// `cs_test_…`
    pub fn session(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }
}

/// A text in an answer.
#[track_caller]
pub fn text(object: &Value, name: &str) -> String {
    let text = object[name].as_str();
    let text = text.unwrap_or_else(|| panic!("no {name} in {object}"));
    // An amount and its currency are kept together by a space that does not break.
    text.replace('\u{a0}', " ")
}
