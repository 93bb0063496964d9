//! What a shop asks of a new session.

use serde_json::{Map, Value};

use crate::account::currency::Currency;
use crate::billing::currency;
use crate::checkout::asked::asked;
use crate::checkout::discount::NamedDiscount;
use crate::checkout::line::Order;
use crate::checkout::methods::Wanted;
use crate::checkout::object::{Collected, Mode, PaymentStatus, Session, SessionStatus};
use crate::checkout::rules;
use crate::checkout::shipping::Options;
use crate::checkout::subscription::NewSubscription;
use crate::engine::clock;
use crate::engine::ids::{CustomerId, SessionId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::{DAY, MINUTE};
use crate::engine::transaction::Transaction;
use crate::payment;
use crate::payment::intent::{Methods, PaymentIntent, Usage};
use crate::payment::setup::NewSetup;
use crate::payment::terms::{self, NewTerms};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// The session that a shop asks for.
#[derive(Debug)]
pub(crate) struct Wish {
    mode: Mode,
    asked: Map<String, Value>,
    order: Option<Order>,
    shipping: Options,
    customer: Option<String>,
    customer_update: Vec<String>,
    discount: Option<NamedDiscount>,
    methods: Wanted,
    options: Option<Value>,
    terms: NewTerms,
    setup: SetupData,
    subscription: Option<NewSubscription>,
    expires_at: Option<i64>,
    allow_redisplay: Option<String>,
}

#[derive(Debug, Default)]
struct SetupData {
    description: Option<String>,
    metadata: Metadata,
}

impl Wish {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let order = Order::read(params)?;
        Self::selling(order, params)
    }

    /// What else the shop asks for, besides what it sells.
    pub(super) fn selling(order: Option<Order>, params: &mut Params) -> Result<Self, ApiError> {
        let mode = rules::mode(params)?;
        rules::refuse(params, mode)?;
        let shipping = Options::read(params)?;
        let customer = params.text("customer")?;
        let customer_update = rules::customer_update(params, customer.is_some())?;
        let discount = NamedDiscount::read(params)?;
        let methods = Wanted::read(params)?;
        let mut data = params.object("payment_intent_data")?;
        let terms = NewTerms::read(&mut data)?;
        data.finish()?;
        let mut data = params.object("setup_intent_data")?;
        let setup = SetupData {
            description: data.short_text("description", 1_000)?,
            metadata: data.metadata("metadata")?,
        };
        data.finish()?;
        let subscription = match mode {
            Mode::Subscription => Some(NewSubscription::read(params)?),
            Mode::Payment | Mode::Setup => None,
        };
        let mut data = params.object("payment_method_data")?;
        let allow_redisplay = data.text("allow_redisplay")?;
        data.finish()?;
        let expires_at = params.integer("expires_at")?;
        rules::check_texts(params.clone())?;
        let (asked, options) = asked(params)?;
        let wish = Self {
            mode,
            asked,
            order,
            shipping,
            customer,
            customer_update,
            discount,
            methods,
            options,
            terms,
            setup,
            subscription,
            expires_at,
            allow_redisplay,
        };
        rules::check(
            &wish.asked,
            wish.customer.is_some(),
            wish.discount.is_some(),
        )?;
        wish.check_mode()?;
        Ok(wish)
    }

    /// Stripe takes lines of whoever wants to be paid, and of nobody else.
    fn check_mode(&self) -> Result<(), ApiError> {
        match (self.mode, &self.order) {
            (Mode::Payment | Mode::Subscription, None) => Err(ApiError::missing("line_items")),
            (Mode::Setup, Some(_)) => Err(ApiError::invalid(
                "You can not pass `line_items` in `setup` mode.",
            )
            .param("line_items")),
            _ => Ok(()),
        }
    }

    pub(crate) fn open(self, transaction: &Transaction<'_>) -> Result<Session, ApiError> {
        let ahead = clock::ahead(transaction.sql)?;
        let expires_at = expiry(self.expires_at, transaction.now, ahead)?;
        let customer = match &self.customer {
            Some(customer) => Some(payment::customer::named(transaction, customer)?),
            None => None,
        };
        self.check_location(transaction, customer.as_ref())?;
        let wanted = self.asked.get("currency").and_then(Value::as_str);
        let (line_items, currency) = match self.order {
            Some(order) => order.sell(transaction)?,
            None => (
                Vec::new(),
                wanted.unwrap_or("usd").parse().map_err(|_| no_currency())?,
            ),
        };
        rules::check_recurring(&line_items, self.mode)?;
        if let (Mode::Subscription, Some(customer)) = (self.mode, &customer) {
            currency::check(transaction, customer, currency, None)?;
        }
        check_currency(wanted, currency)?;
        let shipping_options = self.shipping.offer(transaction, currency)?;
        let mut terms = self.terms.begin(transaction)?;
        terms.payment_method_options =
            terms::options(PaymentIntent::KIND, self.options, Map::new());
        let methods = self.methods.offered(currency, self.mode)?;
        terms.methods = Methods::Listed(methods.clone());
        let id = SessionId::random();
        let mut session = Session {
            created: transaction.now,
            expires_at,
            status: SessionStatus::Open,
            payment_status: PaymentStatus::Unpaid,
            mode: self.mode,
            currency,
            line_items,
            methods,
            payment_intent: None,
            setup_intent: None,
            invoice: None,
            subscription: None,
            subscribes: None,
            terms,
            collected: known_of(transaction, customer.as_ref())?,
            customer,
            discount: None,
            shipping: shipping_options.first().map(|first| first.rate.clone()),
            shipping_options,
            url: format!("{}/pay/{id}", transaction.site()),
            recovered_from: None,
            payment_link: None,
            allow_redisplay: self.allow_redisplay,
            customer_update: self.customer_update,
            asked: self.asked,
            id,
        };
        if let Some(subscription) = self.subscription {
            subscription.promise(transaction, &mut session)?;
        }
        session.reckon();
        if let Some(discount) = self.discount {
            discount.give(transaction, &mut session)?;
        }
        if session.is_for_setup() {
            begin_setup(transaction, &mut session, self.setup)?;
        }
        transaction.put(&session)?;
        Ok(session)
    }
}

impl Wish {
    /// Automatic tax goes by a customer's address: there is one, or what the buyer tells is kept.
    fn check_location(
        &self,
        transaction: &Transaction<'_>,
        customer: Option<&CustomerId>,
    ) -> Result<(), ApiError> {
        let taxes = self.asked.get("automatic_tax");
        let taxes = taxes.and_then(|it| it.get("enabled")?.as_bool()) == Some(true);
        let keeps = |part: &&str| self.customer_update.iter().any(|it| it == part);
        let Some(customer) = customer.filter(|_| taxes) else {
            return Ok(());
        };
        if ["address", "shipping"].iter().any(keeps) {
            return Ok(());
        }
        let shown = transaction.shown_of("customer", customer)?;
        let country = |place: &str| shown.as_ref()?.pointer(place)?.as_str();
        match country("/address/country").or(country("/shipping/address/country")) {
            Some(_) => Ok(()),
            None => Err(ApiError::invalid(
                "Automatic tax calculation in Checkout requires a valid address on the Customer. Add \
                 a valid address to the Customer or set either `customer_update[address]` to 'auto' \
                 or `customer_update[shipping]` to 'auto' to save the address entered in Checkout to \
                 the Customer.",
            )
            .code("customer_tax_location_invalid")),
        }
    }
}

/// What is known of a buyer who has been here before.
fn known_of(
    transaction: &Transaction<'_>,
    customer: Option<&CustomerId>,
) -> anyhow::Result<Collected> {
    let Some(customer) = customer else {
        return Ok(Collected::default());
    };
    let customer = transaction
        .shown_of("customer", customer)?
        .unwrap_or_default();
    let email = customer.get("email").and_then(Value::as_str);
    Ok(Collected {
        email: email.map(str::to_owned),
        ..Collected::default()
    })
}

fn begin_setup(
    transaction: &Transaction<'_>,
    session: &mut Session,
    data: SetupData,
) -> anyhow::Result<()> {
    let new = NewSetup {
        description: data.description,
        metadata: data.metadata,
        customer: session.customer.clone(),
        methods: Methods::Listed(session.methods.clone()),
        usage: Usage::OffSession,
        options: Map::new(),
        from_checkout: true,
    };
    let intent = payment::setup::create(transaction, new, None)?;
    session.setup_intent = Some(intent.id);
    Ok(())
}

fn no_currency() -> ApiError {
    ApiError::invalid("Invalid currency: it must be one that Stripe charges in, such as usd.")
        .param("currency")
}

fn check_currency(wanted: Option<&str>, currency: Currency) -> Result<(), ApiError> {
    match wanted {
        Some(wanted) if wanted != currency.code() => Err(ApiError::invalid(format!(
            "The price specified only supports `{currency}`. This doesn't match the expected \
             currency: `{wanted}`."
        ))
        .param("currency")),
        _ => Ok(()),
    }
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
