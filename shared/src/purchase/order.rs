//! What was ordered, frozen before Stripe is told about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::CustomerId;
use crate::{
    money::{Currency, Money, MoneyError},
    product::{Product, ProductId, Recurring},
    shipping::{Country, Offer, Shipping, ShippingError},
};

/// Who buys. `Debug` leaves the address out, so that it cannot get into a log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    /// The `sub` claim of their ID token; `None` if the purchase was rebuilt from a session
    /// without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Where their mail is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Their language as a BCP 47 tag, in which amounts are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

impl Buyer {
    /// This buyer, with what is not known of them from `other`.
    pub(crate) fn or(&self, other: &Self) -> Self {
        Self {
            subject: self.subject.clone().or_else(|| other.subject.clone()),
            email: self.email.clone().or_else(|| other.email.clone()),
            language: self.language.clone().or_else(|| other.language.clone()),
        }
    }
}

impl fmt::Debug for Buyer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buyer")
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// One product of an order, as it was offered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The product's id, by which its stock is returned.
    pub product_id: ProductId,
    /// Its name at the time.
    pub name: String,
    /// Its description at the time.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// A picture of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// How many pieces.
    pub quantity: u32,
    /// The price of one, in minor units of the order's currency; of what recurs, for each time.
    pub unit_amount: i64,
    /// How often it is paid for, if that is more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recurring: Option<Recurring>,
    /// Sent by post.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shipped: bool,
    /// Taken from limited stock, to which it returns if nothing comes of the purchase.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reserved: bool,
}

/// What was ordered, frozen before Stripe is told about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Who buys.
    pub buyer: Buyer,
    /// What they ordered; empty if the order was rebuilt.
    pub lines: Vec<Line>,
    /// What it costs, before any promotion and without shipping; if some of it recurs, what is due
    /// at once.
    pub total: Money,
    /// Where it can be delivered to, and how, if any of it is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Offer>,
    /// The buyer's customer at Stripe, if some of it recurs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The order was lost here and rebuilt from what Stripe said of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rebuilt: bool,
}

/// Why a cart cannot be ordered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// Two currencies in one cart; a session can have only one.
    #[error("{product} is sold in {currency}, other products in this cart in {other}; buy them in separate purchases", currency = .currency.to_uppercase(), other = .other.to_uppercase())]
    MixedCurrencies {
        /// The first product that differs.
        product: ProductId,
        /// Its currency.
        currency: String,
        /// The currency before it.
        other: String,
    },
    /// Not for sale now.
    #[error("{0} is not for sale at the moment")]
    Inactive(ProductId),
    /// Checkout starts one subscription, which has one rhythm and one trial.
    #[error("{product} is paid for {terms}, {other} {other_terms}; subscribe to them in separate purchases", terms = .terms.terms(), other_terms = .other_terms.terms())]
    MixedTerms {
        /// The first product that differs.
        product: ProductId,
        /// How often it is paid for.
        terms: Recurring,
        /// The one before it that recurs.
        other: ProductId,
        /// How often that is paid for.
        other_terms: Recurring,
    },
    /// More lines than Stripe takes beside each other if one of them recurs.
    #[error(
        "a purchase with a subscription can have at most {MOST_OF_A_KIND} products that recur and {MOST_OF_A_KIND} that do not; buy the rest in separate purchases"
    )]
    TooManyBesideSubscription,
    /// Something is shipped, and that is not possible.
    #[error("{product} is shipped: {why}")]
    Shipping {
        /// The first product that is.
        product: ProductId,
        /// Why it cannot be.
        why: ShippingError,
    },
    /// Checkout charges no shipping in a session that starts a subscription.
    #[error(
        "{0} is shipped, and what that costs cannot be charged together with a subscription; buy them in separate purchases"
    )]
    ShippedBesideSubscription(ProductId),
    /// The total is not one that Stripe charges.
    #[error("the total cannot be charged: {0}")]
    Total(MoneyError),
    /// What is due each time is not something that Stripe charges.
    #[error("a renewal cannot be charged: {0}")]
    Renewal(MoneyError),
    /// The cart is empty.
    #[error("the cart is empty")]
    Empty,
}

/// How many lines that recur Checkout takes, and how many that do not, in a session of mode
/// `subscription` (Stripe's page on `line_items`).
const MOST_OF_A_KIND: usize = 20;

impl Order {
    /// Freezes products and quantities at their current prices.
    pub fn new<'a>(
        buyer: Buyer,
        items: impl IntoIterator<Item = (&'a Product, u32)>,
    ) -> Result<Self, OrderError> {
        let (mut lines, mut currency) = (Vec::new(), None);
        for (product, quantity) in items {
            if !product.active {
                return Err(OrderError::Inactive(product.id.clone()));
            }
            let expected = *currency.get_or_insert(product.price.currency);
            if expected != product.price.currency {
                return Err(OrderError::MixedCurrencies {
                    product: product.id.clone(),
                    currency: product.price.currency.to_string(),
                    other: expected.to_string(),
                });
            }
            lines.push(Line::of(product, quantity));
        }
        let currency = currency.ok_or(OrderError::Empty)?;
        check_terms(&lines)?;
        let due = lines.iter().map(|line| line.due(currency));
        let total = sum(due, currency).map_err(OrderError::Total)?;
        total.check_total().map_err(OrderError::Total)?;
        let order = Self {
            buyer,
            lines,
            total,
            shipping: None,
            customer: None,
            rebuilt: false,
        };
        // Stripe would carry a renewal under its minimum on to the next, and the next.
        let renewal = order.recurring_lines().map(|line| line.amount(currency));
        let renewal = sum(renewal, currency).map_err(OrderError::Renewal)?;
        renewal.check_total().map_err(OrderError::Renewal)?;
        Ok(order)
    }

    /// The order with how it can be delivered, if any of it is shipped, to the `country` that the
    /// buyer has named. Of what recurs, shipping is in the price: Checkout charges none there
    /// (Stripe's page "Charge for shipping").
    pub fn delivered(
        self,
        shipping: &Shipping,
        country: Option<Country>,
    ) -> Result<Self, OrderError> {
        let Some(first) = self.lines.iter().find(|line| line.shipped) else {
            return Ok(self);
        };
        let mut once = self.lines.iter().filter(|line| line.recurring.is_none());
        let offer = match self.recurring() {
            Some(_) => match once.find(|line| line.shipped && shipping.has_rates()) {
                Some(line) => {
                    return Err(OrderError::ShippedBesideSubscription(
                        line.product_id.clone(),
                    ));
                }
                None => shipping.offer_in_price(country),
            },
            None => shipping.offer(self.total, country),
        };
        let offer = offer.map_err(|why| OrderError::Shipping {
            product: first.product_id.clone(),
            why,
        })?;
        for rate in &offer.rates {
            let shipping = Money::new(rate.amount, self.total.currency);
            let charged = self.total.checked_add(shipping);
            let charged = charged.and_then(Money::check_total);
            charged.map_err(OrderError::Total)?;
        }
        Ok(Self {
            shipping: Some(offer),
            ..self
        })
    }

    /// How often it is paid for, if some of it recurs: Checkout then starts a subscription.
    pub fn recurring(&self) -> Option<Recurring> {
        self.recurring_lines().find_map(|line| line.recurring)
    }

    /// What is due each time, and how often, if some of it recurs. Discounts and taxes are up to
    /// Stripe.
    pub fn renewal(&self) -> Option<(Money, Recurring)> {
        let currency = self.total.currency;
        let each = self.recurring_lines().map(|line| line.amount(currency));
        Some((sum(each, currency).ok()?, self.recurring()?))
    }

    /// The lines of the subscription.
    pub fn recurring_lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| line.recurring.is_some())
    }

    /// What is not an order itself, but belongs to one: who buys, and what it comes to.
    pub(crate) fn without_lines(buyer: Buyer, total: Money) -> Self {
        Self {
            buyer,
            lines: Vec::new(),
            total,
            shipping: None,
            customer: None,
            rebuilt: false,
        }
    }

    /// What it takes from limited stock.
    pub fn reserved(&self) -> impl Iterator<Item = (&ProductId, u32)> {
        self.lines
            .iter()
            .filter(|line| line.reserved)
            .map(|line| (&line.product_id, line.quantity))
    }
}

impl Line {
    fn of(product: &Product, quantity: u32) -> Self {
        Self {
            product_id: product.id.clone(),
            name: product.name.clone(),
            description: product.description.clone(),
            image: product.images.first().cloned(),
            quantity,
            unit_amount: product.price.amount,
            recurring: product.recurring,
            shipped: product.shipped,
            reserved: product.stock.is_some(),
        }
    }

    /// What is due for it at once: nothing before the end of a trial.
    pub fn due(&self, currency: Currency) -> Result<Money, MoneyError> {
        match self.has_trial() {
            true => Ok(Money::zero(currency)),
            false => self.amount(currency),
        }
    }

    /// Whether it is free at first.
    pub fn has_trial(&self) -> bool {
        self.recurring.is_some_and(|terms| terms.trial_days > 0)
    }

    /// What all its pieces cost; of what recurs, each time.
    fn amount(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::new(self.unit_amount, currency).checked_mul(self.quantity)
    }
}

fn sum(
    mut amounts: impl Iterator<Item = Result<Money, MoneyError>>,
    currency: Currency,
) -> Result<Money, MoneyError> {
    amounts.try_fold(Money::zero(currency), |sum, amount| {
        sum.checked_add(amount?)
    })
}

/// Whether Checkout sells these lines together. It refuses different rhythms, though subscriptions
/// made otherwise may have them (Stripe's changelog of 2025-07-30), and a trial is the whole
/// subscription's.
fn check_terms(lines: &[Line]) -> Result<(), OrderError> {
    let recurring = lines
        .iter()
        .filter_map(|line| Some((line, line.recurring?)));
    let recurring: Vec<_> = recurring.collect();
    let Some((first, terms)) = recurring.first() else {
        return Ok(());
    };
    if let Some((line, other)) = recurring.iter().find(|(_, other)| other != terms) {
        return Err(OrderError::MixedTerms {
            product: line.product_id.clone(),
            terms: *other,
            other: first.product_id.clone(),
            other_terms: *terms,
        });
    }
    let once = lines.len().saturating_sub(recurring.len());
    match recurring.len() > MOST_OF_A_KIND || once > MOST_OF_A_KIND {
        true => Err(OrderError::TooManyBesideSubscription),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(delivered(&[card.clone()], None).unwrap().shipping, None);
        let mug = shipped(product("mug", 1500, None));
        let both = delivered(&[card, mug], Some("DE")).unwrap();
        let offer = both.shipping.unwrap();
        assert_eq!(offer.name_of(490), Some("Post"));
        assert_eq!(both.total.amount, 4800, "shipping is no part of it");
    }

    #[test]
    fn an_order_that_cannot_be_delivered_names_what_is_shipped() {
        let mug = shipped(product("mug", 1500, None));
        let nowhere = order(&[mug.clone()]).unwrap();
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
        let refused = order(&[gift.clone()]).unwrap().delivered(&cheap, None);
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
}
