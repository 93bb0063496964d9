//! One call of the API, from its path to its answer, within a transaction.
//!
//! What Stripe has is described ([`description`](crate::description)): the path must be one of Stripe's,
//! and each parameter one that the operation takes. What the stand-in does is behaviour: the nouns'
//! own, or what every collection and every plain object can do. What is described and has no behaviour
//! is answered 501.

use std::borrow::Cow;
use std::sync::Arc;

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::description::{Description, Match, Operation, Problem, check, check_leniently};
use crate::engine::transaction::Transaction;
use crate::payment::publishable::{Admission, reduced};
use crate::wire::answer::{Answer, Asked, Route, Settings};
use crate::wire::errors::ApiError;
use crate::wire::expand::Expansions;
use crate::wire::former::as_of;
use crate::wire::idempotency::{self, Idempotent};
use crate::wire::multipart::Upload;
use crate::wire::params::Params;
use crate::wire::version::Version;
use crate::{
    account, cash_balance, checkout, cli, collection, credit_note, dispute, file, invoice, payment,
    payout, plain, portal, promotion, quote, radar, refund, subscription, subscription_schedule,
    test_clock, webhook,
};

/// Parameters that name whose a call is: what it makes or changes lives in the time of their clock.
const WHOSE: &[&str] = &[
    "charge",
    "credit_note",
    "customer",
    "from_subscription",
    "invoice",
    "payment_intent",
    "quote",
    "setup_intent",
    "subscription",
    "subscription_item",
    "test_clock",
];

/// What a noun does about a request, if anything.
fn behaviour<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    checkout::api::route(asked)
        .or_else(|| payment::intents_api::route(asked))
        .or_else(|| payment::captures_api::route(asked))
        .or_else(|| payment::microdeposits_api::route(asked))
        .or_else(|| payment::setup_intents_api::route(asked))
        .or_else(|| payment::methods_api::route(asked))
        .or_else(|| payment::tokens_api::route(asked))
        .or_else(|| payment::sources_api::route(asked))
        .or_else(|| cash_balance::api::route(asked))
        .or_else(|| payment::charges_api::route(asked))
        .or_else(|| radar::reviews_api::route(asked))
        .or_else(|| refund::api::route(asked))
        .or_else(|| dispute::api::route(asked))
        .or_else(|| invoice::preview_api::route(asked))
        .or_else(|| invoice::api::route(asked))
        .or_else(|| invoice::pay_api::route(asked))
        .or_else(|| invoice::lines_api::route(asked))
        .or_else(|| invoice::items_api::route(asked))
        .or_else(|| credit_note::api::route(asked))
        .or_else(|| quote::api::route(asked))
        .or_else(|| file::api::route(asked))
        .or_else(|| file::links_api::route(asked))
        .or_else(|| promotion::coupons_api::route(asked))
        .or_else(|| promotion::codes_api::route(asked))
        .or_else(|| test_clock::api::route(asked))
        .or_else(|| subscription::api::route(asked))
        .or_else(|| subscription::items_api::route(asked))
        .or_else(|| subscription::plans_api::route(asked))
        .or_else(|| subscription_schedule::api::route(asked))
        .or_else(|| portal::api::route(asked))
        .or_else(|| webhook::endpoints_api::route(asked))
        .or_else(|| webhook::events_api::route(asked))
        .or_else(|| payout::api::route(asked))
        .or_else(|| payout::accounts_api::route(asked))
        .or_else(|| account::api::route(asked))
        .or_else(|| account::country_specs::route(asked))
        .or_else(|| cli::api::route(asked))
        .or_else(|| collection::route(asked))
        .or_else(|| plain::route(asked))
}

/// Whether a call of this operation is answered, and not with a 501.
pub(crate) fn works(operation: &Operation, settings: &Settings) -> bool {
    // The template is a path like any other, with the parameters' names for ids.
    let path: Vec<&str> = operation.template.split('/').skip(2).collect();
    let found = Description::newest().operation(operation.method, operation.template);
    found.is_some_and(|found| {
        let asked = Asked {
            method: operation.method,
            path: &path,
            operation,
            names: &found.path,
            settings,
            host: None,
            publishable: false,
            upload: None,
        };
        behaviour(&asked).is_some()
    })
}

/// A request that has been let in, over HTTP or from a seed.
pub(crate) struct Call {
    pub(crate) method: Method,
    /// As in `/v1/refunds/re_1`.
    pub(crate) path: String,
    pub(crate) version: Version,
    /// It comes from a browser, whose key everybody can read.
    pub(crate) publishable: bool,
    pub(crate) params: Params,
    /// The file that came with the parameters.
    pub(crate) upload: Option<Upload>,
    pub(crate) idempotent: Option<Idempotent>,
    /// The status that a fault switch wants.
    pub(crate) refusal: Option<StatusCode>,
    pub(crate) settings: Arc<Settings>,
    /// What the caller calls the stand-in, with the port; nothing for a seed.
    pub(crate) host: Option<String>,
}

impl Call {
    /// An error here is one that no idempotency key keeps.
    pub(crate) fn perform(mut self, transaction: &Transaction<'_>) -> Result<Answer, ApiError> {
        let path = self.path.clone();
        let segments: Vec<_> = path.split('/').skip(2).map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
        let method = self.method.clone();
        let admission = Admission::read(
            self.publishable,
            method.as_str(),
            &segments,
            &mut self.params,
        )?;
        admission.check(transaction)?;
        if let Some(idempotent) = &self.idempotent
            && let Some(answer) = idempotency::replay(transaction, idempotent)?
        {
            return Ok(answer);
        }
        let found = self.find(&path)?;
        let ids: Vec<_> = found.path.iter().map(|(_, id)| decoded(id)).collect();
        let names = found.path.iter().zip(&ids);
        let names: Vec<_> = names.map(|((name, _), id)| (*name, id.as_ref())).collect();
        let returns = &found.operation.returns;
        let expansions = Expansions::read(&mut self.params, self.version, returns)?;
        let asked = Asked {
            method: method.as_str(),
            path: &segments,
            operation: &found.operation,
            names: &names,
            settings: &self.settings,
            host: self.host.as_deref(),
            publishable: self.publishable,
            upload: self.upload.as_ref(),
        };
        let route = behaviour(&asked).ok_or_else(|| {
            ApiError::not_implemented(found.operation.method, found.operation.template)
        })?;
        let given = self.params.left();
        let then = transaction.in_time_of(whose(&names, &self.params))?;
        let narrowed = collection::narrowed(&found.operation, &self.params);
        let work = collection::checked(narrowed, route(self.params)?);
        let result = match self.refusal {
            // Refused at the gate: the endpoint has not begun.
            Some(status) if !status.is_server_error() => return Err(ApiError::fault(status)),
            Some(status) => Err(ApiError::fault(status)),
            None => carry_out(transaction, || work(&then), &expansions, self.version),
        };
        // A call with an id in its path may be about that, and not about a parameter.
        let result = result
            .map_err(|error| error.of_params((!names.is_empty()).then_some(given.as_slice())));
        let result = match self.publishable {
            true => in_public(result)?,
            false => result,
        };
        let answer = Answer::of(result);
        if let Some(idempotent) = &self.idempotent {
            idempotency::keep(transaction, idempotent, &answer)?;
        }
        Ok(answer)
    }

    /// The operation that is asked for, its parameters found to be what it takes.
    fn find<'p>(&self, path: &'p str) -> Result<Match<'p>, ApiError> {
        let method = self.method.as_str();
        let given = self.params.tree()?;
        let no_such_url = || ApiError::no_such_url(&self.method, path);
        let (found, mut problems) = match self.version {
            Version::Asked(description) => {
                let found = description
                    .operation(method, path)
                    .ok_or_else(no_such_url)?;
                let problems = check(&found.operation, &given);
                (found, problems)
            }
            Version::Any => {
                let mut problems = check_leniently(method, path, &given).ok_or_else(no_such_url)?;
                // The CLI's fixtures take values away that no version says can be.
                problems.retain(|problem| !matches!(problem, Problem::Empty { .. }));
                // The newest, unless an older one knows a part of the path by its name.
                let found = Description::all().filter_map(|it| it.operation(method, path));
                let found = found.min_by_key(|it| it.path.len());
                (found.ok_or_else(no_such_url)?, problems)
            }
        };
        problems.retain(|problem| !is_about_a_typed_card(problem));
        match ApiError::of_problems(problems) {
            Some(error) => Err(error),
            None => Ok(found),
        }
    }
}

/// Does the work, and shows what came of it as this version does. Work that fails leaves nothing but what
/// was tried.
fn carry_out(
    transaction: &Transaction<'_>,
    work: impl FnOnce() -> Result<Value, ApiError>,
    expansions: &Expansions,
    version: Version,
) -> Result<Value, ApiError> {
    let shown = |value| as_of(transaction, version.description(), value);
    let done = transaction.attempt(|| match work() {
        // What was tried stays on record.
        Err(declined) if declined.keeps() => Ok(Err(declined.showing(shown)?)),
        Err(refused) => Err(refused.showing(shown)?),
        Ok(done) => Ok(Ok(shown(expansions.apply(transaction, done)?)?)),
    });
    done.flatten()
}

/// The ids that say whose a call is. A clock that is itself asked for lives in the account's time.
fn whose<'c>(names: &[(&'static str, &'c str)], params: &'c Params) -> Vec<&'c str> {
    let of_path = names.iter().filter(|(name, _)| *name != "test_clock");
    let of_params = WHOSE.iter().filter_map(|name| params.peek(name));
    of_path.map(|(_, id)| *id).chain(of_params).collect()
}

/// What a publishable key may see of an answer.
fn in_public(result: Result<Value, ApiError>) -> Result<Result<Value, ApiError>, ApiError> {
    Ok(match result {
        Ok(answer) => Ok(reduced(answer)),
        Err(error) => Err(error.showing(|object| Ok(reduced(object)))?),
    })
}

/// A segment of a path as it was meant: `mug%3Ared` is `mug:red`.
fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

/// Stripe takes a card's number or token with an intent, though its libraries do not say so.
fn is_about_a_typed_card(problem: &Problem) -> bool {
    match problem {
        Problem::Unknown { param } => param.starts_with("payment_method_data[card]"),
        Problem::NotOneOf { param, value, .. } => {
            param == "payment_method_data[type]" && value == "card"
        }
        _ => false,
    }
}
