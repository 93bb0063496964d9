//! `/v1/billing_portal/sessions`.

use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment;
use crate::portal::session::{After, Flow, PortalSession, Task};
use crate::portal::settings::{CONFIGURATION, Settings};
use crate::subscription::object::Subscription;
use crate::webhook::record::put_and_record;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// What Stripe takes and the stand-in does not do.
const UNSUPPORTED: [&str; 3] = ["after_expiration", "customer_account", "on_behalf_of"];

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    match (asked.method, asked.path) {
        ("POST", ["billing_portal", "sessions"]) => Some(Box::new(create)),
        _ => None,
    }
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    for name in UNSUPPORTED {
        if params.take(name)?.is_some() {
            return Err(ApiError::unsupported(name));
        }
    }
    let customer = params.text("customer").required(&params, "customer")?;
    let configuration = params.text("configuration")?;
    let return_url = params.url("return_url")?;
    let locale = params.text("locale")?;
    let flow = match params.optional_object("flow_data")? {
        Some(flow) => Some(flow_data(flow)?),
        None => None,
    };
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = payment::customer::named(transaction, &customer)?;
        let (configuration, settings) = configured(transaction, configuration)?;
        if let Some(flow) = &flow {
            check_flow(transaction, flow, &customer, &settings)?;
        }
        let id = ids::plain("bps_1");
        let default = settings.text("/default_return_url").map(str::to_owned);
        let mut session = PortalSession::of(id, transaction, customer, configuration);
        session.flow = flow;
        session.locale = locale;
        session.return_url = return_url.or(default);
        put_and_record(transaction, "billing_portal.session.created", &session)?;
        Ok(session.answer())
    }))
}

/// The configuration that is named, or else the default.
fn configured(
    transaction: &Transaction<'_>,
    named: Option<String>,
) -> Result<(String, Settings), ApiError> {
    let id = match named {
        Some(id) => id,
        None => Settings::default_id(transaction)?.ok_or_else(|| {
            ApiError::invalid(
                "No configuration provided and your test mode default configuration has not been \
                 created. Provide a configuration or create your default by saving your customer portal \
                 settings in test mode at https://dashboard.stripe.com/test/settings/billing/portal.",
            )
        })?,
    };
    let settings = Settings::of(transaction, &id)?;
    let settings =
        settings.ok_or_else(|| ApiError::no_such_param(CONFIGURATION, &id, "configuration"))?;
    match settings.is_active() {
        true => Ok((id, settings)),
        false => Err(ApiError::invalid(format!(
            "The configuration {id} is not active. Activate it, or use another configuration."
        ))
        .param("configuration")),
    }
}

fn flow_data(mut flow: Params) -> Result<Flow, ApiError> {
    let kind = flow.text("type").required(&flow, "type")?;
    let mut subscription_of = |field: &str| -> Result<String, ApiError> {
        let mut of = flow.object(field)?;
        if of.take("retention")?.is_some() {
            return Err(ApiError::unsupported(&of.name("retention")));
        }
        let id = of.text("subscription").required(&of, "subscription")?;
        of.finish()?;
        Ok(id)
    };
    let task = match kind.as_str() {
        "payment_method_update" => Task::PaymentMethodUpdate,
        "subscription_cancel" => Task::SubscriptionCancel(subscription_of("subscription_cancel")?),
        "subscription_update" => Task::SubscriptionUpdate(subscription_of("subscription_update")?),
        _ => return Err(ApiError::unsupported("flow_data[type]")),
    };
    let after = match flow.optional_object("after_completion")? {
        Some(after) => after_completion(after)?,
        None => After::Homepage,
    };
    flow.finish()?;
    Ok(Flow {
        task,
        after,
        is_done: false,
    })
}

fn after_completion(mut after: Params) -> Result<After, ApiError> {
    let kind = after.text("type").required(&after, "type")?;
    let mut redirect = after.object("redirect")?;
    let mut confirmation = after.object("hosted_confirmation")?;
    let then = match kind.as_str() {
        "redirect" => After::Redirect(
            redirect
                .url("return_url")
                .required(&redirect, "return_url")?,
        ),
        "hosted_confirmation" => {
            After::Confirmation(confirmation.short_text("custom_message", 500)?)
        }
        _ => After::Homepage,
    };
    redirect.finish()?;
    confirmation.finish()?;
    after.finish()?;
    Ok(then)
}

/// Refuses a flow that the configuration does not have, or that is about somebody else.
fn check_flow(
    transaction: &Transaction<'_>,
    flow: &Flow,
    customer: &str,
    settings: &Settings,
) -> Result<(), ApiError> {
    let (feature, is_on, of) = match &flow.task {
        Task::PaymentMethodUpdate => ("payment_method_update", settings.updates_methods(), None),
        Task::SubscriptionCancel(id) => {
            let is_on = settings.canceling().is_some();
            ("subscription_cancel", is_on, Some(id))
        }
        Task::SubscriptionUpdate(id) => {
            let is_on = settings.updating().is_some();
            ("subscription_update", is_on, Some(id))
        }
    };
    if !is_on {
        return Err(ApiError::invalid(format!(
            "This flow is not available because the feature {feature} is disabled in the portal \
             configuration."
        ))
        .param("flow_data[type]"));
    }
    let Some(id) = of else {
        return Ok(());
    };
    let param = format!("flow_data[{feature}][subscription]");
    let subscription = transaction.get::<Subscription>(id)?;
    let subscription = subscription.filter(|it| &*it.customer == customer);
    match subscription {
        Some(it) if it.cancellation.at_period_end && feature == "subscription_cancel" => {
            Err(ApiError::invalid(format!(
                "The subscription {id} is already set to be canceled at the end of its period."
            ))
            .param(param))
        }
        Some(it) if !it.status.is_over() => Ok(()),
        Some(_) => Err(ApiError::invalid(format!(
            "The subscription {id} has already been canceled."
        ))
        .param(param)),
        None => Err(ApiError::no_such_param("subscription", id, &param)),
    }
}
