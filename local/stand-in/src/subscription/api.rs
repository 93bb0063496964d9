//! `/v1/subscriptions`, and the end of a customer, which is that of their subscriptions.

use rusqlite::types::Value as SqlValue;

use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::Wanted;
use crate::subscription::change::{
    Cancel, Change, Proration, TrialEnd, anchors_now, refuse_what_is_over,
};
use crate::subscription::items::{Extra, ItemChange};
use crate::subscription::life::{self, Paying};
use crate::subscription::object::{PauseCollection, PausedFor, Status, Subscription, Uncollected};
use crate::subscription::resume::Resume;
use crate::subscription::start::Wish;
use crate::subscription::terms::NewTerms;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, created, narrowed};
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["subscriptions"]) => Box::new(create),
        ("GET", ["subscriptions"]) => Box::new(list),
        ("POST", ["subscriptions", id]) => Box::new(move |params| update(id, params)),
        ("DELETE", ["subscriptions", id]) => Box::new(move |params| cancel(id, params)),
        ("POST", ["subscriptions", id, "pause"]) => Box::new(move |params| pause(id, params)),
        ("POST", ["subscriptions", id, "resume"]) => Box::new(move |params| resume(id, params)),
        ("DELETE", ["customers", id]) => Box::new(move |params| {
            params.finish()?;
            Ok(Box::new(move |transaction| {
                life::delete_customer(transaction, id)
            }))
        }),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let wish = Wish::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        // What cannot be paid, and was to be an error then, leaves nothing.
        let subscription = transaction.attempt(|| wish.start(transaction))?;
        Ok(subscription.answer())
    }))
}

fn cancellation(params: &mut Params) -> Result<Option<Cancel>, ApiError> {
    let at_period_end = params.boolean("cancel_at_period_end")?;
    let is_empty = params.is_empty_text("cancel_at");
    let at = params.maybe_empty_text("cancel_at", 20)?;
    let at = match at.as_deref() {
        None => None,
        Some("") if is_empty => Some(Cancel::Never),
        Some("min_period_end" | "max_period_end" | "max_billed_until") => Some(Cancel::AtPeriodEnd),
        Some(text) => Some(Cancel::At(
            text.parse()
                .map_err(|_| ApiError::not_an_integer("cancel_at", text))?,
        )),
    };
    match (at_period_end, at) {
        (Some(true), Some(Cancel::At(_))) => Err(ApiError::invalid(
            "You may only specify one of these parameters: cancel_at, cancel_at_period_end.",
        )
        .param("cancel_at")),
        (Some(true), _) => Ok(Some(Cancel::AtPeriodEnd)),
        (Some(false), None) => Ok(Some(Cancel::Never)),
        (_, at) => Ok(at),
    }
}

/// Reads why a subscription is to end: a comment, and a word for it.
fn cancellation_details(params: &mut Params) -> Result<(Option<String>, Option<String>), ApiError> {
    let mut details = params.object("cancellation_details")?;
    let comment = details.maybe_empty_text("comment", 5_000)?;
    let feedback = details.maybe_empty_text("feedback", 100)?;
    details.finish()?;
    Ok((comment, feedback))
}

fn pause_collection(params: &mut Params) -> Result<Option<Option<PauseCollection>>, ApiError> {
    if params.is_empty_text("pause_collection") {
        params.maybe_empty_text("pause_collection", 0)?;
        return Ok(Some(None));
    }
    let Some(mut pause) = params.optional_object("pause_collection")? else {
        return Ok(None);
    };
    let behavior = pause
        .choice("behavior", &["keep_as_draft", "mark_uncollectible", "void"])
        .required(&pause, "behavior")?;
    let resumes_at = pause.integer("resumes_at")?;
    pause.finish()?;
    Ok(Some(Some(PauseCollection {
        behavior: match behavior.as_str() {
            "void" => Uncollected::Void,
            "mark_uncollectible" => Uncollected::MarkUncollectible,
            _ => Uncollected::KeepAsDraft,
        },
        resumes_at,
    })))
}

/// Reads what a shop changes of a subscription.
pub(crate) fn change(params: &mut Params) -> Result<Change, ApiError> {
    let (comment, feedback) = cancellation_details(params)?;
    Ok(Change {
        items: ItemChange::read_all(params)?,
        extras: Extra::read_all(params)?,
        discounts: Wanted::read(params)?,
        cancel: cancellation(params)?,
        comment,
        feedback,
        pause_collection: pause_collection(params)?,
        trial_end: TrialEnd::read(params)?,
        anchors_now: anchors_now(params)?.unwrap_or(false),
        proration: Proration::read(params)?,
        proration_date: params.integer("proration_date")?,
        paying: Paying::read(params)?,
        terms: Some(NewTerms::read(params)?),
    })
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let is_about_its_end = params
        .left()
        .iter()
        .all(|it| matches!(it.as_str(), "metadata" | "cancellation_details"));
    let change = change(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let subscription = find(transaction, id)?;
        if !is_about_its_end {
            refuse_what_is_over(&subscription)?;
        }
        if let (Some(schedule), Some(_)) = (&subscription.schedule, change.cancel) {
            return Err(ApiError::invalid(format!(
                "The subscription is managed by the subscription schedule `{schedule}`, and updating any \
                 cancelation behavior directly is not allowed. Please update the schedule instead."
            )));
        }
        let changed = transaction.attempt(|| change.make(transaction, subscription))?;
        Ok(changed.answer())
    }))
}

fn cancel(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let (comment, feedback) = cancellation_details(&mut params)?;
    let bills_now = params.boolean("invoice_now")?.unwrap_or(false);
    let gives_back = params.boolean("prorate")?.unwrap_or(false);
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut subscription = find(transaction, id)?;
        if subscription.status.is_over() {
            return Err(no_such(id));
        }
        let cancellation = &mut subscription.cancellation;
        cancellation.comment = comment.or(cancellation.comment.take());
        cancellation.feedback = feedback.or(cancellation.feedback.take());
        life::cancel(transaction, &mut subscription, gives_back, bills_now)?;
        Ok(subscription.answer())
    }))
}

fn pause(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    params.choice("type", &["subscription"])?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut subscription = find(transaction, id)?;
        check_pausable(&subscription)?;
        life::pause(transaction, &mut subscription, PausedFor::PauseRequested)?;
        Ok(subscription.answer())
    }))
}

/// Refuses what Stripe's page "Pause subscriptions" says cannot be paused.
fn check_pausable(subscription: &Subscription) -> Result<(), ApiError> {
    let status = subscription.status;
    let is_running = matches!(status, Status::Active | Status::PastDue | Status::Unpaid);
    let refuse = |message: String| Err(ApiError::invalid(message));
    match &subscription.schedule {
        _ if !is_running => refuse(format!(
            "Only a subscription that is active, past_due or unpaid can be paused. This one is {}.",
            status.as_str()
        )),
        Some(schedule) => refuse(format!(
            "A subscription that a schedule manages cannot be paused: release {schedule} first."
        )),
        None if subscription.terms.collection.is_sent() => refuse(
            "A subscription with collection_method=send_invoice cannot be paused.".to_owned(),
        ),
        None => Ok(()),
    }
}

fn resume(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let resume = Resume::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let subscription = find(transaction, id)?;
        if subscription.status != Status::Paused {
            return Err(ApiError::invalid(format!(
                "Only a subscription that is paused can be resumed. This one is {}.",
                subscription.status.as_str()
            )));
        }
        let resumed = transaction.attempt(|| resume.make(transaction, subscription))?;
        Ok(resumed.answer())
    }))
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let mut filter = created(&mut params)?;
    let status = params.text("status")?;
    filter = match status.as_deref() {
        None => filter.and("shown ->> '$.status' <> 'canceled'", []),
        Some("all") => filter,
        Some("ended") => filter.and(
            "shown ->> '$.status' IN ('canceled', 'incomplete_expired')",
            [],
        ),
        Some(status) => filter.equal("status", status.to_owned().into()),
    };
    let customer = params.text("customer")?;
    filter = match (params.text("test_clock")?, &customer) {
        (Some(clock), _) => filter.and("clock = ?", [clock.into()]),
        (None, None) => filter.and("clock IS NULL", []),
        (None, Some(_)) => filter,
    };
    filter = filter.having("customer", customer);
    filter = filter.having("collection_method", params.text("collection_method")?);
    for field in ["price", "plan"] {
        if let Some(id) = params.text(field)? {
            let has = format!(
                "EXISTS (SELECT 1 FROM json_each(shown, '$.items.data') AS item
                         WHERE item.value ->> '$.{field}.id' = ?)"
            );
            filter = filter.and(&has, [id.into()]);
        }
    }
    for field in ["current_period_start", "current_period_end"] {
        let path = format!("items.data[0].{field}");
        filter = narrowed(filter, &mut params, field, &path)?;
    }
    let mut tax = params.object("automatic_tax")?;
    if let Some(enabled) = tax.boolean("enabled")? {
        filter = filter.equal("automatic_tax.enabled", SqlValue::Integer(enabled.into()));
    }
    tax.finish()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        paging.stored(
            transaction,
            Subscription::KIND,
            "/v1/subscriptions",
            &filter,
        )
    }))
}

/// The subscription that a path names.
pub(crate) fn find(transaction: &Transaction<'_>, id: &str) -> Result<Subscription, ApiError> {
    let found = transaction.get::<Subscription>(id)?;
    found.ok_or_else(|| no_such(id))
}

fn no_such(id: &str) -> ApiError {
    ApiError::no_such(Subscription::KIND, id).param("id")
}
