//! `/v1/checkout/sessions`, and the payment pages that only the CLI knows of.

use crate::account::amount::Amount;
use crate::checkout;
use crate::checkout::create::Wish;
use crate::checkout::life::Paid;
use crate::checkout::line::Order;
use crate::checkout::object::{Session, SessionStatus};
use crate::checkout::rules::check_recurring;
use crate::checkout::shipping::Options;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::given::named;
use crate::payment::intent::WrongState;
use crate::payment::terms::NewTerms;
use crate::promotion;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::expand::line_items_url;
use crate::wire::lists::Paging;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["checkout", "sessions"]) => Box::new(create),
        ("POST", ["checkout", "sessions", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["checkout", "sessions", id, "expire"]) => {
            Box::new(move |params| expire(id, params))
        }
        ("GET", ["checkout", "sessions", id, "line_items"]) => {
            Box::new(move |params| line_items(id, params))
        }
        ("GET", ["payment_pages", id]) => Box::new(move |params| payment_page(id, params)),
        ("POST", ["payment_pages", id, "confirm"]) => Box::new(move |params| confirm(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let wish = Wish::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let session = wish.open(transaction)?;
        Ok(session.answer())
    }))
}

/// Metadata can always be changed; what is to be paid, while it is not.
fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let metadata = params.metadata_update("metadata")?;
    let reads_shipping = params.left().iter().any(|it| it == "shipping_options");
    let shipping = Options::read(&mut params)?;
    let order = Order::read(&mut params)?;
    let data = params.optional_object("payment_intent_data")?;
    let terms = match data {
        Some(mut data) => {
            let terms = NewTerms::read(&mut data)?;
            data.finish()?;
            Some(terms)
        }
        None => None,
    };
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut session = find(transaction, id)?;
        let changes_payment = reads_shipping || order.is_some() || terms.is_some();
        if changes_payment && session.status != SessionStatus::Open {
            return Err(ApiError::invalid(format!(
                "Only Checkout Sessions with a status in [\"open\"] can be updated. This Checkout \
                 Session has a status of {}.",
                session.status.as_str()
            )));
        }
        session.change_metadata(metadata)?;
        if let Some(terms) = terms {
            terms.apply(transaction, &mut session.terms)?;
        }
        if let Some(order) = order {
            let (lines, currency) = order.sell(transaction)?;
            check_recurring(&lines, session.mode)?;
            if currency != session.currency {
                return Err(ApiError::invalid(format!(
                    "The currency of a Checkout Session cannot change: it is {}.",
                    session.currency
                ))
                .param("line_items"));
            }
            session.line_items = lines;
            promotion::life::reckon(transaction, &mut session)?;
        }
        if reads_shipping {
            session.shipping_options = shipping.offer(transaction, session.currency)?;
            session.shipping = session.shipping_options.first().map(|it| it.rate.clone());
        }
        if changes_payment {
            session.reckon();
        }
        transaction.put(&session)?;
        Ok(session.answer())
    }))
}

fn expire(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut session = find(transaction, id)?;
        checkout::life::expire(transaction, &mut session)?.map_err(|WrongState| {
            ApiError::invalid(format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout \
                 Session has a status of {}.",
                session.status.as_str()
            ))
        })?;
        Ok(session.answer())
    }))
}

fn line_items(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let paging = Paging::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let session = find(transaction, id)?;
        let page = paging.listed(&line_items_url(id), session.lines())?;
        Ok(page)
    }))
}

/// What Stripe's page would know of a session. The CLI asks for it before it pays, and reads nothing.
fn payment_page(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        Ok(find(transaction, id)?.answer())
    }))
}

/// Pays a session without its page.
fn confirm(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let method = params
        .text("payment_method")
        .required(&params, "payment_method")?;
    let expected = params.integer("expected_amount")?.map(Amount::new);
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut session = find(transaction, id)?;
        let total = session.amount_total();
        if expected.is_some_and(|expected| expected != total) {
            return Err(ApiError::invalid(format!(
                "The expected amount does not match the total of this Checkout Session, {total}."
            ))
            .code("checkout_amount_mismatch")
            .param("expected_amount"));
        }
        let mut method = named(transaction, &method)?;
        if !session.offers(method.means.name()) {
            return Err(ApiError::invalid(format!(
                "This Checkout Session does not take payment methods of the type {}.",
                method.means.name()
            ))
            .param("payment_method"));
        }
        session.learn_from(&method.billing);
        match checkout::life::pay(transaction, &mut session, &mut method)? {
            Ok(Paid::Declined(error)) => Err(error.answer(None)),
            Ok(Paid::Complete | Paid::Challenged(_)) => Ok(session.answer()),
            Err(WrongState) => Err(ApiError::invalid(format!(
                "This Checkout Session cannot be paid: it is {}.",
                session.status.as_str()
            ))),
        }
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Session, ApiError> {
    let session = transaction.get::<Session>(id)?;
    session.ok_or_else(|| ApiError::no_such(Session::KIND, id).param("session"))
}
