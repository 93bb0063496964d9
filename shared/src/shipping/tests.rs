//! What is offered to whom, and which settings are refused.

use proptest::prelude::*;
use stripe_checkout::checkout_session::CreateCheckoutSessionShippingAddressCollectionAllowedCountries as Theirs;

use super::*;

const RATES: &str = "Standard: 4.90 EUR, free from 50.00, to DE AT; Express: 12.90 EUR, free from \
                     100.00 EUR, to DE; Abroad: 19 EUR, to CH; Post: 5.50 USD";

fn shipping(countries: &str, rates: &str) -> Shipping {
    Shipping::parse(countries, rates).unwrap()
}

fn eur(amount: i64) -> Money {
    Money::new(amount, "eur".parse().unwrap())
}

fn country(code: &str) -> Country {
    code.parse().unwrap()
}

/// The rates on offer, in words.
fn offered(shipping: &Shipping, goods: Money, to: Option<&str>) -> Result<String, ShippingError> {
    let offer = shipping.offer(goods, to.map(country))?;
    let rates = offer.rates.iter();
    let rates = rates.map(|rate| format!("{} {}", rate.name, rate.amount));
    let countries = offer.countries.iter().map(|it| it.to_string());
    let (countries, rates): (Vec<_>, Vec<_>) = (countries.collect(), rates.collect());
    Ok(format!("{}: {}", countries.join(" "), rates.join(", ")))
}

#[test]
fn a_country_has_its_own_rates_and_they_are_free_above_an_amount() {
    let shop = shipping("DE, AT,CH", RATES);
    for (goods, to, expected) in [
        (eur(4_999), "DE", "DE: Standard 490, Express 1290"),
        (eur(5_000), "DE", "DE: Standard 0, Express 1290"),
        (eur(4_999), "AT", "AT: Standard 490"),
        (eur(5_000), "CH", "CH: Abroad 1900"),
        (Money::new(1, "usd".parse().unwrap()), "CH", "CH: Post 550"),
    ] {
        assert_eq!(offered(&shop, goods, Some(to)).as_deref(), Ok(expected));
    }
}

#[test]
fn of_several_free_rates_the_best_is_offered() {
    let shop = shipping("DE, AT,CH", RATES);
    let all_free = offered(&shop, eur(10_000), Some("DE"));
    assert_eq!(all_free.as_deref(), Ok("DE: Express 0"));
}

#[test]
fn the_country_is_asked_for_only_if_rates_depend_on_it() {
    let shop = shipping("DE, AT,CH", RATES);
    let all = vec![country("AT"), country("CH"), country("DE")];
    let asked = shop.offer(eur(100), None);
    assert_eq!(asked, Err(ShippingError::WhichCountry(all)));
    let dollars = Money::new(100, "usd".parse().unwrap());
    let everywhere = offered(&shop, dollars, None);
    assert_eq!(everywhere.as_deref(), Ok("AT CH DE: Post 550"));
    // There is nothing to ask in a shop that delivers to one country.
    let home = shipping("DE", "Standard: 4.90 EUR, to DE");
    let only = offered(&home, eur(100), None);
    assert_eq!(only.as_deref(), Ok("DE: Standard 490"));
}

#[test]
fn without_rates_shipping_is_free_and_without_countries_there_is_none() {
    let free = offered(&shipping("de at", ""), eur(100), None);
    assert_eq!(free.as_deref(), Ok("AT DE: "));
    let nowhere = Shipping::default().offer(eur(100), None);
    assert_eq!(nowhere, Err(ShippingError::Nowhere));
}

#[test]
fn what_cannot_be_delivered_is_refused() {
    let shop = shipping("DE, AT,CH", RATES);
    let fr = shop.offer(eur(100), Some(country("FR")));
    assert_eq!(fr, Err(ShippingError::NotThere(country("FR"))));
    let yen = Money::new(100, "jpy".parse().unwrap());
    let refused = shop.offer(yen, Some(country("DE")));
    assert_eq!(refused, Err(ShippingError::OtherCurrency(yen.currency)));
}

#[test]
fn settings_that_cannot_be_used_say_why() {
    for (countries, rates, why) in [
        ("Germany", "", "\"Germany\" is not a country"),
        ("DE,KP", "", "KP is not a country that Stripe delivers to"),
        ("", "Standard: 1 EUR", "the shop delivers nowhere"),
        (
            "DE",
            "Standard 1 EUR",
            "has no name and colon before its price",
        ),
        ("DE", ": 1 EUR", "has no name of 1 to 100 characters"),
        (
            "DE",
            "Standard: 4,90 EUR",
            "has no price (an amount and a currency)",
        ),
        (
            "DE",
            "Standard: 4.901 EUR",
            "has no price (\"4.901\" is not an amount in EUR",
        ),
        (
            "DE",
            "Standard: 1 EUR, free",
            "says \"free\", which means nothing here",
        ),
        (
            "DE",
            "Standard: 1 EUR, free from 5 USD",
            "in another currency",
        ),
        (
            "DE",
            "Standard: 1 EUR, to FR",
            "\"Standard\" is offered in FR, where",
        ),
        (
            "DE AT",
            "Standard: 1 EUR, to DE",
            "there is no rate in EUR for AT",
        ),
        (
            "DE",
            "A: 1 EUR; B: 1.00 EUR, to DE",
            "\"A\" and \"B\" both cost 1.00 EUR in DE",
        ),
        (
            "DE",
            "A: 1 EUR; B: 2 EUR; C: 3 EUR; D: 4 EUR; E: 5 EUR; F: 6 EUR",
            "there are 6 rates in EUR for DE, but Checkout offers at most 5",
        ),
    ] {
        let error = Shipping::parse(countries, rates).unwrap_err().to_string();
        assert!(error.contains(why), "{countries}, {rates}: {error}");
    }
}

#[test]
fn the_countries_on_offer_are_those_that_stripe_lists() {
    let letters = || b'A'..=b'Z';
    for (first, second) in letters().flat_map(|first| letters().map(move |it| (first, it))) {
        let code = String::from_utf8(vec![first, second]).unwrap();
        let Ok(theirs) = code.parse::<Theirs>();
        let is_theirs = !matches!(theirs, Theirs::Unknown(_)) && code != "ZZ";
        assert_eq!(country(&code).is_offered(), is_theirs, "{code}");
    }
}

/// Settings that may be used, and the countries in them.
fn settings() -> impl Strategy<Value = Shipping> {
    let rate = (0_i64..900, prop::option::of(0_i64..3_000), 0_u8..8);
    prop::collection::vec(rate, 0..5).prop_filter_map("not to be used", |rates| {
        let codes = ["DE", "AT", "CH"];
        let rates = rates
            .into_iter()
            .enumerate()
            .map(|(number, (price, free, to))| {
                let free = free.map_or(String::new(), |from| {
                    format!(", free from {}", eur(from).major_units())
                });
                let to = codes
                    .into_iter()
                    .enumerate()
                    .filter(|(bit, _)| to >> bit & 1 == 1);
                let to: Vec<_> = to.map(|(_, code)| code).collect();
                let to = match to.as_slice() {
                    [] => String::new(),
                    some => format!(", to {}", some.join(" ")),
                };
                format!("Rate {number}: {}{free}{to};", eur(price))
            });
        Shipping::parse("DE AT CH", &rates.collect::<String>()).ok()
    })
}

proptest! {
    /// The amount that was paid tells which rate was chosen, nothing costs more than its price, and
    /// whoever says where they live is offered something.
    #[test]
    fn whoever_is_offered_rates_can_be_told_which_they_chose(
        shop in settings(),
        goods in 0_i64..4_000,
        to in prop::sample::select(vec![None, Some("DE"), Some("AT"), Some("CH")]),
    ) {
        let offer = match shop.offer(eur(goods), to.map(country)) {
            Ok(offer) => offer,
            Err(error) => {
                prop_assert!(to.is_none() && matches!(error, ShippingError::WhichCountry(_)));
                return Ok(());
            }
        };
        prop_assert_eq!(offer.rates.is_empty(), !shop.has_rates());
        for offered in &offer.rates {
            prop_assert_eq!(offer.name_of(offered.amount), Some(offered.name.as_str()));
            let rate = shop.rates.iter().find(|rate| rate.name == offered.name).unwrap();
            let is_free = rate.free_from.is_some_and(|from| goods >= from);
            prop_assert_eq!(offered.amount, if is_free { 0 } else { rate.price.amount });
            for country in &offer.countries {
                prop_assert!(rate.reaches(*country));
            }
        }
    }
}
