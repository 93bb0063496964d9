//! `/v1/checkout/sessions`.

use url::Url;

use crate::account::currency::Currency;
use crate::checkout;
use crate::checkout::object::{
    LineItem, PaymentIntentData, PaymentStatus, Product, Session, SessionStatus,
};
use crate::engine::clock;
use crate::engine::database::Transaction;
use crate::engine::ids::{self, SessionId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::{DAY, MINUTE};
use crate::payment::intent::WrongState;
use crate::wire::answer::{Asked, Route, Settings, Work};
use crate::wire::errors::ApiError;
use crate::wire::expand::line_items_url;
use crate::wire::lists::Paging;
use crate::wire::params::{Params, Required as _};

/// The languages of Stripe's payment page.
const LOCALES: &[&str] = &[
    "auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr",
    "fr-CA", "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt",
    "pt-BR", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW",
];

/// Stripe's limit for a session in payment mode.
const MOST_LINE_ITEMS: usize = 100;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    let settings = asked.settings;
    Some(match (asked.method, asked.path) {
        ("POST", ["checkout", "sessions"]) => Box::new(move |params| create(params, settings)),
        ("POST", ["checkout", "sessions", id, "expire"]) => {
            Box::new(move |params| expire(id, params))
        }
        ("GET", ["checkout", "sessions", id, "line_items"]) => {
            Box::new(move |params| line_items(id, params))
        }
        _ => return None,
    })
}

fn create(mut params: Params, settings: &Settings) -> Result<Work<'_>, ApiError> {
    let wish = Wish::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let session = wish.open(transaction, &settings.public_url)?;
        Ok(session.answer())
    }))
}

/// The session that a shop asks for.
struct Wish {
    order: Order,
    payment_intent_data: PaymentIntentData,
    success_url: String,
    cancel_url: Option<String>,
    client_reference_id: Option<String>,
    customer_email: Option<String>,
    metadata: Metadata,
    expires_at: Option<i64>,
    locale: Option<String>,
    adaptive_pricing: bool,
    allow_promotion_codes: Option<bool>,
}

impl Wish {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        params
            .choice("mode", &["payment"])
            .required(params, "mode")?;
        let success_url = params.url("success_url").required(params, "success_url")?;
        let cancel_url = params.url("cancel_url")?;
        let order = Order::read(params)?;
        let mut data = params.object("payment_intent_data")?;
        let payment_intent_data = PaymentIntentData {
            description: data.short_text("description", 1_000)?,
            metadata: data.metadata("metadata")?,
        };
        data.finish()?;
        let client_reference_id = params.short_text("client_reference_id", 200)?;
        let customer_email = params.email("customer_email")?;
        let metadata = params.metadata("metadata")?;
        let expires_at = params.integer("expires_at")?;
        let locale = params.choice("locale", LOCALES)?;
        let mut adaptive = params.object("adaptive_pricing")?;
        let adaptive_pricing = adaptive.boolean("enabled")?.unwrap_or(true);
        adaptive.finish()?;
        Ok(Self {
            order,
            payment_intent_data,
            success_url,
            cancel_url,
            client_reference_id,
            customer_email,
            metadata,
            expires_at,
            locale,
            adaptive_pricing,
            allow_promotion_codes: params.boolean("allow_promotion_codes")?,
        })
    }

    fn open(self, transaction: &Transaction<'_>, public_url: &Url) -> Result<Session, ApiError> {
        let ahead = clock::ahead(&transaction.sql)?;
        let expires_at = expiry(self.expires_at, transaction.now, ahead)?;
        let line_items = self
            .order
            .lines
            .into_iter()
            .map(|line| line.sell(transaction));
        let id = SessionId::random();
        let session = Session {
            created: transaction.now,
            expires_at,
            status: SessionStatus::Open,
            payment_status: match self.order.total {
                0 => PaymentStatus::NoPaymentRequired,
                _ => PaymentStatus::Unpaid,
            },
            currency: self.order.currency,
            amount_total: self.order.total,
            line_items: line_items.collect::<Result<_, _>>()?,
            payment_intent: None,
            payment_intent_data: self.payment_intent_data,
            buyer_email: None,
            customer_email: self.customer_email,
            client_reference_id: self.client_reference_id,
            metadata: self.metadata,
            success_url: self.success_url,
            cancel_url: self.cancel_url,
            url: format!("{}/pay/{id}", public_url.as_str().trim_end_matches('/')),
            locale: self.locale,
            adaptive_pricing: self.adaptive_pricing,
            allow_promotion_codes: self.allow_promotion_codes,
            discount: None,
            id,
        };
        transaction.put(&session)?;
        Ok(session)
    }
}

fn expire(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut session = find(transaction, id)?;
        checkout::life::expire(transaction, &mut session)?.map_err(|WrongState| {
            ApiError::invalid(format!(
                "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout \
                 Session has a status of {}.",
                session.status.as_str()
            ))
        })?;
        Ok(session.answer())
    }))
}

fn line_items(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let paging = Paging::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let session = find(transaction, id)?;
        let page = paging.listed(&line_items_url(id), session.lines())?;
        Ok(page)
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<Session, ApiError> {
    let session = transaction.get::<Session>(id)?;
    session.ok_or_else(|| ApiError::no_such(Session::KIND, id).param("session"))
}

/// When the session is to end: in half an hour to a day.
///
/// Once the stand-in's clock has been moved, a shop that goes by the machine's own asks for an end
/// that is too near here, or past. What fits the machine's clock is then taken for what it means
/// there: so many minutes from now.
fn expiry(wanted: Option<i64>, now: i64, ahead: i64) -> Result<i64, ApiError> {
    let (shortest, longest) = (30 * MINUTE, DAY);
    let Some(wanted) = wanted else {
        return Ok(now.saturating_add(longest));
    };
    let lasts = wanted.saturating_sub(now);
    let lasts_there = lasts.saturating_add(ahead);
    let fits = |lasts: &i64| (shortest..=longest).contains(lasts);
    match [lasts, lasts_there].into_iter().find(fits) {
        Some(lasts) => Ok(now.saturating_add(lasts)),
        None => {
            let rule = match lasts < shortest {
                true => "at least 30 minutes from",
                false => "less than 24 hours from",
            };
            Err(ApiError::invalid(format!(
                "The `expires_at` timestamp must be {rule} Checkout Session creation."
            ))
            .param("expires_at"))
        }
    }
}

/// The line items as asked for, added up.
struct Order {
    lines: Vec<Line>,
    currency: Currency,
    total: i64,
}

struct Line {
    product: Product,
    currency: Currency,
    unit_amount: i64,
    quantity: i64,
    amount: i64,
}

impl Order {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let items = params.objects("line_items")?;
        if items.len() > MOST_LINE_ITEMS {
            return Err(ApiError::invalid(format!(
                "Array line_items exceeded maximum {MOST_LINE_ITEMS} allowed elements."
            ))
            .param("line_items"));
        }
        let lines = items
            .into_iter()
            .map(Line::read)
            .collect::<Result<Vec<_>, _>>()?;
        let Some(currency) = lines.first().map(|line| line.currency) else {
            return Err(ApiError::missing("line_items"));
        };
        if lines.iter().any(|line| line.currency != currency) {
            return Err(
                ApiError::invalid("All line items must be in the same currency.")
                    .param("line_items"),
            );
        }
        let total = lines
            .iter()
            .try_fold(0_i64, |total, line| total.checked_add(line.amount));
        match total {
            Some(total) if total > 0 && total < currency.minimum() => {
                Err(ApiError::amount_too_small("line_items", currency))
            }
            Some(total) if total <= currency.maximum() => Ok(Self {
                lines,
                currency,
                total,
            }),
            _ => Err(ApiError::amount_too_large("line_items", currency)),
        }
    }
}

impl Line {
    fn read(mut item: Params) -> Result<Self, ApiError> {
        let quantity = item
            .integer_within("quantity", 1, 999_999)
            .required(&item, "quantity")?;
        let mut price = item
            .optional_object("price_data")
            .required(&item, "price_data")?;
        let currency = price.currency("currency").required(&price, "currency")?;
        let unit_amount = price
            .amount("unit_amount", currency)
            .required(&price, "unit_amount")?;
        let mut product = price
            .optional_object("product_data")
            .required(&price, "product_data")?;
        let images = product.texts("images")?;
        if images.len() > 8 {
            return Err(ApiError::invalid("A product may have at most 8 images.")
                .param(product.name("images")));
        }
        let made = Product {
            id: ids::product(),
            created: 0,
            name: product.short_text("name", 250).required(&product, "name")?,
            description: product.short_text("description", 40_000)?,
            images,
            metadata: product.metadata("metadata")?,
        };
        product.finish()?;
        price.finish()?;
        let amount = unit_amount
            .checked_mul(quantity)
            .ok_or_else(|| ApiError::amount_too_large(&item.name("quantity"), currency))?;
        item.finish()?;
        Ok(Self {
            product: made,
            currency,
            unit_amount,
            quantity,
            amount,
        })
    }

    /// Keeps the product that the line makes, and puts it in the session.
    fn sell(self, transaction: &Transaction<'_>) -> anyhow::Result<LineItem> {
        let product = Product {
            created: transaction.now,
            ..self.product
        };
        transaction.put(&product)?;
        Ok(LineItem {
            id: ids::line_item(),
            price: ids::price(),
            product: product.id,
            name: product.name,
            description: product.description,
            unit_amount: self.unit_amount,
            quantity: self.quantity,
            amount: self.amount,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REAL: i64 = 1_764_000_000;
    const HOUR: i64 = 60 * MINUTE;

    /// How long a session lasts that is to end so long after the machine's now.
    fn lasts(asked: i64, ahead: i64) -> Option<i64> {
        let now = REAL.saturating_add(ahead);
        let end = expiry(Some(REAL.saturating_add(asked)), now, ahead).ok()?;
        Some(end.saturating_sub(now))
    }

    #[test]
    fn a_session_lasts_half_an_hour_to_a_day() {
        assert_eq!(expiry(None, REAL, 0).unwrap(), REAL + DAY);
        assert_eq!(lasts(30 * MINUTE, 0), Some(30 * MINUTE));
        assert_eq!(lasts(DAY, 0), Some(DAY));
        assert_eq!(lasts(30 * MINUTE - 1, 0), None);
        assert_eq!(lasts(DAY + 1, 0), None);
    }

    #[test]
    fn on_a_moved_clock_it_lasts_as_long_as_the_shop_meant() {
        for ahead in [HOUR, DAY, 30 * DAY] {
            assert_eq!(lasts(HOUR, ahead), Some(HOUR), "{ahead}");
            assert_eq!(lasts(MINUTE, ahead), None, "{ahead}");
        }
        // Whoever goes by the moved clock is taken at their word.
        assert_eq!(lasts(30 * DAY + HOUR, 30 * DAY), Some(HOUR));
        assert_eq!(lasts(DAY, HOUR), Some(23 * HOUR));
    }
}
