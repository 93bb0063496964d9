//! `/v1/invoices/create_preview`: the invoice that there would be. Nothing is kept.

use crate::account::currency::Currency;
use crate::engine::ids::{self, CustomerId, InvoiceId};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice::billed::Billed;
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::item::{self, InvoiceItem, Sweep};
use crate::invoice::items_api::likely_currency;
use crate::invoice::life::{self, NewInvoice};
use crate::invoice::priced::NewContent;
use crate::payment::customer;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["invoices", "create_preview"]) => Box::new(create_preview),
        _ => return None,
    })
}

/// An item that is not there, or another than is there.
#[derive(Debug)]
struct Instead {
    /// The pending item that it stands for.
    item: Option<String>,
    content: NewContent,
}

fn create_preview<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let customer = params.text("customer")?;
    let currency = params.currency("currency")?;
    let discounts = Wanted::read(&mut params)?;
    let mut automatic_tax = params.object("automatic_tax")?;
    let taxed = automatic_tax.boolean("enabled")?.unwrap_or(false);
    automatic_tax.finish()?;
    let items = params
        .objects("invoice_items")?
        .into_iter()
        .map(|mut item| {
            let instead = Instead {
                item: item.text("invoiceitem")?,
                content: NewContent::read(&mut item)?,
            };
            item.finish()?;
            Ok(instead)
        });
    let items = items.collect::<Result<Vec<_>, ApiError>>()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        transaction.imagine(|| {
            let customer = match &customer {
                Some(customer) => customer::named(transaction, customer)?,
                // Somebody who is not a customer yet.
                None => CustomerId::of_kept(""),
            };
            let currency = match currency {
                Some(currency) => currency,
                None => likely_currency(transaction, &customer)?,
            };
            let swept = swept(transaction, &customer, currency, items)?;
            let mut new = NewInvoice::of(&customer, currency);
            new.id = Some(InvoiceId::upcoming());
            new.terms.automatic_tax = taxed;
            let place = Place {
                customer: &customer,
                ..Place::default()
            };
            new.discounts = match discounts {
                Some(wanted) => Some(wanted.make(transaction, place)?),
                None => None,
            };
            Ok(life::preview(transaction, new, &swept)?.answer())
        })
    }))
}

/// What waits to be billed, with what is asked for besides or instead.
fn swept(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
    currency: Currency,
    instead: Vec<Instead>,
) -> Result<Vec<InvoiceItem>, ApiError> {
    let mut swept = item::pending(transaction, customer, currency, &Sweep::Loose)?;
    for Instead { item, content } in instead {
        let place = Place {
            customer,
            ..Place::default()
        };
        if let Some(id) = item {
            let known = swept.iter_mut().find(|it| it.id == id);
            let known = known
                .ok_or_else(|| ApiError::no_such_param("invoiceitem", &id, "invoice_items"))?;
            content.apply(transaction, &mut known.content, currency, place)?;
            continue;
        }
        let (content, _) = content.make(transaction, Some(currency), place)?;
        swept.push(InvoiceItem {
            id: ids::plain("ii_tmp_1"),
            created: transaction.now,
            customer: customer.clone(),
            currency,
            content,
            invoice: None,
            subscription: None,
            proration: None,
            test_clock: Billed::now(transaction, customer)?.test_clock,
        });
    }
    Ok(swept)
}
