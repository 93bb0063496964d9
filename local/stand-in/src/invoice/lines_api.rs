//! The lines of an invoice: `/v1/invoices/{invoice}/lines`, and `add_lines`, `update_lines` and
//! `remove_lines` beside it.

use serde_json::Value;

use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::Place;
use crate::invoice::draft;
use crate::invoice::item::InvoiceItem;
use crate::invoice::items_api::find_draft;
use crate::invoice::line::Line;
use crate::invoice::object::Invoice;
use crate::invoice::priced::NewContent;
use crate::webhook::record::record;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::{MetadataUpdate, Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["invoices", id, "lines"]) => Box::new(move |params| list(id, params)),
        ("POST", ["invoices", id, "lines", line]) => {
            Box::new(move |params| update_one(id, line, params))
        }
        ("POST", ["invoices", id, "add_lines"]) => {
            Box::new(move |params| change(id, params, Change::add))
        }
        ("POST", ["invoices", id, "update_lines"]) => {
            Box::new(move |params| change(id, params, Change::update))
        }
        ("POST", ["invoices", id, "remove_lines"]) => {
            Box::new(move |params| change(id, params, Change::remove))
        }
        _ => return None,
    })
}

fn list<'r>(id: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let invoice = transaction.get::<Invoice>(id)?;
        let invoice = invoice.ok_or_else(|| no_such(id))?;
        let lines = invoice.lines_shown(&invoice.totals());
        paging.listed(&invoice.lines_url(), lines.into_iter())
    }))
}

fn no_such(id: &str) -> ApiError {
    ApiError::no_such(Invoice::KIND, id).param("invoice")
}

/// What is to become of a line.
#[derive(Debug)]
enum Change {
    Add(Box<NewContent>),
    /// A pending item comes on the invoice.
    AddItem {
        id: String,
        param: String,
    },
    Update {
        id: String,
        param: String,
        content: Box<NewContent>,
    },
    Remove {
        id: String,
        param: String,
        /// The item behind it waits for another invoice.
        unassigns: bool,
    },
}

impl Change {
    fn add(mut line: Params) -> Result<Self, ApiError> {
        let item = line.text("invoice_item")?;
        let change = match item {
            Some(id) => Self::AddItem {
                id,
                param: line.name("invoice_item"),
            },
            None => Self::Add(Box::new(NewContent::read(&mut line)?)),
        };
        line.finish()?;
        Ok(change)
    }

    fn update(mut line: Params) -> Result<Self, ApiError> {
        let change = Self::Update {
            id: line.text("id").required(&line, "id")?,
            param: line.name("id"),
            content: Box::new(NewContent::read(&mut line)?),
        };
        line.finish()?;
        Ok(change)
    }

    fn remove(mut line: Params) -> Result<Self, ApiError> {
        let behavior = line
            .choice("behavior", &["delete", "unassign"])
            .required(&line, "behavior")?;
        let change = Self::Remove {
            id: line.text("id").required(&line, "id")?,
            param: line.name("id"),
            unassigns: behavior == "unassign",
        };
        line.finish()?;
        Ok(change)
    }

    fn make(self, transaction: &Transaction<'_>, invoice: &mut Invoice) -> Result<(), ApiError> {
        match self {
            Self::Add(content) => add(transaction, invoice, *content),
            Self::AddItem { id, param } => {
                let item = transaction.get::<InvoiceItem>(&id)?;
                let item = item.filter(|item| {
                    item.invoice.is_none()
                        && item.customer == invoice.customer
                        && item.currency == invoice.currency
                });
                let mut item = item
                    .ok_or_else(|| ApiError::no_such_param("pending invoice item", &id, &param))?;
                item.invoice = Some(invoice.id.clone());
                transaction.put(&item)?;
                invoice.lines.push(item.line());
                Ok(())
            }
            Self::Update { id, param, content } => {
                update(transaction, invoice, &id, &param, *content).map(|_| ())
            }
            Self::Remove {
                id,
                param,
                unassigns,
            } => remove(transaction, invoice, &id, &param, unassigns),
        }
    }
}

fn change<'r>(
    id: &'r str,
    mut params: Params,
    read: fn(Params) -> Result<Change, ApiError>,
) -> Result<Work<'r>, ApiError> {
    let lines = params.objects("lines")?.into_iter().map(read);
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    let metadata: MetadataUpdate = params.metadata_update("invoice_metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = find_draft(transaction, id, "invoice")?;
        let before = invoice.answer();
        for line in lines {
            line.make(transaction, &mut invoice)?;
        }
        metadata.apply(&mut invoice.terms.metadata)?;
        draft::update(transaction, &mut invoice, &before)?;
        Ok(invoice.answer())
    }))
}

/// A line that somebody adds has an item behind it, too.
fn add(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    content: NewContent,
) -> Result<(), ApiError> {
    let id = ids::plain("ii_1");
    let customer = invoice.customer.clone();
    let place = Place {
        customer: &customer,
        invoice_item: Some(&id),
        ..Place::default()
    };
    let (content, currency) = content.make(transaction, Some(invoice.currency), place)?;
    if currency != invoice.currency {
        return Err(ApiError::invalid(format!(
            "The line is in {currency}, but the invoice is in {}.",
            invoice.currency
        ))
        .param("lines"));
    }
    let item = InvoiceItem {
        created: transaction.now,
        currency,
        content,
        invoice: Some(invoice.id.clone()),
        subscription: None,
        proration: None,
        test_clock: invoice.billed.test_clock.clone(),
        id,
        customer: invoice.customer.clone(),
    };
    transaction.put(&item)?;
    record(transaction, "invoiceitem.created", &item)?;
    invoice.lines.push(item.line());
    Ok(())
}

/// Changes a line, and the item behind it. Returns where it is.
fn update(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    id: &str,
    param: &str,
    content: NewContent,
) -> Result<usize, ApiError> {
    let at = invoice.lines.iter().position(|line| line.id == id);
    let (at, line) = at
        .and_then(|at| Some((at, invoice.lines.get_mut(at)?)))
        .ok_or_else(|| ApiError::no_such_param("invoice line item", id, param))?;
    let place = Place {
        customer: &invoice.customer,
        invoice: Some(&invoice.id),
        ..Place::default()
    };
    content.apply(transaction, &mut line.content, invoice.currency, place)?;
    if let Some(item) = line.item()
        && let Some(mut item) = transaction.get::<InvoiceItem>(item)?
    {
        item.content = line.content.clone();
        transaction.put(&item)?;
    }
    Ok(at)
}

fn remove(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
    id: &str,
    param: &str,
    unassigns: bool,
) -> Result<(), ApiError> {
    let line: &Line = invoice
        .lines
        .iter()
        .find(|line| line.id == id)
        .ok_or_else(|| ApiError::no_such_param("invoice line item", id, param))?;
    if let Some(item) = line.item()
        && let Some(mut item) = transaction.get::<InvoiceItem>(item)?
    {
        match unassigns {
            true => {
                item.invoice = None;
                transaction.put(&item)?;
            }
            false => {
                transaction.delete(InvoiceItem::KIND, &item.id)?;
                record(transaction, "invoiceitem.deleted", &item)?;
            }
        }
    }
    invoice.lines.retain(|line| line.id != id);
    Ok(())
}

fn update_one<'r>(id: &'r str, line: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let content = NewContent::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut invoice = find_draft(transaction, id, "invoice")?;
        let before = invoice.answer();
        let at = update(transaction, &mut invoice, line, "line_item_id", content)?;
        draft::update(transaction, &mut invoice, &before)?;
        let lines = invoice.lines_shown(&invoice.totals());
        let shown: Option<Value> = lines.into_iter().nth(at);
        Ok(shown.unwrap_or_default())
    }))
}
