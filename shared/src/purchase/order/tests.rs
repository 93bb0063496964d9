//! What can be ordered together, and delivered.

use super::*;

fn product(id: &str, amount: i64, recurring: Option<&str>) -> Product {
    let recurring = recurring.map_or(String::new(), |it| format!(r#","recurring":{it}"#));
    let text = format!(
        r#"{{"id":"{id}","name":"{id}","price":{{"amount":{amount},"currency":"eur"}},
        "active":true{recurring}}}"#
    );
    serde_json::from_str(&text).unwrap()
}

fn order(products: &[Product]) -> Result<Order, OrderError> {
    let buyer = Buyer {
        subject: None,
        email: None,
        language: None,
    };
    Order::new(buyer, products.iter().map(|product| (product, 2)))
}

const MONTHLY: Option<&str> = Some(r#"{"interval":"month"}"#);
const TRIED: Option<&str> = Some(r#"{"interval":"month","trial_days":14}"#);

#[test]
fn what_recurs_is_sold_together_with_what_does_not_and_both_are_due_at_once() {
    let both = order(&[product("beans", 900, MONTHLY), product("mug", 1500, None)]).unwrap();
    assert_eq!(both.total.amount, 4800);
    assert_eq!(both.recurring().unwrap().to_string(), "month");
    assert_eq!(both.recurring_lines().count(), 1);
    let once = order(&[product("mug", 1500, None)]).unwrap();
    assert_eq!(once.recurring(), None);
}

#[test]
fn during_a_trial_only_the_rest_is_due() {
    let both = order(&[product("beans", 900, TRIED), product("mug", 1500, None)]).unwrap();
    assert_eq!(both.total.amount, 3000);
    assert_eq!(
        order(&[product("beans", 900, TRIED)]).unwrap().total.amount,
        0
    );
}

#[test]
fn different_rhythms_and_trials_are_refused_and_both_products_named() {
    let yearly = product("club", 9000, Some(r#"{"interval":"year"}"#));
    let refused = order(&[product("beans", 900, MONTHLY), yearly]).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "club is paid for every year, beans every month; subscribe to them in separate purchases"
    );
    let refused = order(&[product("beans", 900, TRIED), product("tea", 500, MONTHLY)]);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "tea is paid for every month, beans every month, 14 days free; subscribe to them in \
         separate purchases"
    );
}

#[test]
fn a_subscription_has_twenty_products_and_takes_twenty_more_along() {
    let some = |kind: &str, count, recurring| -> Vec<_> {
        let names = (0..count).map(|number| format!("{kind}{number}"));
        names.map(|id| product(&id, 100, recurring)).collect()
    };
    let most = [some("once", 20, None), some("again", 20, MONTHLY)].concat();
    assert!(order(&most).is_ok());
    for too_many in [
        [some("once", 21, None), some("again", 1, MONTHLY)].concat(),
        [some("once", 1, None), some("again", 21, MONTHLY)].concat(),
    ] {
        let refused = order(&too_many);
        assert_eq!(refused, Err(OrderError::TooManyBesideSubscription));
    }
    assert!(order(&some("once", 90, None)).is_ok());
}

fn shipped(product: Product) -> Product {
    Product {
        shipped: true,
        ..product
    }
}

fn delivered(products: &[Product], to: Option<&str>) -> Result<Order, OrderError> {
    let rates = "Post: 4.90 EUR, free from 50.00, to DE; Abroad: 9 EUR, to AT";
    let shipping = Shipping::parse("DE AT", rates).unwrap();
    order(products)?.delivered(&shipping, to.map(|code| code.parse().unwrap()))
}

#[test]
fn only_what_is_shipped_has_to_be_delivered() {
    let card = product("card", 900, None);
    assert_eq!(
        delivered(std::slice::from_ref(&card), None)
            .unwrap()
            .shipping,
        None
    );
    let mug = shipped(product("mug", 1500, None));
    let both = delivered(&[card, mug], Some("DE")).unwrap();
    let offer = both.shipping.unwrap();
    assert_eq!(offer.name_of(490), Some("Post"));
    assert_eq!(both.total.amount, 4800, "shipping is no part of it");
}

#[test]
fn an_order_that_cannot_be_delivered_names_what_is_shipped() {
    let mug = shipped(product("mug", 1500, None));
    let nowhere = order(std::slice::from_ref(&mug)).unwrap();
    let refused = nowhere.delivered(&Shipping::default(), None).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "mug is shipped: the shop delivers nowhere: set ShippingCountries"
    );
    let refused = delivered(&[mug], None).unwrap_err();
    assert!(matches!(
        refused,
        OrderError::Shipping {
            why: ShippingError::WhichCountry(_),
            ..
        }
    ));
}

#[test]
fn what_recurs_is_delivered_for_its_price_and_nothing_shipped_once_comes_along() {
    let beans = shipped(product("beans", 900, MONTHLY));
    let card = product("card", 900, None);
    let offer = delivered(&[beans.clone(), card], None).unwrap().shipping;
    let offer = offer.unwrap();
    assert_eq!((offer.countries.len(), offer.rates.len()), (2, 0));
    let mug = shipped(product("mug", 1500, None));
    let refused = delivered(&[beans.clone(), mug.clone()], Some("DE"));
    let mug_id = mug.id.clone();
    assert_eq!(refused, Err(OrderError::ShippedBesideSubscription(mug_id)));
    // Where shipping is free anyway, there is nothing to charge.
    let free = Shipping::parse("DE", "").unwrap();
    let both = order(&[beans, mug]).unwrap().delivered(&free, None);
    assert!(both.unwrap().shipping.is_some());
}

#[test]
fn goods_and_shipping_together_are_something_that_stripe_charges() {
    let gift = shipped(product("gift", 0, None));
    let cheap = Shipping::parse("DE", "Letter: 0.30 EUR").unwrap();
    let refused = order(std::slice::from_ref(&gift))
        .unwrap()
        .delivered(&cheap, None);
    assert!(matches!(refused, Err(OrderError::Total(_))), "{refused:?}");
    let parcel = Shipping::parse("DE", "Parcel: 4.90 EUR").unwrap();
    assert!(order(&[gift]).unwrap().delivered(&parcel, None).is_ok());
}

#[test]
fn a_renewal_under_stripes_minimum_is_refused_and_a_free_one_is_not() {
    let cheap = order(&[product("beans", 20, TRIED), product("mug", 1500, None)]);
    assert!(matches!(cheap, Err(OrderError::Renewal(_))), "{cheap:?}");
    assert_eq!(
        order(&[product("news", 0, MONTHLY)]).unwrap().total.amount,
        0
    );
}

#[test]
fn shipping_has_its_tax_in_its_price_as_the_shipped_goods_do_if_they_agree() {
    use TaxBehavior::{Exclusive, Inclusive};
    let taxed = |id: &str, tax_behavior, is_shipped| Product {
        tax_behavior,
        shipped: is_shipped,
        ..product(id, 1500, None)
    };
    let of = |products: &[Product]| order(products).unwrap().shipping_tax_behavior();
    let card = taxed("card", Some(Exclusive), false);
    let mug = taxed("mug", Some(Inclusive), true);
    let cup = taxed("cup", Some(Inclusive), true);
    let jug = taxed("jug", Some(Exclusive), true);
    let pot = taxed("pot", None, true);
    assert_eq!(of(std::slice::from_ref(&card)), None);
    assert_eq!(of(&[card, mug.clone(), cup.clone()]), Some(Inclusive));
    assert_eq!(of(&[mug.clone(), cup, jug]), None);
    assert_eq!(of(&[mug.clone(), pot.clone()]), None);
    assert_eq!(of(&[pot, mug]), None);
}

#[test]
fn a_buyer_is_printed_without_their_address() {
    let buyer = Buyer {
        subject: Some("ada".to_owned()),
        email: Some("ada@example.com".to_owned()),
        language: None,
    };
    assert_eq!(
        format!("{buyer:?}"),
        r#"Buyer { subject: Some("ada"), .. }"#
    );
}
