//! The subscription of a session in subscription mode: made when the session is paid, and paid with what
//! has paid the session. A try that fails leaves none.

use anyhow::{Context as _, anyhow};

use crate::checkout::discount;
use crate::checkout::line::LineItem;
use crate::checkout::object::{Discount as Given, Session, Subscribes};
use crate::engine::ids;
use crate::engine::time::{DAY, Timestamp};
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::invoice::discount::Discount;
use crate::invoice::line::{Content, Period, Pricing};
use crate::payment;
use crate::payment::intent::{Methods, PaymentIntent, Usage};
use crate::payment::setup::NewSetup;
use crate::payment::setup_intent::SetupIntent;
use crate::subscription::bill;
use crate::subscription::life;
use crate::subscription::object::{Item, Subscription};
use crate::subscription::start;
use crate::subscription::start::Plan;
use crate::subscription::terms::{NewTerms, Terms};
use crate::subscription::trial::{self, Trial};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// How far a trial's end must be from the creation of its session, as Stripe has it.
const SHORTEST_UNTIL: Timestamp = 2 * DAY;

/// What a shop wants of the subscription that a session leads to.
#[derive(Debug)]
pub(super) struct NewSubscription {
    trial: Option<Trial>,
    terms: NewTerms,
}

impl NewSubscription {
    pub(super) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let mut data = params.object("subscription_data")?;
        let days = data.integer_within("trial_period_days", 1, trial::LONGEST)?;
        let until = data.integer("trial_end")?;
        let trial = match (days, until) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "You may only specify one of these parameters: trial_end, trial_period_days.",
                )
                .param("subscription_data[trial_end]"));
            }
            (days, until) => days.map(Trial::Days).or(until.map(Trial::Until)),
        };
        data.text("proration_behavior")?;
        let terms = NewTerms::read(&mut data)?;
        data.finish()?;
        Ok(Self { trial, terms })
    }

    /// The session leads to this from now on.
    pub(super) fn promise(
        self,
        transaction: &Transaction<'_>,
        session: &mut Session,
    ) -> Result<(), ApiError> {
        let earliest = transaction.now.saturating_add(SHORTEST_UNTIL);
        if let Some(Trial::Until(end)) = self.trial
            && end < earliest
        {
            return Err(ApiError::invalid(
                "The `trial_end` date has to be at least 2 days in the future.",
            )
            .param("subscription_data[trial_end]"));
        }
        let mut terms = Terms::default();
        let customer = session.customer.as_deref().unwrap_or_default();
        self.terms.apply(transaction, customer, &mut terms)?;
        terms.automatic_tax = session.asks_for("/automatic_tax/enabled");
        for line in &mut session.line_items {
            line.is_on_trial = self.trial.is_some() && line.recurring.is_some();
            if line.rates.is_empty() {
                line.rates.clone_from(&terms.default_tax_rates);
            }
        }
        session.terms.setup_future_usage = Some(Usage::OffSession);
        session.terms.description = Some("Subscription creation".to_owned());
        session.subscribes = Some(Subscribes {
            trial: self.trial,
            terms,
        });
        Ok(())
    }
}

/// Nothing is due now: what is to be paid with later is set up.
pub(super) fn begin_setup(
    transaction: &Transaction<'_>,
    session: &mut Session,
) -> anyhow::Result<()> {
    if session.setup_intent.is_some() {
        return Ok(());
    }
    let new = NewSetup {
        description: None,
        metadata: Default::default(),
        customer: session.customer.clone(),
        methods: Methods::Listed(session.methods.clone()),
        usage: Usage::OffSession,
        options: serde_json::Map::new(),
        from_checkout: true,
    };
    session.setup_intent = Some(payment::setup::create(transaction, new, None)?.id);
    transaction.put(session)
}

/// The session is complete: its subscription begins, with an invoice that is paid already.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    session: &Session,
    wish: &Subscribes,
    intent: Option<&PaymentIntent>,
) -> anyhow::Result<()> {
    let id = session
        .subscription
        .clone()
        .context("a session without a subscription")?;
    let customer = session
        .customer
        .clone()
        .context("a session without a customer")?;
    let mut terms = wish.terms.clone();
    terms.default_payment_method = paid_with(transaction, session, intent)?;
    let items = session.line_items.iter().filter(|line| line.quantity > 0);
    let items = items.filter_map(|line| item(transaction, line)).collect();
    let failed = |refused: ApiError| anyhow!("{} cannot begin: {}", session.id, refused.body());
    let mut subscription = start::begin(transaction, id, customer, items, terms).map_err(failed)?;
    subscription.latest_invoice.clone_from(&session.invoice);
    let plan = Plan::with(wish.trial);
    let lines = plan.apply(transaction, &mut subscription).map_err(failed)?;
    if let Some(given) = &session.discount {
        let discount = discount(transaction, session, given, &subscription)?;
        bill::give_discounts(
            transaction,
            &mut subscription,
            discount.into_iter().collect(),
        )?;
    }
    for line in session
        .line_items
        .iter()
        .filter(|line| line.recurring.is_none())
    {
        bill::enter(
            transaction,
            &subscription,
            None,
            content(transaction, line),
            false,
        )?;
    }
    life::begin(transaction, subscription, lines, |_, invoice| {
        invoice::life::close(transaction, invoice, intent)?;
        anyhow::Ok(true)
    })?;
    Ok(())
}

/// What the buyer has paid with, or will.
fn paid_with(
    transaction: &Transaction<'_>,
    session: &Session,
    intent: Option<&PaymentIntent>,
) -> anyhow::Result<Option<String>> {
    let paid = intent.and_then(|intent| intent.payment_method.clone());
    let set_up = match &session.setup_intent {
        Some(id) => transaction.existing::<SetupIntent>(id)?.payment_method,
        None => None,
    };
    Ok(paid.or(set_up).map(|method| method.to_string()))
}

fn item(transaction: &Transaction<'_>, line: &LineItem) -> Option<Item> {
    Some(Item {
        id: ids::plain("si_"),
        created: transaction.now,
        price: line.recurring.clone()?,
        name: line.name.clone(),
        quantity: line.quantity,
        discounts: Vec::new(),
        rates: line.rates.clone(),
        metadata: line.metadata.clone(),
    })
}

/// What a line that does not recur puts on the first invoice.
fn content(transaction: &Transaction<'_>, line: &LineItem) -> Content {
    Content {
        amount: line.amount(),
        description: Some(line.name.clone()),
        quantity: line.quantity,
        pricing: Pricing::of(&line.price),
        period: Period::at(transaction.now),
        discountable: true,
        discounts: Vec::new(),
        rates: line.rates.clone(),
        metadata: line.metadata.clone(),
    }
}

/// The session's discount, for as long as its coupon says.
fn discount(
    transaction: &Transaction<'_>,
    session: &Session,
    given: &Given,
    subscription: &Subscription,
) -> anyhow::Result<Option<Discount>> {
    let shown = discount::shown(transaction, session, given, Some(&subscription.id));
    Discount::stored(transaction, &shown)
}
