//! The Checkout session of a purchase.

use std::collections::HashMap;

use serde::Deserialize;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing,
    CreateCheckoutSessionInvoiceCreation, CreateCheckoutSessionInvoiceCreationInvoiceData,
    CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    CreateCheckoutSessionLineItemsPriceDataRecurring,
    CreateCheckoutSessionLineItemsPriceDataRecurringInterval,
    CreateCheckoutSessionPaymentIntentData, CreateCheckoutSessionPaymentMethodCollection,
    CreateCheckoutSessionPhoneNumberCollection, CreateCheckoutSessionShippingAddressCollection,
    CreateCheckoutSessionShippingAddressCollectionAllowedCountries,
    CreateCheckoutSessionShippingOptions, CreateCheckoutSessionShippingOptionsShippingRateData,
    CreateCheckoutSessionShippingOptionsShippingRateDataFixedAmount,
    CreateCheckoutSessionShippingOptionsShippingRateDataType,
    CreateCheckoutSessionSubscriptionData, ProductData,
};
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};
use stripe_shared::CheckoutSessionMode;
use stripe_types::Currency;

use super::{
    client::{Client, OBJECT, StripeError},
    metadata,
};

mod taxes;
use crate::{
    product::{Interval, Recurring},
    purchase::{Line, Order, Purchase, SessionId},
    shipping::{Country, Offer, OfferedRate},
};

/// What we read of the session that Stripe opened.
#[derive(Debug, Deserialize)]
pub struct OpenedSession {
    /// `cs_…`
    pub id: SessionId,
    /// Where the buyer pays.
    pub url: String,
}

/// Opens the session of a purchase's current attempt. A repeated call gets the same answer.
pub async fn open(
    stripe: &Client,
    purchase: &Purchase,
    site_url: &str,
    stack: &str,
) -> Result<OpenedSession, StripeError> {
    let key = format!("{}:{}", purchase.id(), purchase.attempt().number);
    stripe
        .send(
            &request(purchase, site_url, stack).build(),
            Some(&key),
            OBJECT,
        )
        .await
}

/// Ends an open session, so that nobody can pay it any more. Stripe refuses with a 400 if it is not
/// open. It has no idempotency key: it cannot happen twice, and with a key Stripe would repeat a
/// failure of its own for a day.
pub async fn expire(
    stripe: &Client,
    session: &SessionId,
) -> Result<super::object::Session, StripeError> {
    let path = format!("/checkout/sessions/{session}/expire");
    let request = RequestBuilder::new(StripeMethod::Post, path);
    stripe.send(&request, None, OBJECT).await
}

fn request(purchase: &Purchase, site_url: &str, stack: &str) -> CreateCheckoutSession {
    let (id, order, attempt) = (purchase.id(), purchase.order(), purchase.attempt());
    let mut tags = HashMap::from([
        (metadata::PURCHASE_ID.to_owned(), id.to_string()),
        (metadata::STACK.to_owned(), stack.to_owned()),
    ]);
    if let Some(subject) = &order.buyer.subject {
        tags.insert(metadata::BUYER.to_owned(), subject.clone());
    }
    let lines = order.lines.iter().map(|line| item(line, order));
    // Buyers pay in the order's currency. No payment methods are named, so the account's settings
    // choose them.
    let mut adaptive_pricing = CreateCheckoutSessionAdaptivePricing::new();
    adaptive_pricing.enabled = Some(false);

    let request = CreateCheckoutSession::new()
        .client_reference_id(id.to_string())
        .metadata(tags.clone())
        .line_items(lines.collect::<Vec<_>>())
        .adaptive_pricing(adaptive_pricing)
        .allow_promotion_codes(true)
        .expires_at(attempt.expires_at)
        .success_url(format!("{site_url}/success.html?purchase_id={id}"))
        .cancel_url(format!("{site_url}/cancel.html?purchase_id={id}"));
    let request = match order.recurring() {
        Some(recurring) => subscribe(request, order, recurring, tags),
        None => {
            let request = request.mode(CheckoutSessionMode::Payment);
            let request = match order.billing.invoice {
                true => request.invoice_creation(invoice(tags.clone())),
                false => request,
            };
            let mut intent = CreateCheckoutSessionPaymentIntentData::new();
            intent.metadata = Some(tags);
            request.payment_intent_data(intent)
        }
    };
    let request = match &order.shipping {
        Some(offer) => deliver(request, offer, order),
        None => request,
    };
    let request = match order.billing.automatic_tax {
        true => taxes::reckon(request, order),
        false => request,
    };
    match (&order.customer, &order.buyer.email) {
        (Some(customer), _) => request.customer(customer.as_str()),
        (None, Some(email)) => request.customer_email(email),
        (None, None) => request,
    }
}

/// What Stripe is told besides, so that it writes an invoice. Its tags say of which purchase it is.
fn invoice(tags: HashMap<String, String>) -> CreateCheckoutSessionInvoiceCreation {
    let mut data = CreateCheckoutSessionInvoiceCreationInvoiceData::new();
    data.metadata = Some(tags);
    let mut creation = CreateCheckoutSessionInvoiceCreation::new(true);
    creation.invoice_data = Some(data);
    creation
}

/// What Stripe is told besides, so that it starts a subscription. It copies these tags to the
/// subscription, and from there to each of its invoices.
fn subscribe(
    request: CreateCheckoutSession,
    order: &Order,
    recurring: Recurring,
    tags: HashMap<String, String>,
) -> CreateCheckoutSession {
    let mut subscription = CreateCheckoutSessionSubscriptionData::new();
    subscription.metadata = Some(tags);
    subscription.trial_period_days = Some(recurring.trial_days).filter(|days| *days > 0);
    // Even if nothing is due today, as in a trial, renewals will need something to be paid with.
    let is_free = order.recurring_lines().all(|line| line.unit_amount == 0);
    request
        .mode(CheckoutSessionMode::Subscription)
        .subscription_data(subscription)
        .payment_method_collection(match is_free {
            true => CreateCheckoutSessionPaymentMethodCollection::IfRequired,
            false => CreateCheckoutSessionPaymentMethodCollection::Always,
        })
}

/// What Stripe is told besides, so that it asks where to send the goods, whom the carrier can call,
/// and how to ship. The rates are made with the session, because the shop's settings have them.
fn deliver(request: CreateCheckoutSession, offer: &Offer, order: &Order) -> CreateCheckoutSession {
    let countries: Vec<_> = offer.countries.iter().map(allowed).collect();
    let collection = CreateCheckoutSessionShippingAddressCollection::new(countries);
    let request = request
        .shipping_address_collection(collection)
        .phone_number_collection(CreateCheckoutSessionPhoneNumberCollection::new(true));
    if offer.rates.is_empty() {
        return request;
    }
    let option = |rate: &OfferedRate| {
        let amount = CreateCheckoutSessionShippingOptionsShippingRateDataFixedAmount::new(
            rate.amount,
            currency(order.total.currency),
        );
        let mut data = CreateCheckoutSessionShippingOptionsShippingRateData::new(&rate.name);
        data.type_ = Some(CreateCheckoutSessionShippingOptionsShippingRateDataType::FixedAmount);
        data.fixed_amount = Some(amount);
        data.tax_behavior = taxes::of_shipping(order);
        let mut option = CreateCheckoutSessionShippingOptions::new();
        option.shipping_rate_data = Some(data);
        option
    };
    request.shipping_options(offer.rates.iter().map(option).collect::<Vec<_>>())
}

/// A country as Stripe is told it. Which ones there are was checked when the settings were read, by a
/// list that a test holds to async-stripe's: to have that list in the program, too, would make it larger.
fn allowed(country: &Country) -> CreateCheckoutSessionShippingAddressCollectionAllowedCountries {
    CreateCheckoutSessionShippingAddressCollectionAllowedCountries::Unknown(country.to_string())
}

fn item(line: &Line, order: &Order) -> CreateCheckoutSessionLineItems {
    let mut product = ProductData::new(&line.name);
    product.description = Some(line.description.clone()).filter(|text| !text.is_empty());
    product.images = line.image.clone().map(|image| vec![image]);
    let mut tags = HashMap::from([("product_id".to_owned(), line.product_id.to_string())]);
    if line.shipped {
        // For a purchase whose lines have to be fetched because it was lost here.
        tags.insert("shipped".to_owned(), "true".to_owned());
    }
    product.metadata = Some(tags);
    product.tax_code = taxes::code(line, order);
    let currency = currency(order.total.currency);
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency);
    price.unit_amount = Some(line.unit_amount);
    price.tax_behavior = taxes::of_line(line, order);
    price.product_data = Some(product);
    price.recurring = line.recurring.map(|recurring| {
        use CreateCheckoutSessionLineItemsPriceDataRecurringInterval as Theirs;
        let mut price =
            CreateCheckoutSessionLineItemsPriceDataRecurring::new(match recurring.interval {
                Interval::Day => Theirs::Day,
                Interval::Week => Theirs::Week,
                Interval::Month => Theirs::Month,
                Interval::Year => Theirs::Year,
            });
        price.interval_count = Some(recurring.interval_count.into());
        price
    });
    let mut item = CreateCheckoutSessionLineItems::new();
    item.quantity = Some(line.quantity.into());
    item.price_data = Some(price);
    item
}

fn currency(currency: crate::money::Currency) -> Currency {
    match currency.as_str().parse() {
        Ok(currency) => currency,
        // Parsing cannot fail: async-stripe passes on what it does not know.
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests;
