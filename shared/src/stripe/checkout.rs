//! The Checkout session of a purchase.

use std::collections::HashMap;

use serde::Deserialize;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionLineItemsPriceDataRecurring,
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
    let currency = currency(order.total.currency);
    let lines = order.lines.iter().map(|line| item(line, currency.clone()));
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
            let mut intent = CreateCheckoutSessionPaymentIntentData::new();
            intent.metadata = Some(tags);
            let request = request.mode(CheckoutSessionMode::Payment);
            request.payment_intent_data(intent)
        }
    };
    let request = match &order.shipping {
        Some(offer) => deliver(request, offer, order.total.currency),
        None => request,
    };
    match (&order.customer, &order.buyer.email) {
        (Some(customer), _) => request.customer(customer.as_str()),
        (None, Some(email)) => request.customer_email(email),
        (None, None) => request,
    }
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
fn deliver(
    request: CreateCheckoutSession,
    offer: &Offer,
    order_currency: crate::money::Currency,
) -> CreateCheckoutSession {
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
            currency(order_currency),
        );
        let mut data = CreateCheckoutSessionShippingOptionsShippingRateData::new(&rate.name);
        data.type_ = Some(CreateCheckoutSessionShippingOptionsShippingRateDataType::FixedAmount);
        data.fixed_amount = Some(amount);
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

fn item(line: &Line, currency: Currency) -> CreateCheckoutSessionLineItems {
    let mut product = ProductData::new(&line.name);
    product.description = Some(line.description.clone()).filter(|text| !text.is_empty());
    product.images = line.image.clone().map(|image| vec![image]);
    let mut tags = HashMap::from([("product_id".to_owned(), line.product_id.to_string())]);
    if line.shipped {
        // For a purchase whose lines have to be fetched because it was lost here.
        tags.insert("shipped".to_owned(), "true".to_owned());
    }
    product.metadata = Some(tags);
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency);
    price.unit_amount = Some(line.unit_amount);
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
mod tests {
    use time::OffsetDateTime;

    use super::*;
    use crate::{
        money::Money,
        purchase::{Buyer, Line, Order, PurchaseId},
    };

    fn line(id: &str, name: &str, recurring: Option<Recurring>) -> Line {
        Line {
            product_id: id.parse().unwrap(),
            name: name.to_owned(),
            description: String::new(),
            image: None,
            quantity: 2,
            unit_amount: 750,
            recurring,
            shipped: false,
            reserved: false,
        }
    }

    fn purchase(lines: Vec<Line>, customer: Option<&str>) -> Purchase {
        let order = Order {
            buyer: Buyer {
                subject: Some("sub-1".to_owned()),
                email: Some("b@example.com".to_owned()),
                language: None,
            },
            lines,
            total: Money::new(1500, "kwd".parse().unwrap()),
            shipping: None,
            customer: customer.map(|id| id.to_owned().into()),
            rebuilt: false,
        };
        Purchase::new(PurchaseId::new(OffsetDateTime::UNIX_EPOCH), order, 1_000)
    }

    /// What is sent, field by field.
    fn form(purchase: &Purchase) -> Vec<String> {
        let built = request(purchase, "https://shop.example", "till-prod").build();
        let body = built.body.unwrap();
        let mut fields: Vec<_> = body.split('&').map(str::to_owned).collect();
        fields.sort_unstable();
        fields
    }

    fn sorted(mut fields: Vec<String>) -> Vec<String> {
        fields.sort_unstable();
        fields
    }

    #[test]
    fn everything_stripe_is_told_comes_from_the_purchase() {
        let purchase = purchase(vec![line("mug", "Mug", None)], None);
        let id = purchase.id();
        let expected = vec![
            "adaptive_pricing[enabled]=false".to_owned(),
            "allow_promotion_codes=true".to_owned(),
            format!("cancel_url=https://shop.example/cancel.html?purchase_id%3D{id}"),
            format!("client_reference_id={id}"),
            "customer_email=b@example.com".to_owned(),
            format!("expires_at={}", 1_000 + 23 * 3600),
            "line_items[0][price_data][currency]=kwd".to_owned(),
            "line_items[0][price_data][product_data][metadata][product_id]=mug".to_owned(),
            "line_items[0][price_data][product_data][name]=Mug".to_owned(),
            "line_items[0][price_data][unit_amount]=750".to_owned(),
            "line_items[0][quantity]=2".to_owned(),
            "metadata[buyer]=sub-1".to_owned(),
            format!("metadata[purchase_id]={id}"),
            "metadata[till_stack]=till-prod".to_owned(),
            "mode=payment".to_owned(),
            "payment_intent_data[metadata][buyer]=sub-1".to_owned(),
            format!("payment_intent_data[metadata][purchase_id]={id}"),
            "payment_intent_data[metadata][till_stack]=till-prod".to_owned(),
            format!("success_url=https://shop.example/success.html?purchase_id%3D{id}"),
        ];
        assert_eq!(form(&purchase), sorted(expected));
    }

    #[test]
    fn what_recurs_starts_a_subscription_of_the_buyers_own_customer() {
        let quarterly = Recurring {
            interval: Interval::Month,
            interval_count: 3,
            trial_days: 14,
        };
        let beans = line("beans", "Beans", Some(quarterly));
        let purchase = purchase(vec![beans, line("mug", "Mug", None)], Some("cus_1"));
        let id = purchase.id();
        let expected = vec![
            "adaptive_pricing[enabled]=false".to_owned(),
            "allow_promotion_codes=true".to_owned(),
            format!("cancel_url=https://shop.example/cancel.html?purchase_id%3D{id}"),
            format!("client_reference_id={id}"),
            "customer=cus_1".to_owned(),
            format!("expires_at={}", 1_000 + 23 * 3600),
            "line_items[0][price_data][currency]=kwd".to_owned(),
            "line_items[0][price_data][product_data][metadata][product_id]=beans".to_owned(),
            "line_items[0][price_data][product_data][name]=Beans".to_owned(),
            "line_items[0][price_data][recurring][interval]=month".to_owned(),
            "line_items[0][price_data][recurring][interval_count]=3".to_owned(),
            "line_items[0][price_data][unit_amount]=750".to_owned(),
            "line_items[0][quantity]=2".to_owned(),
            "line_items[1][price_data][currency]=kwd".to_owned(),
            "line_items[1][price_data][product_data][metadata][product_id]=mug".to_owned(),
            "line_items[1][price_data][product_data][name]=Mug".to_owned(),
            "line_items[1][price_data][unit_amount]=750".to_owned(),
            "line_items[1][quantity]=2".to_owned(),
            "metadata[buyer]=sub-1".to_owned(),
            format!("metadata[purchase_id]={id}"),
            "metadata[till_stack]=till-prod".to_owned(),
            "mode=subscription".to_owned(),
            "payment_method_collection=always".to_owned(),
            "subscription_data[metadata][buyer]=sub-1".to_owned(),
            format!("subscription_data[metadata][purchase_id]={id}"),
            "subscription_data[metadata][till_stack]=till-prod".to_owned(),
            "subscription_data[trial_period_days]=14".to_owned(),
            format!("success_url=https://shop.example/success.html?purchase_id%3D{id}"),
        ];
        assert_eq!(form(&purchase), sorted(expected));
    }

    #[test]
    fn what_is_shipped_is_sent_to_an_address_at_one_of_the_orders_rates() {
        let mut mug = line("mug", "Mug", None);
        mug.shipped = true;
        let bought = purchase(vec![mug], None);
        let rate = |name: &str, amount| OfferedRate {
            name: name.to_owned(),
            amount,
        };
        let order = Order {
            shipping: Some(Offer {
                countries: vec!["AT".parse().unwrap(), "DE".parse().unwrap()],
                rates: vec![rate("Post", 0), rate("Express", 1290)],
            }),
            ..bought.order().clone()
        };
        let shipped = Purchase::new(bought.id(), order, 1_000);
        let before = form(&bought);
        let sent = form(&shipped);
        let added: Vec<_> = sent.iter().filter(|it| !before.contains(it)).collect();
        let data = |number: usize, field: &str| {
            format!("shipping_options[{number}][shipping_rate_data]{field}")
        };
        let expected = vec![
            "phone_number_collection[enabled]=true".to_owned(),
            "shipping_address_collection[allowed_countries][0]=AT".to_owned(),
            "shipping_address_collection[allowed_countries][1]=DE".to_owned(),
            data(0, "[display_name]=Post"),
            data(0, "[fixed_amount][amount]=0"),
            data(0, "[fixed_amount][currency]=kwd"),
            data(0, "[type]=fixed_amount"),
            data(1, "[display_name]=Express"),
            data(1, "[fixed_amount][amount]=1290"),
            data(1, "[fixed_amount][currency]=kwd"),
            data(1, "[type]=fixed_amount"),
        ];
        assert_eq!(added, sorted(expected).iter().collect::<Vec<_>>());
        let tag = "line_items[0][price_data][product_data][metadata][shipped]=true";
        assert!(sent.contains(&tag.to_owned()));
    }

    #[test]
    fn what_recurs_for_free_needs_nothing_to_pay_with() {
        let weekly = Recurring {
            interval: Interval::Week,
            interval_count: 1,
            trial_days: 0,
        };
        let mut news = line("news", "News", Some(weekly));
        news.unit_amount = 0;
        let sent = form(&purchase(vec![news], Some("cus_1")));
        assert!(sent.contains(&"payment_method_collection=if_required".to_owned()));
        assert!(!sent.iter().any(|field| field.contains("trial_period_days")));
    }
}
