//! What an issuer lets a shop do with money that it has set aside, where the shop has asked for it: take it
//! in parts, take more of it, set more aside, keep it longer. Stripe's page is
//! [Flexible acquiring](https://docs.stripe.com/payments/flexible-payments).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::engine::time::{DAY, Timestamp};
use crate::payment::testing::brand::Brand;

/// How long a card's issuer sets money aside.
const AUTHORIZATION_LASTS: Timestamp = 7 * DAY;

/// The same of an extended authorization.
const EXTENDED_LASTS: Timestamp = 30 * DAY;

/// How often more can be set aside.
const MOST_INCREMENTS: u8 = 10;

/// How often money can be taken of one authorization.
const MOST_CAPTURES: u8 = 50;

/// How much more than was set aside can be taken. Networks have limits by country and trade; this is
/// that of the example on Stripe's page, 20 %.
const OVERCAPTURE: (i64, i64) = (12, 10);

/// What an issuer allows of one authorization, and how often it was made use of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flexible {
    multicapture: bool,
    overcapture: bool,
    incremental: bool,
    extended: bool,
    captures: u8,
    increments: u8,
}

impl Flexible {
    /// What a card of this brand has of what the options of a payment intent ask for.
    pub(crate) fn granted(options: &Map<String, Value>, brand: Brand) -> Self {
        let asks = |name: &str| {
            let wish = options
                .get("card")
                .and_then(|card| card.get(name)?.as_str());
            wish == Some("if_available")
        };
        let in_most_shops = matches!(
            brand,
            Brand::Visa | Brand::Mastercard | Brand::Amex | Brand::Discover
        );
        Self {
            multicapture: asks("request_multicapture") && brand != Brand::Unknown,
            overcapture: asks("request_overcapture") && in_most_shops,
            incremental: asks("request_incremental_authorization")
                && (in_most_shops || brand == Brand::Unionpay),
            extended: asks("request_extended_authorization") && in_most_shops,
            captures: 0,
            increments: 0,
        }
    }

    /// Until when money that is set aside now can be taken.
    pub(crate) fn capture_before(&self, now: Timestamp) -> Timestamp {
        now.saturating_add(match self.extended {
            true => EXTENDED_LASTS,
            false => AUTHORIZATION_LASTS,
        })
    }

    /// The most that can be taken of what was set aside.
    pub(crate) fn most(&self, authorized: Amount) -> Amount {
        let (parts, whole) = OVERCAPTURE;
        match self.overcapture {
            true => authorized.share_rounded_down(parts, whole),
            false => authorized,
        }
    }

    /// Whether something may be taken now and more later.
    pub(crate) fn splits(&self) -> bool {
        self.multicapture
    }

    /// Whether it was taken as often as it can be.
    pub(crate) fn is_worn_out(&self) -> bool {
        self.captures >= MOST_CAPTURES
    }

    /// Whether more can be set aside, and how often it was tried.
    pub(crate) fn grows(&self) -> Result<(), NoIncrement> {
        match (self.incremental, self.increments) {
            (false, _) => Err(NoIncrement::NotAvailable),
            (true, made) if made >= MOST_INCREMENTS => Err(NoIncrement::TooMany),
            (true, _) => Ok(()),
        }
    }

    pub(crate) fn count_capture(&mut self) {
        self.captures = self.captures.saturating_add(1);
    }

    pub(crate) fn count_increment(&mut self) {
        self.increments = self.increments.saturating_add(1);
    }

    /// As a charge shows it among what it knows of its card.
    pub(crate) fn shown(&self, authorized: Amount) -> Map<String, Value> {
        let status = |available| {
            if available {
                "available"
            } else {
                "unavailable"
            }
        };
        let shown = [
            (
                "extended_authorization",
                json!({ "status": if self.extended { "enabled" } else { "disabled" } }),
            ),
            (
                "incremental_authorization",
                json!({ "status": status(self.incremental) }),
            ),
            (
                "multicapture",
                json!({ "status": status(self.multicapture) }),
            ),
            (
                "overcapture",
                json!({
                    "maximum_amount_capturable": self.most(authorized),
                    "status": status(self.overcapture),
                }),
            ),
        ];
        Map::from_iter(shown.map(|(field, value)| (field.to_owned(), value)))
    }
}

/// Why no more can be set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoIncrement {
    /// Nobody asked for that, or the card does not offer it.
    NotAvailable,
    /// It was done as often as networks allow.
    TooMany,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, brand: Brand) -> Flexible {
        let options = json!({ "card": { name: "if_available" } });
        Flexible::granted(options.as_object().unwrap(), brand)
    }

    #[test]
    fn a_shop_gets_what_it_asks_for_and_the_network_has() {
        assert!(asked("request_multicapture", Brand::Jcb).splits());
        assert!(!asked("request_overcapture", Brand::Jcb).splits());
        let hundred = Amount::new(100);
        assert_eq!(
            asked("request_overcapture", Brand::Jcb).most(hundred),
            hundred
        );
        assert_eq!(
            asked("request_overcapture", Brand::Visa).most(hundred),
            Amount::new(120)
        );
        assert_eq!(
            asked("request_multicapture", Brand::Visa).grows(),
            Err(NoIncrement::NotAvailable)
        );
        let never = json!({ "card": { "request_multicapture": "never" } });
        assert!(!Flexible::granted(never.as_object().unwrap(), Brand::Visa).splits());
    }

    #[test]
    fn an_authorization_grows_ten_times() {
        let mut flexible = asked("request_incremental_authorization", Brand::Unionpay);
        for _ in 0..10 {
            assert_eq!(flexible.grows(), Ok(()));
            flexible.count_increment();
        }
        assert_eq!(flexible.grows(), Err(NoIncrement::TooMany));
    }
}
