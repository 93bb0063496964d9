//! Refusals, in Stripe's shape: `{"error": {"type", "code", "message", "param", "doc_url"}}`.

use std::borrow::Cow;

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::account::currency::Currency;
use crate::description::Problem;
use crate::engine::resource::doc_url;
use crate::wire::keys;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    error_type: &'static str,
    code: Option<Cow<'static, str>>,
    message: String,
    param: Option<String>,
    /// What there is to tell besides.
    more: Map<String, Value>,
    /// The request has done its work for all that.
    keeps: bool,
}

impl ApiError {
    /// A request that is wrong in itself.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error_type: "invalid_request_error",
            code: None,
            message: message.into(),
            param: None,
            more: Map::new(),
            keeps: false,
        }
    }

    /// Shows what the request was about, as it is.
    pub(crate) fn about(mut self, kind: &str, object: Value) -> Self {
        self.more.insert(kind.to_owned(), object);
        self
    }

    /// Shows of these objects what `shown` leaves of them.
    pub(crate) fn showing(
        mut self,
        shown: impl Fn(Value) -> anyhow::Result<Value>,
    ) -> anyhow::Result<Self> {
        let more = self.more.into_iter();
        let shown = more.map(|(kind, object)| Ok((kind, shown(object)?)));
        self.more = shown.collect::<anyhow::Result<_>>()?;
        Ok(self)
    }

    /// A card was refused: `told` is the error whole.
    pub(crate) fn of_card(told: Map<String, Value>) -> Self {
        Self {
            error_type: "card_error",
            more: told,
            ..Self::invalid("").status(StatusCode::PAYMENT_REQUIRED)
        }
    }

    /// What the request has done stays done.
    pub(crate) fn keeping(self) -> Self {
        Self {
            keeps: true,
            ..self
        }
    }

    /// Whether the request has done its work for all that: something was tried, and was declined.
    pub(crate) fn keeps(&self) -> bool {
        self.keeps || self.status == StatusCode::PAYMENT_REQUIRED
    }

    fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    pub(crate) fn code(self, code: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Some(code.into()),
            ..self
        }
    }

    /// What a person reads of it.
    pub(crate) fn message(&self) -> &str {
        // A card's refusal is told whole.
        let told = self.more.get("message").and_then(Value::as_str);
        told.unwrap_or(&self.message)
    }

    /// The same of a parameter that was given within this one.
    pub(crate) fn within(mut self, outer: &str) -> Self {
        self.param = self.param.map(|param| {
            let (first, rest) = param.split_at(param.find('[').unwrap_or(param.len()));
            format!("{outer}[{first}]{rest}")
        });
        self
    }

    /// Names the parameter that is wrong.
    pub(crate) fn param(self, param: impl Into<String>) -> Self {
        Self {
            param: Some(param.into()),
            ..self
        }
    }

    pub(crate) fn no_key() -> Self {
        Self::invalid(
            "You did not provide an API key: pass it as `Authorization: Bearer <key>`, or as the \
             user name of basic authentication.",
        )
        .status(StatusCode::UNAUTHORIZED)
    }

    pub(crate) fn wrong_key(key: &str) -> Self {
        Self::invalid(format!("Invalid API Key provided: {}", keys::redacted(key)))
            .status(StatusCode::UNAUTHORIZED)
    }

    pub(crate) fn live_key(key: &str) -> Self {
        Self::invalid(format!(
            "The stand-in does not take live keys, such as {}: use one that starts with sk_test_.",
            keys::redacted(key)
        ))
        .status(StatusCode::UNAUTHORIZED)
    }

    pub(crate) fn secret_key_required() -> Self {
        Self::invalid(
            "This API call cannot be made with a publishable API key. Please use a secret API key.",
        )
        .status(StatusCode::UNAUTHORIZED)
        .code("secret_key_required")
    }

    pub(crate) fn secret_key_in_a_page() -> Self {
        Self::invalid(
            "A web page has sent this call with a secret API key. Call Stripe from your server, or use \
             your publishable key in the page.",
        )
        .status(StatusCode::FORBIDDEN)
    }

    pub(crate) fn no_access(key: &str, account: &str) -> Self {
        Self::invalid(format!(
            "The provided key '{}' does not have access to account '{account}' (or that account \
             does not exist). Application access may have been revoked.",
            keys::redacted(key)
        ))
        .status(StatusCode::FORBIDDEN)
        .code("account_invalid")
    }

    pub(crate) fn no_such_url(method: &http::Method, path: &str) -> Self {
        Self::invalid(format!(
            "Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we \
             can help at https://support.stripe.com/."
        ))
        .status(StatusCode::NOT_FOUND)
    }

    /// Stripe has this, and the stand-in does not.
    pub(crate) fn not_implemented(method: &str, template: &str) -> Self {
        Self::invalid(format!(
            "{method} {template} is part of Stripe's API, but the stand-in does not implement it. The \
             parameters are ones that Stripe takes; nothing was changed. `stand-in api` lists the calls \
             that work and those that do not, and so does API.md beside the stand-in's README."
        ))
        .status(StatusCode::NOT_IMPLEMENTED)
    }

    /// A parameter that Stripe takes, and whose effect the stand-in does not have.
    pub(crate) fn unsupported(param: &str) -> Self {
        Self::invalid(format!(
            "Stripe takes the parameter {param} here, but the stand-in does not implement what it does. \
             Leave it out to go on without its effect."
        ))
        .code("parameter_unsupported")
        .param(param)
    }

    /// What a description finds wrong with parameters.
    pub(crate) fn of_problems(problems: Vec<Problem>) -> Option<Self> {
        let unknown: Vec<String> = problems
            .iter()
            .filter_map(|problem| match problem {
                Problem::Unknown { param } => Some(param.clone()),
                _ => None,
            })
            .collect();
        if !unknown.is_empty() {
            return Some(Self::unknown(&unknown));
        }
        problems.into_iter().next().map(|problem| match problem {
            Problem::Unknown { param } => Self::unknown(&[param]),
            Problem::Missing { param } => Self::missing(&param),
            Problem::Empty { param } => Self::empty(&param),
            Problem::NotAnInteger { param, value } => Self::not_an_integer(&param, &value),
            Problem::NotANumber { param, value } => {
                Self::invalid(format!("Invalid decimal: {value}")).param(param)
            }
            Problem::NotABoolean { param, value } => {
                Self::invalid(format!("Invalid boolean: {value}")).param(param)
            }
            Problem::NotOneOf {
                param,
                value,
                allowed,
            } => Self::invalid(format!(
                "Invalid {param}: must be one of {}, not {value}",
                allowed.join(", ")
            ))
            .param(param),
            Problem::NotAText { param } => Self::invalid("Invalid string").param(param),
            Problem::NotAnArray { param } => Self::invalid("Invalid array").param(param),
            Problem::NotAnObject { param } => Self::invalid("Invalid object").param(param),
        })
    }

    /// The object that a parameter names is not there.
    pub(crate) fn no_such_param(kind: &str, id: &str, param: &str) -> Self {
        Self::no_such(kind, id)
            .status(StatusCode::BAD_REQUEST)
            .param(param)
    }

    pub(crate) fn no_such(kind: &str, id: &str) -> Self {
        Self::invalid(format!("No such {kind}: '{id}'"))
            .status(StatusCode::NOT_FOUND)
            .code("resource_missing")
    }

    /// An object that a path names is not found; one that a parameter names makes the request wrong.
    /// `given` are the parameters, where the path names something too.
    pub(crate) fn of_params(self, given: Option<&[String]>) -> Self {
        let param = self.param.as_deref().and_then(|it| it.split('[').next());
        let is_of_param =
            given.is_none_or(|given| given.iter().any(|it| Some(it.as_str()) == param));
        match self.status {
            StatusCode::NOT_FOUND if is_of_param => self.status(StatusCode::BAD_REQUEST),
            _ => self,
        }
    }

    pub(crate) fn exists(kind: &str, id: &str) -> Self {
        Self::invalid(format!("The {kind} {id} already exists."))
            .code("resource_already_exists")
            .param("id")
    }

    pub(crate) fn missing(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}."))
            .code("parameter_missing")
            .param(param)
    }

    pub(crate) fn missing_one_of(params: &str) -> Self {
        Self::invalid(format!("One of these params must be given: {params}."))
            .code("parameter_missing")
    }

    pub(crate) fn empty(param: &str) -> Self {
        Self::invalid(format!(
            "You passed an empty string for '{param}'. Leave the parameter out, or give it a value."
        ))
        .code("parameter_invalid_empty")
        .param(param)
    }

    pub(crate) fn unknown(params: &[String]) -> Self {
        let plural = if params.len() == 1 { "" } else { "s" };
        Self::invalid(format!(
            "Received unknown parameter{plural}: {}",
            params.join(", ")
        ))
        .code("parameter_unknown")
        .param(params.first().map(String::as_str).unwrap_or_default())
    }

    pub(crate) fn not_an_integer(param: &str, value: &str) -> Self {
        Self::invalid(format!("Invalid integer: {value}"))
            .code("parameter_invalid_integer")
            .param(param)
    }

    pub(crate) fn out_of_range(param: &str, requirement: impl Into<String>) -> Self {
        Self::invalid(requirement)
            .code("parameter_invalid_integer")
            .param(param)
    }

    pub(crate) fn too_long(param: &str, limit: usize) -> Self {
        Self::invalid(format!(
            "Invalid {param}: must be at most {limit} characters"
        ))
        .param(param)
    }

    pub(crate) fn not_a_url(param: &str) -> Self {
        Self::invalid("Not a valid URL")
            .code("url_invalid")
            .param(param)
    }

    pub(crate) fn not_an_email(param: &str, value: &str) -> Self {
        Self::invalid(format!("Invalid email address: {value}"))
            .code("email_invalid")
            .param(param)
    }

    pub(crate) fn amount_too_small(param: &str, currency: Currency) -> Self {
        let minimum = currency.display(currency.minimum());
        Self::invalid(format!(
            "The total amount due must add up to at least {minimum} {currency}."
        ))
        .code("amount_too_small")
        .param(param)
    }

    pub(crate) fn amount_too_large(param: &str, currency: Currency) -> Self {
        let maximum = currency.display(currency.maximum());
        Self::invalid(format!(
            "The total amount must be at most {maximum} {currency}."
        ))
        .code("amount_too_large")
        .param(param)
    }

    pub(crate) fn cannot_expand(path: &str) -> Self {
        Self::invalid(format!("This property cannot be expanded ({path}).")).param("expand")
    }

    pub(crate) fn key_reused(message: String) -> Self {
        Self {
            error_type: "idempotency_error",
            ..Self::invalid(message)
        }
    }

    pub(crate) fn key_in_use(key: &str) -> Self {
        Self::invalid(format!(
            "There is currently another request in progress that uses the idempotency key '{key}'. \
             Try again when it is done."
        ))
        .status(StatusCode::CONFLICT)
        .code("idempotency_key_in_use")
    }

    pub(crate) fn too_many_listeners() -> Self {
        Self::invalid("Too many Stripe CLI sessions are connected. Close some and try again.")
            .status(StatusCode::TOO_MANY_REQUESTS)
            .code("rate_limit")
    }

    /// A failure that a fault switch asks for.
    pub(crate) fn fault(status: StatusCode) -> Self {
        let fault = Self::invalid(format!(
            "A fault that was planned at /_stripe/faults answers \
             {status}."
        ));
        match status {
            StatusCode::TOO_MANY_REQUESTS => fault.status(status).code("rate_limit"),
            StatusCode::CONFLICT => fault.status(status).code("lock_timeout"),
            _ => Self {
                error_type: "api_error",
                ..fault.status(status)
            },
        }
    }

    pub(crate) fn body(&self) -> Value {
        let mut error = json!({ "message": self.message, "type": self.error_type });
        if let Some(error) = error.as_object_mut() {
            if let Some(code) = &self.code {
                error.insert("code".to_owned(), json!(code));
                error.insert("doc_url".to_owned(), json!(doc_url(code)));
            }
            error.extend(
                self.param
                    .as_ref()
                    .map(|param| ("param".to_owned(), json!(param))),
            );
            error.extend(self.more.clone());
        }
        json!({ "error": error })
    }
}

impl From<anyhow::Error> for ApiError {
    fn from(error: anyhow::Error) -> Self {
        tracing::error!(error = format!("{error:#}"), "the Stripe stand-in failed");
        Self {
            error_type: "api_error",
            ..Self::invalid("The stand-in itself failed: its log says why.")
                .status(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}
