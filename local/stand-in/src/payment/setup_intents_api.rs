//! `/v1/setup_intents`.

use serde_json::Map;

use crate::engine::ids::CustomerId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::consent;
use crate::payment::customer as customers;
use crate::payment::given::{self, Given};
use crate::payment::intent::{Usage, WrongState};
use crate::payment::mandate::Acceptance;
use crate::payment::method::{Owner, PaymentMethod};
use crate::payment::setup::{self, NewSetup, SetUp};
use crate::payment::setup_intent::{SetupIntent, SetupState};
use crate::payment::terms;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["setup_intents"]) => Box::new(create),
        ("POST", ["setup_intents", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["setup_intents", id, "confirm"]) => Box::new(move |params| confirm(id, params)),
        ("POST", ["setup_intents", id, "cancel"]) => Box::new(move |params| cancel(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let confirms = params.boolean("confirm")?.unwrap_or(false);
    let given = Given::read(&mut params)?;
    let return_url = params.url("return_url")?;
    params.boolean("use_stripe_sdk")?;
    let agreed = Acceptance::read(&mut params)?;
    let options = params.take("payment_method_options")?;
    let customer = params.text("customer")?;
    let mut new = NewSetup {
        description: params.short_text("description", 1_000)?,
        metadata: params.metadata("metadata")?,
        customer: None,
        methods: terms::methods(&mut params)?.unwrap_or_default(),
        usage: terms::usage(&mut params, "usage")?
            .flatten()
            .unwrap_or(Usage::OffSession),
        options: terms::options(SetupIntent::KIND, options, Map::new()),
        from_checkout: false,
    };
    params.finish()?;
    if return_url.is_some() && !confirms {
        return Err(ApiError::invalid(
            "You can only set return_url when confirming: pass confirm=true.",
        )
        .param("return_url"));
    }
    Ok(Box::new(move |transaction| {
        if let Some(customer) = customer {
            new.customer = Some(customers::named(transaction, &customer)?);
        }
        let method = match given {
            Some(given) => Some(given.method(transaction)?),
            None => None,
        };
        if let Some(method) = &method {
            check_method(method, new.customer.as_ref())?;
        }
        let mut intent = setup::create(transaction, new, method.as_ref())?;
        if confirms {
            go(transaction, &mut intent, method, return_url, agreed)?;
        }
        Ok(intent.answer())
    }))
}

/// Refuses a payment method that this customer cannot keep.
fn check_method(method: &PaymentMethod, customer: Option<&CustomerId>) -> Result<(), ApiError> {
    if !method.means.can_be_kept() {
        return Err(ApiError::invalid(format!(
            "Payment methods of the type {} cannot be set up for later.",
            method.means.name()
        ))
        .param("payment_method"));
    }
    match (&method.owner, customer) {
        (Owner::Spent, _) => Err(given::spent()),
        (Owner::Customer(owner), wanted) if wanted != Some(owner) => Err(ApiError::invalid(
            "The payment method you provided belongs to another Customer: please include that \
                 Customer in the `customer` parameter on the SetupIntent.",
        )
        .param("payment_method")),
        _ => Ok(()),
    }
}

fn go(
    transaction: &Transaction<'_>,
    intent: &mut SetupIntent,
    method: Option<PaymentMethod>,
    return_url: Option<String>,
    agreed: Option<Acceptance>,
) -> Result<(), ApiError> {
    let Some(mut method) = method else {
        return Err(unexpected(
            intent,
            "You cannot confirm this SetupIntent because it's missing a payment method. Update the \
             SetupIntent with a payment method and then confirm it again.",
        ));
    };
    consent::check(transaction, &method, agreed.as_ref(), SetupIntent::KIND)?;
    let terms = setup::Terms {
        return_url,
        three_d_secure: terms::three_d_secure(&intent.payment_method_options),
        agreed,
    };
    match setup::confirm(transaction, intent, &mut method, terms)? {
        SetUp::Refused(error) => Err(error.answer(Some(intent.answer()))),
        SetUp::Done | SetUp::Challenged => Ok(()),
    }
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let given = Given::read(&mut params)?;
    let description = params.short_text("description", 1_000)?;
    let metadata = params.metadata_update("metadata")?;
    let customer = params.text("customer")?;
    let methods = terms::methods(&mut params)?;
    let options = params.take("payment_method_options")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        let fixed = [
            ("customer", customer.is_some()),
            ("payment_method", given.is_some()),
            ("payment_method_types", methods.is_some()),
        ];
        if let Some((field, _)) = fixed
            .iter()
            .find(|(_, given)| *given && intent.from_checkout)
        {
            let message = format!(
                "{field} cannot be used when modifying a SetupIntent that was created by Checkout."
            );
            return Err(unexpected(&intent, &message).param(*field));
        }
        if let Some(customer) = customer {
            intent.customer = Some(customers::named(transaction, &customer)?);
        }
        metadata.apply(&mut intent.metadata)?;
        intent.description = description.or(intent.description);
        intent.methods = methods.unwrap_or(intent.methods);
        intent.payment_method_options =
            terms::options(SetupIntent::KIND, options, intent.payment_method_options);
        if let Some(given) = given {
            check_open(&intent, "updated")?;
            let method = given.method(transaction)?;
            check_method(&method, intent.customer.as_ref())?;
            intent.payment_method = Some(method.id);
            intent.state = SetupState::RequiresConfirmation;
        }
        transaction.put(&intent)?;
        Ok(intent.answer())
    }))
}

fn confirm(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let given = Given::read(&mut params)?;
    let return_url = params.url("return_url")?;
    params.boolean("use_stripe_sdk")?;
    let agreed = Acceptance::read(&mut params)?;
    let options = params.take("payment_method_options")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        if intent.from_checkout {
            return Err(unexpected(
                &intent,
                "You cannot confirm this SetupIntent because it was created by a Checkout Session: \
                 its customer confirms it on the session's page.",
            ));
        }
        check_open(&intent, "confirmed")?;
        intent.payment_method_options =
            terms::options(SetupIntent::KIND, options, intent.payment_method_options);
        let method = match (given, &intent.payment_method) {
            (Some(given), _) => Some(given.method(transaction)?),
            (None, Some(known)) => Some(transaction.existing(known)?),
            (None, None) => None,
        };
        if let Some(method) = &method {
            check_method(method, intent.customer.as_ref())?;
        }
        go(transaction, &mut intent, method, return_url, agreed)?;
        Ok(intent.answer())
    }))
}

fn check_open(intent: &SetupIntent, what: &str) -> Result<(), ApiError> {
    match intent.state {
        SetupState::Succeeded | SetupState::Canceled { .. } => {
            let message = format!(
                "This SetupIntent could not be {what} because it has a status of {}. Only a \
                 SetupIntent with one of the following statuses may be {what}: \
                 requires_payment_method, requires_confirmation, requires_action.",
                intent.state.as_str()
            );
            Err(unexpected(intent, &message))
        }
        _ => Ok(()),
    }
}

fn cancel(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let reasons = ["abandoned", "duplicate", "requested_by_customer"];
    let reason = params.choice("cancellation_reason", &reasons)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        if intent.from_checkout {
            return Err(unexpected(
                &intent,
                "You cannot cancel this SetupIntent because it was created by a Checkout Session: \
                 expire the session instead.",
            ));
        }
        setup::cancel(transaction, &mut intent, reason)?.map_err(|WrongState| {
            let message = format!(
                "You cannot cancel this SetupIntent because it has a status of {}. Only a SetupIntent \
                 with one of the following statuses may be canceled: requires_payment_method, \
                 requires_confirmation, requires_action.",
                intent.state.as_str()
            );
            unexpected(&intent, &message)
        })?;
        Ok(intent.answer())
    }))
}

/// What cannot be done with a setup intent as it stands.
pub(crate) fn unexpected(intent: &SetupIntent, message: &str) -> ApiError {
    ApiError::invalid(message)
        .code("setup_intent_unexpected_state")
        .about(SetupIntent::KIND, intent.answer())
}

pub(crate) fn find(transaction: &Transaction<'_>, id: &str) -> Result<SetupIntent, ApiError> {
    let intent = transaction.get::<SetupIntent>(id)?;
    intent.ok_or_else(|| ApiError::no_such(SetupIntent::KIND, id).param("intent"))
}
