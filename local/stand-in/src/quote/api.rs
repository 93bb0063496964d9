//! `/v1/quotes`.

use serde_json::Value;

use crate::account::currency::Currency;
use crate::billing::currency;
use crate::engine::clock;
use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::invoice::discount::{Discount, Place, Wanted};
use crate::quote::life::{self, WrongState};
use crate::quote::line::{NewLine, QuoteLine};
use crate::quote::object::{Quote, Status, Transitions};
use crate::quote::subscribe;
use crate::quote::terms::{NewTerms, Terms};
use crate::subscription::price::check_distinct;
use crate::webhook::record::record;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::{Paging, in_the_future};
use crate::wire::params::Params;

/// How long a quote can be accepted unless somebody says otherwise.
const LASTS: Timestamp = 30 * DAY;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["quotes"]) => Box::new(create),
        ("POST", ["quotes", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["quotes", id, "finalize"]) => Box::new(move |params| finalize(id, params)),
        ("POST", ["quotes", id, "accept"]) => Box::new(move |params| accept(id, params)),
        ("POST", ["quotes", id, "cancel"]) => Box::new(move |params| cancel(id, params)),
        ("GET", ["quotes", id, "line_items" | "computed_upfront_line_items"]) => {
            Box::new(move |params| lines(id, params))
        }
        _ => return None,
    })
}

/// A quote, or a change of one, as asked for.
#[derive(Debug)]
struct Wish {
    terms: NewTerms,
    lines: Option<Vec<NewLine>>,
    discounts: Option<Wanted>,
    expires_at: Option<Timestamp>,
}

impl Wish {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        Ok(Self {
            lines: NewLine::read_all(params)?,
            discounts: Wanted::read(params)?,
            expires_at: params.integer("expires_at")?,
            terms: NewTerms::read(params)?,
        })
    }

    fn apply(self, transaction: &Transaction<'_>, quote: &mut Quote) -> Result<(), ApiError> {
        in_the_future("expires_at", self.expires_at, transaction.now)?;
        quote.expires_at = self.expires_at.unwrap_or(quote.expires_at);
        self.terms.apply(transaction, &mut quote.terms)?;
        let customer = quote
            .terms
            .customer
            .as_deref()
            .unwrap_or_default()
            .to_owned();
        let place = Place {
            customer: &customer,
            ..Place::default()
        };
        if let Some(wanted) = self.discounts {
            quote.discounts = wanted.make(transaction, place)?;
        }
        if let Some(new) = self.lines {
            sell(transaction, quote, new, place)?;
        }
        bind(transaction, quote)
    }
}

/// The quote offers these lines from now on.
fn sell(
    transaction: &Transaction<'_>,
    quote: &mut Quote,
    new: Vec<NewLine>,
    place: Place<'_>,
) -> Result<(), ApiError> {
    let mut lines: Vec<QuoteLine> = Vec::new();
    let mut common: Option<Currency> = None;
    let refuse = |message: &str| Err(ApiError::invalid(message).param("line_items"));
    for line in new {
        let (line, currency) = line.make(transaction, &quote.lines, place)?;
        if *common.get_or_insert(currency) != currency {
            return refuse("All line items must be in the same currency.");
        }
        lines.push(line);
    }
    let recurring = || lines.iter().filter(|line| line.interval().is_some());
    let mut intervals = recurring().map(QuoteLine::interval);
    let first = intervals.next();
    if intervals.any(|other| Some(other) != first) {
        return refuse("All recurring line items must have the same interval.");
    }
    check_distinct(recurring().map(QuoteLine::price_id))
        .map_err(|error| error.param("line_items"))?;
    quote.currency = common;
    quote.lines = lines;
    Ok(())
}

/// The customer is billed in the currency of what they are offered.
fn bind(transaction: &Transaction<'_>, quote: &Quote) -> Result<(), ApiError> {
    if let (Some(customer), Some(currency)) = (&quote.terms.customer, quote.currency) {
        currency::check(transaction, customer, currency, Some(&quote.id))?;
        currency::adopt(transaction, customer, currency)?;
    }
    Ok(())
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let wish = Wish::read(&mut params)?;
    let clock = params.text("test_clock")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut quote = Quote {
            id: ids::plain("qt_1"),
            created: transaction.now,
            status: Status::Draft,
            currency: None,
            lines: Vec::new(),
            discounts: Vec::<Discount>::new(),
            terms: Terms::default(),
            number: None,
            expires_at: transaction.now.saturating_add(LASTS),
            transitions: Transitions::default(),
            invoice: None,
            subscription: None,
            test_clock: clock,
        };
        wish.apply(transaction, &mut quote)?;
        if let Some(customer) = &quote.terms.customer {
            quote.test_clock = clock::of(transaction.sql, customer)?;
        }
        transaction.put(&quote)?;
        record(transaction, "quote.created", &quote)?;
        Ok(quote.answer())
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let wish = Wish::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut quote = find(transaction, id)?;
        if quote.status != Status::Draft {
            return Err(wrong(&quote, "updated", "a draft"));
        }
        wish.apply(transaction, &mut quote)?;
        transaction.put(&quote)?;
        Ok(quote.answer())
    }))
}

fn finalize(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let expires_at = params.integer("expires_at")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut quote = find(transaction, id)?;
        in_the_future("expires_at", expires_at, transaction.now)?;
        if quote.lines.is_empty() {
            return Err(ApiError::invalid(
                "A quote needs at least one line item before it can be finalized.",
            ));
        }
        if quote.terms.customer.is_none() {
            return Err(
                ApiError::invalid("A quote needs a customer before it can be finalized.")
                    .param("customer"),
            );
        }
        quote.expires_at = expires_at.unwrap_or(quote.expires_at);
        let done = life::finalize(transaction, &mut quote)?;
        done.map_err(|WrongState| wrong(&quote, "finalized", "a draft"))?;
        Ok(quote.answer())
    }))
}

fn accept(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut quote = find(transaction, id)?;
        let (Status::Open, Some(customer)) = (quote.status, quote.terms.customer.clone()) else {
            return Err(wrong(&quote, "accepted", "open"));
        };
        match quote.is_recurring() {
            true => {
                let subscription = subscribe::start(transaction, &quote, &customer)?;
                quote.subscription = Some(subscription.id.to_string());
            }
            false => {
                let invoice = life::bill(transaction, &quote, &customer)?;
                quote.invoice = invoice.map(|invoice| invoice.id.to_string());
            }
        }
        life::accept(transaction, &mut quote)?;
        Ok(quote.answer())
    }))
}

fn cancel(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut quote = find(transaction, id)?;
        let done = life::cancel(transaction, &mut quote)?;
        done.map_err(|WrongState| wrong(&quote, "canceled", "a draft or open"))?;
        Ok(quote.answer())
    }))
}

fn lines<'r>(id: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let quote = find(transaction, id)?;
        let lines: Vec<Value> = quote.lines_shown();
        paging.listed(&quote.lines_url(), lines.into_iter())
    }))
}

fn wrong(quote: &Quote, what: &str, needed: &str) -> ApiError {
    ApiError::invalid(format!(
        "This quote cannot be {what}: it is {}, and has to be {needed}.",
        quote.status.as_str()
    ))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Quote, ApiError> {
    let quote = transaction.get::<Quote>(id)?;
    quote.ok_or_else(|| ApiError::no_such(Quote::KIND, id).param("quote"))
}
