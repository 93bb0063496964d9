//! `/v1/payment_intents`.

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::billing;
use crate::cash_balance;
use crate::engine::ids::CustomerId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment;
use crate::payment::confirmation::Outcome;
use crate::payment::given::{self, Given};
use crate::payment::intent::{IntentState, Origin, PaymentIntent, WrongState};
use crate::payment::method::{Means, Owner, PaymentMethod};
use crate::payment::terms::NewTerms;
use crate::payment::wish::Wish;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::{Params, Required as _, check_amount};

/// Why an intent can be given up.
const CANCELLATION_REASONS: &[&str] = &[
    "abandoned",
    "duplicate",
    "fraudulent",
    "requested_by_customer",
];

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["payment_intents"]) => Box::new(create),
        ("GET", ["payment_intents", id, "amount_details_line_items"]) => {
            Box::new(move |params| amount_details_line_items(id, params))
        }
        ("POST", ["payment_intents", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["payment_intents", id, "confirm"]) => {
            let publishable = asked.publishable;
            Box::new(move |params| confirm(id, params, publishable))
        }
        ("POST", ["payment_intents", id, "cancel"]) => Box::new(move |params| cancel(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let currency = params.currency("currency").required(&params, "currency")?;
    let amount = amount(&mut params, currency).required(&params, "amount")?;
    let given = Given::read(&mut params)?;
    let confirms = params.boolean("confirm")?.unwrap_or(false);
    let wish = Wish::read(&mut params)?;
    let terms = NewTerms::read(&mut params)?;
    params.finish()?;
    wish.belongs_to(confirms)?;

    Ok(Box::new(move |transaction| {
        let terms = terms.begin(transaction)?;
        let mut method = match given {
            Some(given) => Some(given.method(transaction)?),
            None => None,
        };
        if let Some(method) = &mut method {
            check_method(method, terms.customer.as_ref(), &currency, |kind| {
                takes(&terms.methods, kind)
            })?;
        }
        let mut intent = payment::life::create(
            transaction,
            amount,
            currency,
            terms,
            method.as_ref(),
            Origin::Api,
        )?;
        if confirms {
            go(transaction, &mut intent, method, wish)?;
        }
        Ok(intent.answer())
    }))
}

/// What is to be charged.
fn amount(params: &mut Params, currency: Currency) -> Result<Option<Amount>, ApiError> {
    match params.amount("amount", currency)? {
        Some(amount) if amount <= Amount::ZERO => Err(ApiError::out_of_range(
            "amount",
            "This value must be greater than or equal to 1.",
        )),
        Some(amount) if amount < currency.minimum() => {
            Err(ApiError::amount_too_small("amount", currency))
        }
        amount => Ok(amount),
    }
}

/// Whether these methods have one of that type.
fn takes(methods: &payment::intent::Methods, kind: &str) -> bool {
    match methods {
        payment::intent::Methods::Automatic { .. } => true,
        payment::intent::Methods::Listed(types) => types.iter().any(|it| it == kind),
    }
}

/// Refuses a payment method that cannot pay this.
fn check_method(
    method: &PaymentMethod,
    customer: Option<&CustomerId>,
    currency: &Currency,
    takes: impl Fn(&str) -> bool,
) -> Result<(), ApiError> {
    let kind = method.means.name();
    if !takes(kind) {
        return Err(ApiError::invalid(format!(
            "The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent. Please attach \
             a PaymentMethod of one of the types that its payment_method_types list.",
        ))
        .param("payment_method"));
    }
    if let Some(only) = method.means.currency()
        && only != currency.code()
    {
        return Err(ApiError::invalid(format!(
            "The currency provided ({currency}) is invalid for payments of the type {kind}: it takes \
             only {only}."
        ))
        .param("currency"));
    }
    match (&method.owner, customer) {
        (Owner::Spent, _) => Err(given::spent()),
        (Owner::Customer(owner), Some(customer)) if owner != customer => {
            Err(ApiError::invalid(format!(
                "The provided PaymentMethod ({}) does not belong to the Customer you supplied \
                 ({customer}). Please use this PaymentMethod with the Customer that it belongs to \
                 instead.",
                method.id
            ))
            .param("payment_method"))
        }
        (Owner::Customer(_), None) => Err(ApiError::invalid(
            "The payment method you provided belongs to a Customer: please include the Customer in the \
             `customer` parameter on the PaymentIntent.",
        )
        .param("payment_method")),
        _ => Ok(()),
    }
}

/// No intent has any: the stand-in takes none.
fn amount_details_line_items(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let paging = Paging::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let intent = find(transaction, id)?;
        let url = format!(
            "/v1/payment_intents/{}/amount_details_line_items",
            intent.id
        );
        paging.listed(&url, std::iter::empty())
    }))
}

/// Confirms an intent, and lets come what comes of it.
fn go(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    method: Option<PaymentMethod>,
    wish: Wish,
) -> Result<(), ApiError> {
    let Some(mut method) = method else {
        return Err(unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can \
             either update the PaymentIntent with a payment method and then confirm it again, or \
             confirm it again directly with a payment method or ConfirmationToken.",
        ));
    };
    wish.check_mandate(transaction, &method)?;
    let confirmation = wish.confirmation(intent);
    let outcome = payment::life::confirm(transaction, intent, &mut method, &confirmation)?;
    if intent.invoice().is_some() {
        return pay_invoice(transaction, intent, outcome);
    }
    match outcome {
        Outcome::Paid(aftermath) | Outcome::Authorized(aftermath) => {
            aftermath.come(transaction)?;
            *intent = transaction.existing(&intent.id)?;
            Ok(())
        }
        Outcome::Refused(error) => Err(error.answer(Some(intent.answer()))),
        Outcome::Processing | Outcome::Challenged(_) | Outcome::Waiting | Outcome::Unconfirmed => {
            Ok(())
        }
    }
}

/// The invoice of an intent follows it.
fn pay_invoice(
    transaction: &Transaction<'_>,
    intent: &mut PaymentIntent,
    outcome: Outcome,
) -> Result<(), ApiError> {
    let refused = match &outcome {
        Outcome::Refused(error) => Some(error.clone()),
        _ => None,
    };
    billing::follow(transaction, intent, outcome)?;
    *intent = transaction.existing(&intent.id)?;
    match refused {
        Some(error) => Err(error.answer(Some(intent.answer()))),
        None => Ok(()),
    }
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let currency = params.currency("currency")?;
    let amount = params.integer("amount")?.map(Amount::new);
    let given = Given::read(&mut params)?;
    let terms = NewTerms::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        let given_here = [
            ("amount", amount.is_some()),
            ("currency", currency.is_some()),
            ("payment_method", given.is_some()),
        ];
        let changed = given_here.into_iter().chain(terms.of_the_payment());
        for (field, _) in changed.filter(|(_, given)| *given) {
            check_changeable(&intent, field)?;
        }
        terms.apply(transaction, &mut intent.terms)?;
        if intent.funded() > Amount::ZERO && amount.is_some_and(|it| it <= intent.funded()) {
            return Err(partly_funded(&intent).param("amount"));
        }
        if amount.is_some() || currency.is_some() {
            intent.currency = currency.unwrap_or(intent.currency);
            intent.amount = checked(amount.unwrap_or(intent.amount), intent.currency)?;
        }
        if let Some(given) = given {
            let method = given.method(transaction)?;
            check_method(
                &method,
                intent.terms.customer.as_ref(),
                &intent.currency,
                |kind| takes(&intent.terms.methods, kind),
            )?;
            intent.payment_method = Some(method.id);
            intent.state = IntentState::RequiresConfirmation {
                authenticated: false,
            };
        }
        transaction.put(&intent)?;
        Ok(intent.answer())
    }))
}

/// Refuses to change how a payment is made once it is made, or where only Checkout may say so.
fn check_changeable(intent: &PaymentIntent, field: &'static str) -> Result<(), ApiError> {
    if intent.is_from_checkout() {
        let message = format!(
            "You cannot update {field} on this PaymentIntent because it was created by a Checkout \
             Session."
        );
        return Err(unexpected(intent, &message).param(field));
    }
    if intent.invoice().is_some() && matches!(field, "amount" | "currency" | "customer") {
        let message = format!(
            "You cannot update {field} on this PaymentIntent because it pays an invoice, which says \
             what is to be paid."
        );
        return Err(unexpected(intent, &message).param(field));
    }
    if intent.funded() > Amount::ZERO && field != "amount" {
        return Err(partly_funded(intent).param(field));
    }
    match intent.state {
        IntentState::RequiresPaymentMethod
        | IntentState::RequiresConfirmation { .. }
        | IntentState::RequiresAction(_) => Ok(()),
        _ => {
            let message = format!(
                "This PaymentIntent's {field} could not be updated because it has a status of {}. You \
                 may only update the {field} of a PaymentIntent with one of the following statuses: \
                 requires_payment_method, requires_confirmation, requires_action.",
                intent.state.as_str()
            );
            Err(unexpected(intent, &message).param(field))
        }
    }
}

/// What a customer has transferred stays with what they transferred it for.
fn partly_funded(intent: &PaymentIntent) -> ApiError {
    let message = format!(
        "The customer has transferred {} for this PaymentIntent already: it can be confirmed again as it \
         is, have an amount above that, or be canceled.",
        intent.currency.display(intent.funded())
    );
    unexpected(intent, &message)
}

/// An amount that is in order in this currency.
pub(crate) fn checked(amount: Amount, currency: Currency) -> Result<Amount, ApiError> {
    if amount < currency.minimum() {
        return Err(ApiError::amount_too_small("amount", currency));
    }
    check_amount(amount, currency, "amount").map(|()| amount)
}

fn confirm(id: &str, mut params: Params, publishable: bool) -> Result<Work<'_>, ApiError> {
    let given = Given::read(&mut params)?;
    let wish = Wish::read(&mut params)?;
    let terms = NewTerms::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        check_confirmable(&intent)?;
        if publishable {
            terms.check_shipping(&intent.terms)?;
        }
        let ships_elsewhere = publishable && terms.says_where_to_ship();
        terms.apply(transaction, &mut intent.terms)?;
        intent.terms.shipping_from_browser |= ships_elsewhere;
        let method = match (given, &intent.payment_method) {
            (Some(given), _) => Some(given.method(transaction)?),
            (None, Some(known)) => Some(transaction.existing(known)?),
            (None, None) => None,
        };
        if let Some(method) = &method {
            let transfers = matches!(method.means, Means::CustomerBalance);
            if intent.funded() > Amount::ZERO && !transfers {
                return Err(partly_funded(&intent).param("payment_method"));
            }
            check_method(
                method,
                intent.terms.customer.as_ref(),
                &intent.currency,
                |kind| takes(&intent.terms.methods, kind),
            )?;
        }
        go(transaction, &mut intent, method, wish)?;
        Ok(intent.answer())
    }))
}

fn check_confirmable(intent: &PaymentIntent) -> Result<(), ApiError> {
    if intent.is_from_checkout() {
        return Err(unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it was created by a Checkout Session: its \
             customer confirms it on the session's page.",
        ));
    }
    match intent.state {
        IntentState::RequiresPaymentMethod
        | IntentState::RequiresConfirmation { .. }
        | IntentState::RequiresAction(_) => Ok(()),
        IntentState::Succeeded { .. } => Err(unexpected(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being \
             previously confirmed.",
        )),
        _ => {
            let message = format!(
                "You cannot confirm this PaymentIntent because it has a status of {}. Only a \
                 PaymentIntent with one of the following statuses may be confirmed: \
                 requires_confirmation, requires_action.",
                intent.state.as_str()
            );
            Err(unexpected(intent, &message))
        }
    }
}

fn cancel(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let reason = params.choice("cancellation_reason", CANCELLATION_REASONS)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = find(transaction, id)?;
        if intent.is_from_checkout() && !matches!(intent.state, IntentState::RequiresCapture { .. })
        {
            return Err(unexpected(
                &intent,
                "You cannot cancel this PaymentIntent because it was created by a Checkout Session: \
                 expire the session instead.",
            ));
        }
        if intent.invoice().is_some() {
            return Err(unexpected(
                &intent,
                "You cannot cancel this PaymentIntent because it pays an invoice: void the invoice \
                 instead.",
            ));
        }
        let freed = intent.funded();
        payment::capture::cancel(transaction, &mut intent, reason)?.map_err(|WrongState| {
            let message = format!(
                "You cannot cancel this PaymentIntent because it has a status of {}. Only a \
                 PaymentIntent with one of the following statuses may be canceled: \
                 requires_payment_method, requires_capture, requires_confirmation, requires_action, \
                 processing.",
                intent.state.as_str()
            );
            unexpected(&intent, &message)
        })?;
        cash_balance::life::after_cancel(transaction, &intent, freed)?;
        Ok(intent.answer())
    }))
}

/// What cannot be done with an intent as it stands.
pub(crate) fn unexpected(intent: &PaymentIntent, message: &str) -> ApiError {
    ApiError::invalid(message)
        .code("payment_intent_unexpected_state")
        .about(PaymentIntent::KIND, intent.answer())
}

pub(crate) fn find(transaction: &Transaction<'_>, id: &str) -> Result<PaymentIntent, ApiError> {
    let intent = transaction.get::<PaymentIntent>(id)?;
    intent.ok_or_else(|| ApiError::no_such(PaymentIntent::KIND, id).param("intent"))
}
