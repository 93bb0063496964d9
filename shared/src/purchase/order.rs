//! What was ordered, frozen before Stripe is told about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Billing, CustomerId};
use crate::{
    money::{Currency, Money, MoneyError},
    product::{Product, ProductFile, ProductId, Recurring, TaxBehavior, TaxCode},
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
    /// What its buyer may download once it is paid for. What is in the file is not frozen: a newer
    /// one under the same name takes its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<ProductFile>,
    /// Which tax is due on it, if the product says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_code: Option<TaxCode>,
    /// Whether that tax is in the price, if the product says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_behavior: Option<TaxBehavior>,
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
    /// What it costs, before any promotion, and without shipping or the tax that comes on top; if
    /// some of it recurs, what is due at once.
    pub total: Money,
    /// Where it can be delivered to, and how, if any of it is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<Offer>,
    /// What Stripe does besides taking the money.
    #[serde(default, skip_serializing_if = "Billing::is_nothing")]
    pub billing: Billing,
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
            billing: Billing::default(),
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

    /// The order with what Stripe does besides taking the money.
    pub fn billed(self, billing: Billing) -> Self {
        Self { billing, ..self }
    }

    /// Whether shipping has its tax in its price: as the goods that are shipped, if they agree.
    pub fn shipping_tax_behavior(&self) -> Option<TaxBehavior> {
        let shipped = self.lines.iter().filter(|line| line.shipped);
        let mut said = shipped.map(|line| line.tax_behavior);
        let first = said.next()??;
        said.all(|other| other == Some(first)).then_some(first)
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
            billing: Billing::default(),
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
            file: product.file.clone(),
            tax_code: product.tax_code.clone(),
            tax_behavior: product.tax_behavior,
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
mod tests;
