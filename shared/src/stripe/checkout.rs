//! The Checkout session of a purchase.

use std::collections::HashMap;

use serde::Deserialize;
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionAdaptivePricing, CreateCheckoutSessionLineItems,
    CreateCheckoutSessionLineItemsPriceData, CreateCheckoutSessionPaymentIntentData, ProductData,
};
use stripe_client_core::{RequestBuilder, StripeMethod, StripeRequest};
use stripe_shared::CheckoutSessionMode;
use stripe_types::Currency;

use super::{
    client::{Client, OBJECT, StripeError},
    metadata,
};
use crate::purchase::{Purchase, SessionId};

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
    let lines: Vec<_> = order
        .lines
        .iter()
        .map(|line| {
            let mut product = ProductData::new(&line.name);
            product.description = Some(line.description.clone()).filter(|text| !text.is_empty());
            product.images = line.image.clone().map(|image| vec![image]);
            product.metadata = Some(HashMap::from([(
                "product_id".to_owned(),
                line.product_id.to_string(),
            )]));
            let mut price = CreateCheckoutSessionLineItemsPriceData::new(currency.clone());
            price.unit_amount = Some(line.unit_amount);
            price.product_data = Some(product);
            let mut item = CreateCheckoutSessionLineItems::new();
            item.quantity = Some(line.quantity.into());
            item.price_data = Some(price);
            item
        })
        .collect();
    let mut intent = CreateCheckoutSessionPaymentIntentData::new();
    intent.metadata = Some(tags.clone());
    // Buyers pay in the order's currency. No payment methods are named, so the account's settings
    // choose them.
    let mut adaptive_pricing = CreateCheckoutSessionAdaptivePricing::new();
    adaptive_pricing.enabled = Some(false);

    let request = CreateCheckoutSession::new()
        .mode(CheckoutSessionMode::Payment)
        .client_reference_id(id.to_string())
        .metadata(tags)
        .payment_intent_data(intent)
        .line_items(lines)
        .adaptive_pricing(adaptive_pricing)
        .allow_promotion_codes(true)
        .expires_at(attempt.expires_at)
        .success_url(format!("{site_url}/success.html?purchase_id={id}"))
        .cancel_url(format!("{site_url}/cancel.html?purchase_id={id}"));
    match &order.buyer.email {
        Some(email) => request.customer_email(email),
        None => request,
    }
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

    #[test]
    fn everything_stripe_is_told_comes_from_the_purchase() {
        let line = Line {
            product_id: "mug".parse().unwrap(),
            name: "Mug".to_owned(),
            description: String::new(),
            image: None,
            quantity: 2,
            unit_amount: 750,
            reserved: false,
        };
        let order = Order {
            buyer: Buyer {
                subject: Some("sub-1".to_owned()),
                email: Some("b@example.com".to_owned()),
                language: None,
            },
            lines: vec![line],
            total: Money::new(1500, "kwd".parse().unwrap()),
            rebuilt: false,
        };
        let purchase = Purchase::new(PurchaseId::new(OffsetDateTime::UNIX_EPOCH), order, 1_000);
        let built = request(&purchase, "https://shop.example", "till-prod").build();
        let id = purchase.id();
        let body = built.body.unwrap();
        let mut fields: Vec<&str> = body.split('&').collect();
        fields.sort_unstable();
        let mut expected = vec![
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
        expected.sort_unstable();
        assert_eq!(fields, expected);
    }
}
