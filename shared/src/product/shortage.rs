//! What the seller is told of a product's stock, and when.

use serde::{Deserialize, Serialize};

use super::{Product, ProductId};

/// How far a stock has fallen. Ordered by how bad that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortage {
    /// To the product's `low_stock`, or below.
    Low,
    /// None is left.
    SoldOut,
}

impl Shortage {
    /// As it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::SoldOut => "sold_out",
        }
    }
}

/// What of a product says whether its stock is short, and what the seller was told of it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Supply {
    /// The product.
    pub id: ProductId,
    /// Its name.
    pub name: String,
    /// Whether it can be bought.
    pub active: bool,
    /// How many are left; `None` if it never runs out.
    #[serde(default)]
    pub stock: Option<u32>,
    /// How few are few; `None` if only none is.
    #[serde(default)]
    pub low_stock: Option<u32>,
    /// What the seller was told last, since they restocked it.
    #[serde(default, rename = "stock_told")]
    pub told: Option<Shortage>,
}

/// What the seller is told of one product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Short {
    /// The product.
    pub id: ProductId,
    /// Its name.
    pub name: String,
    /// How many are left.
    pub left: u32,
    /// How far that is down.
    pub shortage: Shortage,
}

impl Supply {
    /// What there is to tell and was not told yet. What comes back from unpaid purchases makes
    /// nothing news again: only the seller does, by [`ends_shortage`].
    pub fn news(&self) -> Option<Short> {
        let left = self.stock.filter(|_| self.active)?;
        let shortage = shortage(left, self.low_stock)?;
        (Some(shortage) > self.told).then(|| Short {
            id: self.id.clone(),
            name: self.name.clone(),
            left,
            shortage,
        })
    }
}

fn shortage(left: u32, low_stock: Option<u32>) -> Option<Shortage> {
    match left {
        0 => Some(Shortage::SoldOut),
        _ if low_stock.is_some_and(|low| left <= low) => Some(Shortage::Low),
        _ => None,
    }
}

/// Whether the seller, who makes `after` of `before`, is to be told anew when it runs short: if they
/// restock it above what is few, or say otherwise how few are few. `restocked` is how many are left
/// after their restocking, if they do that, as far as they know.
pub fn ends_shortage(before: &Product, after: &Product, restocked: Option<Option<u32>>) -> bool {
    let is_ample =
        |left: Option<u32>| left.is_none_or(|left| shortage(left, after.low_stock).is_none());
    let has_other_limit = before.low_stock != after.low_stock && before.stock != Some(0);
    restocked.is_some_and(is_ample) || has_other_limit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn supply(stock: Option<u32>, low_stock: Option<u32>, told: Option<Shortage>) -> Supply {
        Supply {
            id: "mug".parse().unwrap(),
            name: "Mug".to_owned(),
            active: true,
            stock,
            low_stock,
            told,
        }
    }

    #[test]
    fn a_stock_is_told_when_it_is_low_and_again_when_nothing_is_left() {
        use Shortage::{Low, SoldOut};
        for (stock, low_stock, told, news) in [
            (Some(6), Some(5), None, None),
            (Some(5), Some(5), None, Some(Low)),
            (Some(5), Some(5), Some(Low), None),
            (Some(0), Some(5), Some(Low), Some(SoldOut)),
            (Some(0), Some(5), None, Some(SoldOut)),
            // Something came back.
            (Some(2), Some(5), Some(SoldOut), None),
            (Some(0), Some(5), Some(SoldOut), None),
            // Only none is few.
            (Some(1), None, None, None),
            (Some(0), None, None, Some(SoldOut)),
            (None, Some(5), None, None),
        ] {
            let of = supply(stock, low_stock, told);
            assert_eq!(of.news().map(|it| it.shortage), news, "{of:?}");
        }
        let hidden = Supply {
            active: false,
            ..supply(Some(0), None, None)
        };
        assert_eq!(hidden.news(), None, "nobody can buy it anyway");
    }

    #[test]
    fn the_seller_is_told_anew_once_they_have_restocked_above_what_is_few() {
        let product = |stock, low_stock| Product {
            stock,
            low_stock,
            ..serde_json::from_str(
                r#"{"id":"mug","name":"Mug","price":{"amount":1,"currency":"usd"},"active":true}"#,
            )
            .unwrap()
        };
        let (few, same) = (product(Some(1), Some(5)), product(Some(1), Some(5)));
        for (restocked, ends) in [
            (None, false),
            (Some(Some(5)), false),
            (Some(Some(6)), true),
            (Some(None), true),
        ] {
            assert_eq!(ends_shortage(&few, &same, restocked), ends, "{restocked:?}");
        }
        assert!(ends_shortage(&few, &product(Some(1), Some(2)), None));
        let none = product(Some(0), Some(5));
        assert!(
            !ends_shortage(&none, &product(Some(0), None), None),
            "it is still sold out"
        );
        assert!(ends_shortage(&none, &none, Some(Some(6))));
    }

    proptest! {
        /// However a stock goes up and down, as long as nobody restocks it.
        #[test]
        fn between_two_restockings_nothing_is_told_twice(
            low_stock in prop::option::of(1_u32..10),
            stocks in prop::collection::vec(0_u32..15, 0..40),
        ) {
            let (mut told, mut news) = (None, Vec::new());
            for stock in stocks {
                if let Some(short) = supply(Some(stock), low_stock, told).news() {
                    prop_assert_eq!(short.left, stock);
                    prop_assert_eq!(short.shortage == Shortage::SoldOut, stock == 0);
                    told = Some(short.shortage);
                    news.push(short.shortage);
                }
            }
            prop_assert!(news.is_sorted() && news.len() <= 2, "{:?}", news);
            news.dedup();
            prop_assert_eq!(news.last().copied(), told);
        }
    }
}
