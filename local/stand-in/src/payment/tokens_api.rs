//! `/v1/tokens`: cards as forms of old integrations send them.

use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::payment::billing::{Address, BillingDetails};
use crate::payment::given;
use crate::payment::token::Token;
use crate::payment::typed::TypedCard;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["tokens"]) => Box::new(create_token),
        _ => return None,
    })
}

fn create_token<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let mut card = params.optional_object("card").required(&params, "card")?;
    let typed = TypedCard::read(&mut card)?;
    let mut part = |field| card.short_text(field, 5_000);
    let billing = BillingDetails {
        address: Address {
            city: part("address_city")?,
            country: part("address_country")?,
            line1: part("address_line1")?,
            line2: part("address_line2")?,
            postal_code: part("address_zip")?,
            state: part("address_state")?,
        },
        name: part("name")?,
        ..BillingDetails::default()
    };
    card.finish()?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let token = Token {
            id: ids::token(),
            source: ids::card(),
            created: transaction.now,
            card: typed.check(transaction.now).map_err(given::refused)?,
            billing,
            used: false,
        };
        transaction.put(&token)?;
        Ok(token.answer())
    }))
}
