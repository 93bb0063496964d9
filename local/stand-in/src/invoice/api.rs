//! `/v1/invoices`, but for their lines.

use serde_json::json;

use crate::billing;
use crate::engine::resource::Object as _;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::collect;
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::draft::{self, NewInvoice, PATIENCE};
use crate::invoice::item::Sweep;
use crate::invoice::items_api::likely_currency;
use crate::invoice::life::{self, NotFinalized, WrongState};
use crate::invoice::object::{Invoice, Parent, Status};
use crate::invoice::shipping;
use crate::invoice::terms::{Collection, NewTerms, Terms};
use crate::payment::customer;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, created, narrowed};
use crate::wire::params::{Params, Required as _};

const URL: &str = "/v1/invoices";

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["invoices"]) => Box::new(create),
        ("GET", ["invoices"]) => Box::new(list),
        ("POST", ["invoices", id]) => Box::new(move |params| update(id, params)),
        ("DELETE", ["invoices", id]) => Box::new(move |params| delete(id, params)),
        ("POST", ["invoices", id, "finalize"]) => Box::new(move |params| finalize(id, params)),
        ("POST", ["invoices", id, "send"]) => Box::new(move |params| send(id, params)),
        ("POST", ["invoices", id, "void"]) => Box::new(move |params| void(id, params)),
        ("POST", ["invoices", id, "mark_uncollectible"]) => {
            Box::new(move |params| mark_uncollectible(id, params))
        }
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let customer = params.text("customer").required(&params, "customer")?;
    let currency = params.currency("currency")?;
    let subscription = params.text("subscription")?;
    let behavior = params.choice("pending_invoice_items_behavior", &["exclude", "include"])?;
    let includes = behavior.as_deref() == Some("include");
    let discounts = Wanted::read(&mut params)?;
    let number = params.short_text("number", 26)?;
    let finalizes_at = params.integer("automatically_finalizes_at")?;
    let shipping = shipping::Wanted::read(&mut params)?;
    let terms = NewTerms::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = customer::named(transaction, &customer)?;
        let currency = match currency {
            Some(currency) => currency,
            None => likely_currency(transaction, &customer)?,
        };
        let mut new = NewInvoice::of(&customer, currency);
        terms.apply(transaction, &customer, &mut new.terms)?;
        new.finalizes_at = finalization(transaction, &new.terms, finalizes_at)?;
        new.sweep = match (includes, &subscription) {
            (false, _) => Sweep::None,
            (true, None) => Sweep::Loose,
            (true, Some(subscription)) => Sweep::Of(subscription.clone()),
        };
        if let Some(id) = subscription {
            new.parent = of_subscription(transaction, id)?;
        }
        check_number(transaction, number.as_deref())?;
        new.number = number;
        if let Some(wanted) = shipping {
            new.shipping = wanted.make(transaction, currency)?;
        }
        let place = Place {
            customer: &customer,
            ..Place::default()
        };
        new.discounts = match discounts {
            Some(wanted) => Some(wanted.make(transaction, place)?),
            None => None,
        };
        Ok(draft::begin(transaction, new)?.answer())
    }))
}

/// When a draft is finalized by itself, if somebody says when.
fn finalization(
    transaction: &Transaction<'_>,
    terms: &Terms,
    at: Option<Timestamp>,
) -> Result<Option<Timestamp>, ApiError> {
    let param = "automatically_finalizes_at";
    match at {
        Some(_) if !terms.auto_advance => Err(ApiError::invalid(
            "automatically_finalizes_at needs auto_advance=true.",
        )
        .param(param)),
        Some(at) if at <= transaction.now => {
            Err(ApiError::invalid("automatically_finalizes_at must be in the future.").param(param))
        }
        at => Ok(at),
    }
}

/// What comes of a subscription.
fn of_subscription(transaction: &Transaction<'_>, id: String) -> Result<Parent, ApiError> {
    let found = transaction.shown_of("subscription", &id)?;
    let found =
        found.ok_or_else(|| ApiError::no_such_param("subscription", &id, "subscription"))?;
    let metadata = found.get("metadata").cloned().unwrap_or_default();
    let metadata = serde_json::from_value(metadata);
    Ok(Parent::Subscription {
        id,
        metadata: metadata.unwrap_or_default(),
    })
}

/// Refuses a number that another invoice has.
fn check_number(transaction: &Transaction<'_>, number: Option<&str>) -> Result<(), ApiError> {
    let Some(number) = number else {
        return Ok(());
    };
    match transaction.having::<Invoice>("number", number)?.is_empty() {
        true => Ok(()),
        false => Err(ApiError::invalid(format!(
            "An invoice with the number {number} already exists: choose another number."
        ))
        .param("number")),
    }
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let filter = created(&mut params)?
        .having("customer", params.text("customer")?)
        .having("status", params.text("status")?)
        .having("collection_method", params.text("collection_method")?)
        .having(
            "parent.subscription_details.subscription",
            params.text("subscription")?,
        );
    let filter = narrowed(filter, &mut params, "due_date", "due_date")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        paging.stored(transaction, Invoice::KIND, URL, &filter)
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let discounts = Wanted::read(&mut params)?;
    let number = params.maybe_empty_text("number", 26)?;
    let finalizes_at = params.integer("automatically_finalizes_at")?;
    let auto_advance = params.tree()?.contains_key("auto_advance");
    let shipping = shipping::Wanted::read(&mut params)?;
    let terms = NewTerms::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = find(transaction, id)?;
        let before = invoice.answer();
        let of_a_draft = terms
            .of_a_draft()
            .or(discounts.is_some().then_some("discounts"))
            .or(number.is_some().then_some("number"))
            .or(shipping.is_some().then_some("shipping_cost"));
        if let Some(field) = of_a_draft
            && !invoice.is_draft()
        {
            return Err(ApiError::invalid(format!(
                "Finalized invoices can't be updated in this way: {field} can only be set on a draft."
            ))
            .code("invoice_not_editable")
            .param(field));
        }
        let customer = invoice.customer.clone();
        terms.apply(transaction, &customer, &mut invoice.terms)?;
        let at = finalization(transaction, &invoice.terms, finalizes_at)?;
        if auto_advance || at.is_some() {
            advance(transaction, &mut invoice, at);
        }
        if let Some(wanted) = discounts {
            let place = Place {
                customer: &customer,
                invoice: Some(id),
                ..Place::default()
            };
            invoice.discounts = wanted.make(transaction, place)?;
        }
        if let Some(wanted) = shipping {
            invoice.shipping = wanted.make(transaction, invoice.currency)?;
        }
        if let Some(number) = number {
            let number = Some(number).filter(|number| !number.is_empty());
            check_number(transaction, number.as_deref())?;
            invoice.number = number;
        }
        draft::update(transaction, &mut invoice, &before)?;
        Ok(invoice.answer())
    }))
}

/// Whether it goes on by itself has changed, or when.
fn advance(transaction: &Transaction<'_>, invoice: &mut Invoice, at: Option<Timestamp>) {
    let soon = collect::first_attempt(invoice, transaction.now, PATIENCE);
    let later = transaction.now.saturating_add(PATIENCE);
    let advances = invoice.terms.auto_advance;
    match &mut invoice.status {
        Status::Draft { finalizes_at } => {
            *finalizes_at = advances.then(|| at.or(*finalizes_at).unwrap_or(later));
        }
        Status::Open { next_attempt } => *next_attempt = soon,
        _ => {}
    }
}

fn delete(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let invoice = find(transaction, id)?;
        if invoice.subscription().is_some() {
            return Err(ApiError::invalid(
                "You can't delete invoices created by subscriptions.",
            ));
        }
        life::delete(transaction, &invoice)?.map_err(|WrongState| {
            ApiError::invalid(
                "You can only delete draft invoices. To cancel a finalized invoice, void it.",
            )
            .code("invoice_not_editable")
        })?;
        Ok(json!({ "id": id, "object": Invoice::KIND, "deleted": true }))
    }))
}

fn finalize(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let auto_advance = params.boolean("auto_advance")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = find(transaction, id)?;
        invoice.terms.auto_advance = auto_advance.unwrap_or(invoice.terms.auto_advance);
        finalized(transaction, &mut invoice)?;
        Ok(invoice.answer())
    }))
}

/// Finalizes a draft, and lets follow what follows.
pub(super) fn finalized(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
) -> Result<(), ApiError> {
    life::finalize(transaction, invoice)?.map_err(NotFinalized::error)?;
    Ok(billing::follow_invoice(transaction, invoice)?)
}

fn send(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = find(transaction, id)?;
        if invoice.terms.collection == Collection::ChargeAutomatically {
            return Err(ApiError::invalid(
                "You can only manually send an invoice if its collection method is set to \
                 'send_invoice'.",
            ));
        }
        if invoice.status == Status::Void {
            return Err(ApiError::invalid("You can't send an invoice that is void."));
        }
        if invoice.billed.email().is_none() {
            return Err(ApiError::invalid(
                "You can't send an invoice to a customer without an email address: set the \
                 customer's `email`.",
            ));
        }
        if invoice.is_draft() {
            finalized(transaction, &mut invoice)?;
        }
        life::send(transaction, &invoice)?;
        Ok(invoice.answer())
    }))
}

fn void(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = find(transaction, id)?;
        life::void(transaction, &mut invoice)?.map_err(|WrongState| {
            ApiError::invalid(format!(
                "You can only pass in open or uncollectible invoices. This invoice isn't open or \
                 uncollectible: it is {}.",
                invoice.status.as_str()
            ))
        })?;
        billing::follow_invoice(transaction, &invoice)?;
        Ok(invoice.answer())
    }))
}

fn mark_uncollectible(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = find(transaction, id)?;
        life::mark_uncollectible(transaction, &mut invoice)?.map_err(|WrongState| {
            ApiError::invalid(format!(
                "You can only mark open invoices as uncollectible. This invoice is {}.",
                invoice.status.as_str()
            ))
        })?;
        billing::follow_invoice(transaction, &invoice)?;
        Ok(invoice.answer())
    }))
}

/// The invoice that a path names.
pub(super) fn find(transaction: &Transaction<'_>, id: &str) -> Result<Invoice, ApiError> {
    let invoice = transaction.get::<Invoice>(id)?;
    invoice.ok_or_else(|| ApiError::no_such(Invoice::KIND, id).param("invoice"))
}
