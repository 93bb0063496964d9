//! `/v1/invoiceitems`.

use serde_json::json;

use crate::account::currency::Currency;
use crate::billing::currency;
use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice::billed::Billed;
use crate::invoice::discount::Place;
use crate::invoice::draft;
use crate::invoice::item::InvoiceItem;
use crate::invoice::line::SubscriptionItem;
use crate::invoice::object::Invoice;
use crate::invoice::priced::NewContent;
use crate::payment::customer;
use crate::webhook::record::record;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, created};
use crate::wire::params::Params;

const URL: &str = "/v1/invoiceitems";

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["invoiceitems"]) => Box::new(create),
        ("GET", ["invoiceitems"]) => Box::new(list),
        ("POST", ["invoiceitems", id]) => Box::new(move |params| update(id, params)),
        ("DELETE", ["invoiceitems", id]) => Box::new(move |params| delete(id, params)),
        _ => return None,
    })
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let customer = params.text("customer")?;
    let invoice = params.text("invoice")?;
    let subscription = params.text("subscription")?;
    let content = NewContent::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = match &invoice {
            Some(id) => Some(find_draft(transaction, id, "invoice")?),
            None => None,
        };
        let customer = match (&customer, &invoice) {
            (Some(customer), _) => customer::named(transaction, customer)?,
            (None, Some(invoice)) => invoice.customer.clone(),
            (None, None) => return Err(ApiError::missing("customer")),
        };
        if invoice.as_ref().is_some_and(|it| it.customer != customer) {
            return Err(
                ApiError::invalid("The invoice belongs to another customer.").param("invoice"),
            );
        }
        let subscription = match subscription {
            Some(id) => Some(subscription_of(transaction, id, &customer)?),
            None => None,
        };
        let id = ids::plain("ii_1");
        let place = Place {
            customer: &customer,
            invoice_item: Some(&id),
            ..Place::default()
        };
        let otherwise = match &invoice {
            Some(invoice) => Some(invoice.currency),
            None => currency::of(transaction, &customer)?,
        };
        let (content, currency) = content.make(transaction, otherwise, place)?;
        if invoice.as_ref().is_some_and(|it| it.currency != currency) {
            return Err(ApiError::invalid(format!(
                "The currency of the invoice item ({currency}) is not that of the invoice."
            ))
            .param("currency"));
        }
        check_subscription(transaction, subscription.as_ref(), currency)?;
        let item = InvoiceItem {
            created: transaction.now,
            currency,
            content,
            invoice: invoice.as_ref().map(|invoice| invoice.id.clone()),
            subscription,
            proration: None,
            test_clock: Billed::now(transaction, &customer, currency)?.test_clock,
            id,
            customer,
        };
        currency::adopt_first(transaction, &item.customer, item.currency)?;
        transaction.put(&item)?;
        record(transaction, "invoiceitem.created", &item)?;
        if let Some(invoice) = &mut invoice {
            let before = invoice.answer();
            invoice.lines.push(item.line());
            draft::update(transaction, invoice, &before)?;
        }
        Ok(item.answer())
    }))
}

/// The currency of an invoice of which nothing is said: its customer's, that of what waits to be billed,
/// or the account's.
pub(super) fn likely_currency(
    transaction: &Transaction<'_>,
    customer: &str,
) -> anyhow::Result<Currency> {
    if let Some(currency) = currency::of(transaction, customer)? {
        return Ok(currency);
    }
    let items: Vec<InvoiceItem> = transaction.having("customer", customer)?;
    let waiting = items.iter().rev().find(|item| item.invoice.is_none());
    Ok(waiting.map_or(Currency::SETTLEMENT, |item| item.currency))
}

fn subscription_of(
    transaction: &Transaction<'_>,
    id: String,
    customer: &str,
) -> Result<SubscriptionItem, ApiError> {
    let found = transaction.shown_of("subscription", &id)?;
    match found.filter(|it| it["customer"] == customer) {
        Some(_) => Ok(SubscriptionItem {
            subscription: id,
            item: None,
        }),
        None => Err(ApiError::no_such_param("subscription", &id, "subscription")),
    }
}

/// Refuses an item that no invoice of its subscription would ever have.
fn check_subscription(
    transaction: &Transaction<'_>,
    of: Option<&SubscriptionItem>,
    currency: Currency,
) -> Result<(), ApiError> {
    let found = match of {
        Some(of) => transaction.shown_of("subscription", &of.subscription)?,
        None => None,
    };
    match found.as_ref().and_then(currency::shown) {
        Some(other) if other != currency => Err(ApiError::invalid(format!(
            "The currency of the invoice item ({currency}) is not that of the subscription ({other})."
        ))
        .param("currency")),
        _ => Ok(()),
    }
}

fn list<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let mut filter = created(&mut params)?
        .having("customer", params.text("customer")?)
        .having("invoice", params.text("invoice")?);
    match params.boolean("pending")? {
        Some(true) => filter = filter.and("shown ->> '$.invoice' IS NULL", []),
        Some(false) => filter = filter.and("shown ->> '$.invoice' IS NOT NULL", []),
        None => {}
    }
    params.finish()?;
    Ok(Box::new(move |transaction| {
        paging.stored(transaction, InvoiceItem::KIND, URL, &filter)
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let content = NewContent::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut item = find(transaction, id)?;
        let mut invoice = changeable(transaction, &item)?;
        let place = Place {
            customer: &item.customer,
            invoice_item: Some(id),
            ..Place::default()
        };
        content.apply(transaction, &mut item.content, item.currency, place)?;
        transaction.put(&item)?;
        if let Some(invoice) = &mut invoice {
            let before = invoice.answer();
            let line = invoice.lines.iter_mut().find(|it| it.item() == Some(id));
            if let Some(line) = line {
                line.content = item.content.clone();
            }
            draft::update(transaction, invoice, &before)?;
        }
        Ok(item.answer())
    }))
}

fn delete(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let item = find(transaction, id)?;
        let invoice = changeable(transaction, &item)?;
        transaction.delete(InvoiceItem::KIND, id)?;
        record(transaction, "invoiceitem.deleted", &item)?;
        if let Some(mut invoice) = invoice {
            let before = invoice.answer();
            invoice.lines.retain(|line| line.item() != Some(id));
            draft::update(transaction, &mut invoice, &before)?;
        }
        Ok(json!({ "id": id, "object": InvoiceItem::KIND, "deleted": true }))
    }))
}

/// The draft that an item is on, if it is on one. Refuses what is on an invoice that is final.
fn changeable(
    transaction: &Transaction<'_>,
    item: &InvoiceItem,
) -> Result<Option<Invoice>, ApiError> {
    let Some(id) = &item.invoice else {
        return Ok(None);
    };
    let invoice: Invoice = transaction.existing(id)?;
    match invoice.is_draft() {
        true => Ok(Some(invoice)),
        false => Err(ApiError::invalid(format!(
            "The invoice item {} is on the finalized invoice {id}: it can no longer be changed or \
             deleted.",
            item.id
        ))
        .code("invoice_not_editable")),
    }
}

/// The draft with this id, which a parameter names.
pub(super) fn find_draft(
    transaction: &Transaction<'_>,
    id: &str,
    param: &'static str,
) -> Result<Invoice, ApiError> {
    let invoice = transaction.get::<Invoice>(id)?;
    let invoice = invoice.ok_or_else(|| ApiError::no_such(Invoice::KIND, id).param(param))?;
    match invoice.is_draft() {
        true => Ok(invoice),
        false => Err(ApiError::invalid(format!(
            "Only a draft can be changed in this way: the invoice {id} is {}.",
            invoice.status.as_str()
        ))
        .code("invoice_not_editable")
        .param(param)),
    }
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<InvoiceItem, ApiError> {
    let item = transaction.get::<InvoiceItem>(id)?;
    item.ok_or_else(|| ApiError::no_such(InvoiceItem::KIND, id).param("invoiceitem"))
}
