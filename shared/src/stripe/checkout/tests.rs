//! What Stripe is told of a purchase, field by field.

use time::OffsetDateTime;

use super::*;
use crate::{
    money::Money,
    product::TaxBehavior,
    purchase::{Billing, Buyer, Line, Order, PurchaseId},
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
        file: None,
        tax_code: None,
        tax_behavior: None,
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
        billing: Billing::default(),
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

/// What is sent of the one order that is not of the other.
fn added(more: &Purchase, less: &Purchase) -> Vec<String> {
    let before = form(less);
    let sent = form(more).into_iter();
    sent.filter(|field| !before.contains(field)).collect()
}

#[test]
fn stripe_reckons_the_tax_of_each_line_and_of_shipping_if_the_shop_wants_it() {
    let mut mug = line("mug", "Mug", None);
    (mug.shipped, mug.tax_behavior) = (true, Some(TaxBehavior::Exclusive));
    mug.tax_code = "txcd_99999999".parse().ok();
    let mut card = line("card", "Card", None);
    card.tax_behavior = Some(TaxBehavior::Inclusive);
    let untaxed = purchase(vec![mug, card, line("pin", "Pin", None)], None);
    let rate = OfferedRate {
        name: "Post".to_owned(),
        amount: 500,
    };
    let order = Order {
        shipping: Some(Offer {
            countries: vec!["DE".parse().unwrap()],
            rates: vec![rate],
        }),
        ..untaxed.order().clone()
    };
    let untaxed = Purchase::new(untaxed.id(), order.clone(), 1_000);
    assert!(!form(&untaxed).iter().any(|field| field.contains("tax")));
    let taxed = order.billed(Billing {
        automatic_tax: true,
        invoice: false,
    });
    let taxed = Purchase::new(untaxed.id(), taxed, 1_000);
    let data = |number: usize| format!("line_items[{number}][price_data]");
    let expected = vec![
        "automatic_tax[enabled]=true".to_owned(),
        format!("{}[product_data][tax_code]=txcd_99999999", data(0)),
        format!("{}[tax_behavior]=exclusive", data(0)),
        format!("{}[tax_behavior]=inclusive", data(1)),
        "shipping_options[0][shipping_rate_data][tax_behavior]=exclusive".to_owned(),
    ];
    assert_eq!(added(&taxed, &untaxed), sorted(expected));
}

#[test]
fn a_customer_keeps_the_address_by_which_each_renewal_is_taxed() {
    let monthly = Recurring {
        interval: Interval::Month,
        interval_count: 1,
        trial_days: 0,
    };
    let untaxed = purchase(vec![line("beans", "Beans", Some(monthly))], Some("cus_1"));
    let billing = Billing {
        automatic_tax: true,
        invoice: false,
    };
    let order = untaxed.order().clone().billed(billing);
    let taxed = Purchase::new(untaxed.id(), order.clone(), 1_000);
    let expected = [
        "automatic_tax[enabled]=true",
        "customer_update[address]=auto",
    ];
    assert_eq!(added(&taxed, &untaxed), expected);
    let shipped = Order {
        shipping: Some(Offer {
            countries: vec!["DE".parse().unwrap()],
            rates: vec![],
        }),
        ..order
    };
    let shipped = Purchase::new(untaxed.id(), shipped, 1_000);
    let sent = form(&shipped);
    assert!(sent.contains(&"customer_update[shipping]=auto".to_owned()));
}

#[test]
fn an_invoice_of_what_is_bought_once_says_of_which_purchase_it_is() {
    let billing = Billing {
        automatic_tax: false,
        invoice: true,
    };
    let bought = purchase(vec![line("mug", "Mug", None)], None);
    let order = bought.order().clone().billed(billing);
    let billed = Purchase::new(bought.id(), order, 1_000);
    let tags = "invoice_creation[invoice_data][metadata]";
    let expected = vec![
        "invoice_creation[enabled]=true".to_owned(),
        format!("{tags}[buyer]=sub-1"),
        format!("{tags}[purchase_id]={}", bought.id()),
        format!("{tags}[till_stack]=till-prod"),
    ];
    assert_eq!(added(&billed, &bought), sorted(expected));

    // What recurs has invoices anyway, and Stripe refuses to be asked for one.
    let monthly = Recurring {
        interval: Interval::Month,
        interval_count: 1,
        trial_days: 0,
    };
    let recurring = purchase(vec![line("beans", "Beans", Some(monthly))], Some("cus_1"));
    let order = recurring.order().clone().billed(billing);
    let billed = Purchase::new(recurring.id(), order, 1_000);
    assert!(added(&billed, &recurring).is_empty());
}
