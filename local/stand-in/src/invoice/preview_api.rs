//! `/v1/invoices/create_preview`: the invoice that there would be. Nothing is kept. Up to acacia it was
//! `GET /v1/invoices/upcoming`, which took what is now in `subscription_details` one by one.

use crate::account::currency::Currency;
use crate::engine::ids::{self, CustomerId};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice::discount::{Place, Wanted};
use crate::invoice::draft::{self, NewInvoice};
use crate::invoice::item::{self, Sweep};
use crate::invoice::items_api::likely_currency;
use crate::invoice::line::{Line, Source};
use crate::invoice::object::Invoice;
use crate::invoice::priced::NewContent;
use crate::payment::customer;
use crate::subscription::api;
use crate::subscription::bill::upcoming;
use crate::subscription::change::Change;
use crate::subscription::life::{self, Paying};
use crate::subscription::object::{Status, Subscription};
use crate::subscription::start::Wish;
use crate::subscription::terms::MissingPaymentMethod;
use crate::subscription::time;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::Params;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    // In a newer version, `upcoming` is the id of an invoice that is not there.
    Some(match (asked.method, asked.operation.template) {
        ("POST", "/v1/invoices/create_preview") => Box::new(create_preview),
        ("GET", "/v1/invoices/upcoming") => Box::new(|params| create_preview(of_today(params))),
        ("GET", "/v1/invoices/upcoming/lines") => Box::new(upcoming_lines),
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

/// Whose invoice is to be shown.
#[derive(Debug)]
enum Of {
    /// What waits to be billed of a customer.
    Customer,
    /// What a subscription bills next, once it is changed if it is to be.
    Subscription {
        id: String,
        change: Option<Box<Change>>,
    },
    /// What a subscription would bill first.
    New(Box<Wish>),
}

impl Of {
    fn read(params: &mut Params, customer: Option<&str>) -> Result<Self, ApiError> {
        let id = params.text("subscription")?;
        let details = params.optional_object("subscription_details")?;
        let of = match (id, details, customer) {
            (None, None, _) => return Ok(Self::Customer),
            (Some(id), None, _) => {
                return Ok(Self::Subscription { id, change: None });
            }
            (Some(id), Some(mut details), _) => {
                let change = Some(Box::new(api::change(&mut details)?));
                details.finish()?;
                Self::Subscription { id, change }
            }
            (None, Some(_), None) => return Err(ApiError::missing("customer")),
            (None, Some(mut details), Some(customer)) => {
                details.set("customer", customer);
                let wish = Wish::read(&mut details)?;
                details.finish()?;
                Self::New(Box::new(wish))
            }
        };
        Ok(of)
    }

    /// The invoice that a subscription brings; nothing for a customer alone.
    fn invoice(self, transaction: &Transaction<'_>) -> Result<Option<Invoice>, ApiError> {
        let subscription = match self {
            Self::Customer => return Ok(None),
            Self::New(mut wish) => {
                wish.paying = Paying::PREVIEW;
                let begun = wish.start(transaction)?;
                return latest(transaction, &begun);
            }
            Self::Subscription { id, change } => {
                let found = transaction.get::<Subscription>(&id)?;
                let found = found.ok_or_else(|| {
                    ApiError::no_such(Subscription::KIND, &id).param("subscription")
                })?;
                let before = found.latest_invoice.clone();
                let changed = match change {
                    Some(mut change) => {
                        change.paying = Paying::PREVIEW;
                        change.make(transaction, found)?
                    }
                    None => found,
                };
                // What the change bills at once is what it is asked about.
                if changed.latest_invoice != before {
                    return latest(transaction, &changed);
                }
                changed
            }
        };
        next(transaction, subscription).map(Some)
    }
}

/// What a subscription bills next by itself.
fn next(transaction: &Transaction<'_>, subscription: Subscription) -> Result<Invoice, ApiError> {
    let none = |why: String| ApiError::invalid(why).code("invoice_upcoming_none");
    let nothing = || {
        none(format!(
            "No upcoming invoices for customer: {}",
            subscription.customer
        ))
    };
    let is_billed = subscription.status != Status::Paused;
    let period = subscription.next_period().filter(|_| is_billed);
    let period = period.ok_or_else(nothing)?;
    let stops = match time::after_trial(transaction, &subscription)? {
        MissingPaymentMethod::CreateInvoice => None,
        MissingPaymentMethod::Cancel => Some("cancel"),
        MissingPaymentMethod::Pause => Some("pause"),
    };
    if let Some(stops) = stops {
        return Err(none(format!(
            "The subscription will {stops} at the end of the trial instead of generating an invoice \
             because the customer has not provided a payment method and \
             trial_settings[end_behavior][missing_payment_method] is set to `{stops}`."
        )));
    }
    let ends = subscription
        .ends_at()
        .is_some_and(|end| end <= period.start);
    match ends && life::waiting(transaction, &subscription)?.is_empty() {
        true => Err(nothing()),
        false => Ok(upcoming(transaction, &subscription, period)?),
    }
}

/// What has just been billed of a subscription.
fn latest(
    transaction: &Transaction<'_>,
    subscription: &Subscription,
) -> Result<Option<Invoice>, ApiError> {
    match &subscription.latest_invoice {
        Some(id) => Ok(transaction.get::<Invoice>(id)?),
        None => Ok(None),
    }
}

fn create_preview<'r>(params: Params) -> Result<Work<'r>, ApiError> {
    let preview = preview(params)?;
    Ok(Box::new(move |transaction| {
        Ok(preview(transaction)?.answer())
    }))
}

fn upcoming_lines<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let preview = preview(of_today(params))?;
    Ok(Box::new(move |transaction| {
        let invoice = preview(transaction)?;
        let lines = invoice.lines_shown(&invoice.totals());
        paging.listed("/v1/invoices/upcoming/lines", lines.into_iter())
    }))
}

/// Parameters of acacia where they are today.
fn of_today(mut params: Params) -> Params {
    for name in params.left() {
        match name.strip_prefix("subscription_") {
            None | Some("details") => {}
            Some(today) => params.nest(&name, &["subscription_details"], today),
        }
    }
    params.nest("coupon", &["discounts", "0"], "coupon");
    params
}

/// Works out an invoice.
type Preview<'r> = Box<dyn FnOnce(&Transaction<'_>) -> Result<Invoice, ApiError> + 'r>;

fn preview<'r>(mut params: Params) -> Result<Preview<'r>, ApiError> {
    let customer = params.text("customer")?;
    let of = Of::read(&mut params, customer.as_deref())?;
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
    if items.is_empty() && matches!(of, Of::Customer) {
        return Err(ApiError::invalid(
            "You must provide at least one of: `subscription`, `schedule`, \
             `subscription_details.items`, `schedule_details.phases`, `invoice_items`.",
        ));
    }
    Ok(Box::new(move |transaction| {
        transaction.imagine(|| {
            let place = Place {
                customer: customer.as_deref().unwrap_or_default(),
                ..Place::default()
            };
            let discounts = match discounts {
                Some(wanted) => Some(wanted.make(transaction, place)?),
                None => None,
            };
            let mut invoice = match of.invoice(transaction)? {
                Some(invoice) => invoice,
                None => of_customer(transaction, customer.as_deref(), currency)?,
            };
            for instead in items {
                instead.put(transaction, &mut invoice)?;
            }
            invoice.terms.automatic_tax |= taxed;
            invoice.discounts = discounts.unwrap_or(invoice.discounts);
            draft::refresh(transaction, &mut invoice)?;
            Ok(invoice.into_upcoming())
        })
    }))
}

/// What waits to be billed of a customer, or of somebody who is none yet.
fn of_customer(
    transaction: &Transaction<'_>,
    customer: Option<&str>,
    currency: Option<Currency>,
) -> Result<Invoice, ApiError> {
    let customer = match customer {
        Some(customer) => customer::named(transaction, customer)?,
        None => CustomerId::of_kept(""),
    };
    let currency = match currency {
        Some(currency) => currency,
        None => likely_currency(transaction, &customer)?,
    };
    let swept = item::pending(transaction, &customer, currency, &Sweep::Loose)?;
    let new = NewInvoice::of(&customer, currency);
    Ok(draft::preview(transaction, new, &swept)?)
}

impl Instead {
    fn put(self, transaction: &Transaction<'_>, invoice: &mut Invoice) -> Result<(), ApiError> {
        let customer = invoice.customer.clone();
        let place = Place {
            customer: &customer,
            ..Place::default()
        };
        let currency = invoice.currency;
        if let Some(id) = self.item {
            let known = invoice
                .lines
                .iter_mut()
                .find(|it| it.item() == Some(id.as_str()));
            let known = known
                .ok_or_else(|| ApiError::no_such_param("invoiceitem", &id, "invoice_items"))?;
            return self
                .content
                .apply(transaction, &mut known.content, currency, place);
        }
        let (content, _) = self.content.make(transaction, Some(currency), place)?;
        let source = Source::Item {
            item: ids::plain("ii_tmp_1"),
            subscription: None,
            proration: None,
        };
        invoice.lines.push(Line::new(content, source));
        Ok(())
    }
}
