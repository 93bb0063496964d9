//! A quote of recurring prices that is accepted: the call that begins its subscription is made.

use url::form_urlencoded::Serializer;

use crate::engine::ids::CustomerId;
use crate::engine::transaction::Transaction;
use crate::quote::life::DAYS_UNTIL_DUE;
use crate::quote::object::Quote;
use crate::subscription::object::Subscription;
use crate::subscription::start::Wish;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// Begins the subscription that a quote becomes.
pub(super) fn start(
    transaction: &Transaction<'_>,
    quote: &Quote,
    customer: &CustomerId,
) -> Result<Subscription, ApiError> {
    let mut params = Params::parse(form(quote, customer).as_bytes())?;
    let wish = Wish::read(&mut params)?;
    params.finish()?;
    wish.start(transaction)
}

/// The parameters of the call. What is billed once comes on the first invoice.
fn form(quote: &Quote, customer: &CustomerId) -> String {
    let terms = &quote.terms;
    let mut form = Serializer::new(String::new());
    form.append_pair("customer", customer);
    for (at, line) in quote.lines.iter().enumerate() {
        let list = match line.interval() {
            Some(_) => "items",
            None => "add_invoice_items",
        };
        let content = &line.line.content;
        let of_line = |field: &str| format!("{list}[{at}]{field}");
        form.append_pair(&of_line("[price]"), &content.pricing.price);
        form.append_pair(&of_line("[quantity]"), &content.quantity.to_string());
        for (rate_at, rate) in content.rates.iter().enumerate() {
            form.append_pair(&of_line(&format!("[tax_rates][{rate_at}]")), rate.id());
        }
        for (discount_at, discount) in content.discounts.iter().enumerate() {
            let field = format!("[discounts][{discount_at}][discount]");
            form.append_pair(&of_line(&field), discount.id());
        }
    }
    for (at, discount) in quote.discounts.iter().enumerate() {
        form.append_pair(&format!("discounts[{at}][discount]"), discount.id());
    }
    for (at, rate) in terms.default_tax_rates.iter().enumerate() {
        form.append_pair(&format!("default_tax_rates[{at}]"), rate.id());
    }
    form.append_pair("collection_method", &terms.collection_method);
    if terms.collection_method == "send_invoice" {
        let days = terms.days_until_due.unwrap_or(DAYS_UNTIL_DUE);
        form.append_pair("days_until_due", &days.to_string());
    }
    if let Some(description) = &terms.subscription.description {
        form.append_pair("description", description);
    }
    if let Some(days) = terms.subscription.trial_period_days {
        form.append_pair("trial_period_days", &days.to_string());
    }
    for (key, value) in &terms.subscription.metadata {
        form.append_pair(&format!("metadata[{key}]"), value);
    }
    form.finish()
}
