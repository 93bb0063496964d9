//! What callers are told when no purchase can be opened.

use http::StatusCode;
use shared::{
    cart::CartError,
    http::Problem,
    money::MoneyError,
    orders::OpenError,
    product::ProductId,
    purchase::{OrderError, TooMuch},
    shipping::{Country, ShippingError},
};

pub(crate) fn unknown_product(id: &ProductId) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "unknown-product",
        "There is no such product",
        format!("product_id: there is no product {id}"),
    )
}

/// What is wrong with how a cart is written, or that it is too large.
pub(crate) fn of_cart(error: &CartError) -> Problem {
    match error.is_too_large {
        true => cart_too_large(error.to_string()),
        false => Problem::bad_request(error.to_string()),
    }
}

pub(crate) fn cart_too_large(detail: impl Into<String>) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "cart-too-large",
        "The cart is too large",
        detail,
    )
}

pub(crate) fn total_not_chargeable(detail: impl Into<String>) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "total-not-chargeable",
        "The total cannot be charged",
        detail,
    )
}

pub(crate) fn other_currency() -> Problem {
    Problem::new(
        StatusCode::CONFLICT,
        "subscribed-in-other-currency",
        "You subscribe in another currency",
        "items: this buyer already subscribes to something in another currency, or has begun to, \
         and Stripe charges one customer in one currency; cancel that first",
    )
}

/// Why a cart cannot be ordered.
pub(crate) fn of_order(error: OrderError) -> Problem {
    let detail = format!("items: {error}");
    match error {
        OrderError::Inactive(_) => Problem::new(
            StatusCode::CONFLICT,
            "product-inactive",
            "A product is not for sale",
            detail,
        ),
        OrderError::MixedCurrencies { .. } => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "mixed-currencies",
            "The products have different currencies",
            detail,
        ),
        OrderError::MixedTerms { .. } => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "mixed-terms",
            "The products are paid for at different times",
            detail,
        ),
        OrderError::TooManyBesideSubscription => cart_too_large(detail),
        OrderError::ShippedBesideSubscription(_) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "shipped-beside-subscription",
            "Shipping cannot be charged with a subscription",
            detail,
        ),
        OrderError::Shipping { why, .. } => of_shipping(&why, detail),
        OrderError::Total(
            MoneyError::TooSmall(_) | MoneyError::TooLarge(_) | MoneyError::Overflow,
        )
        | OrderError::Renewal(
            MoneyError::TooSmall(_) | MoneyError::TooLarge(_) | MoneyError::Overflow,
        )
        | OrderError::Empty => total_not_chargeable(detail),
        // A price that should never have been stored.
        OrderError::Total(error) | OrderError::Renewal(error) => {
            tracing::error!(%error, "a stored product has a price that cannot be charged");
            Problem::internal()
        }
    }
}

fn codes(countries: &[Country]) -> Vec<String> {
    countries.iter().map(|it| it.to_string()).collect()
}

/// Why a cart cannot be delivered.
fn of_shipping(why: &ShippingError, detail: String) -> Problem {
    match why {
        ShippingError::WhichCountry(countries) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "country-needed",
            "Shipping costs depend on the country",
            "country: what shipping costs depends on it; name one of `countries`",
        )
        .with("countries", codes(countries)),
        ShippingError::NotThere(country) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "not-delivered-there",
            "The shop does not deliver there",
            format!("country: the shop does not deliver to {country}"),
        ),
        // The seller's settings do not go with what they sell.
        ShippingError::Nowhere | ShippingError::OtherCurrency(_) => {
            tracing::error!(error = %why, "something shipped cannot be bought");
            Problem::new(
                StatusCode::CONFLICT,
                "not-deliverable",
                "A product cannot be delivered at the moment",
                detail,
            )
        }
    }
}

/// Why a purchase was not opened.
pub(crate) fn of_open(error: &OpenError) -> Problem {
    match error {
        OpenError::KeyReused => Problem::new(
            StatusCode::CONFLICT,
            "idempotency-key-reused",
            "The idempotency key was used before",
            "Idempotency-Key: it was used for another cart; use a new key for a new cart",
        ),
        OpenError::SoldOut(product) => Problem::new(
            StatusCode::CONFLICT,
            "sold-out",
            "A product is sold out",
            format!("items: not enough of {product} is left"),
        ),
        OpenError::Rush => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "You are asking for too much at once",
            "Another of your checkouts got there first. Nothing was changed; please try again.",
        )
        .retry_after(1),
        OpenError::TooMuch(TooMuch::Open(most)) => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-open-purchases",
            "You have too many open purchases",
            format!(
                "You can have at most {most} unpaid purchases at a time. Pay or cancel one of them \
                 first; those left unpaid expire by themselves."
            ),
        ),
        OpenError::TooMuch(TooMuch::Reserved(most)) => Problem::new(
            StatusCode::CONFLICT,
            "too-much-reserved",
            "That is more than can be reserved for you",
            format!(
                "One buyer can reserve at most {most} pieces of limited stock, in all unpaid \
                 purchases together. Ask for fewer, pay or cancel an open purchase first, or wait \
                 for a payment that is under way."
            ),
        ),
        OpenError::Store(error) => Problem::store(error),
    }
}
