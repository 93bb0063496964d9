//! What customers do in the portal: the same calls that their shop would make, with the same events.

use serde_json::{Map, Value, json};

use crate::engine::transaction::Transaction;
use crate::payment;
use crate::payment::billing::BillingDetails;
use crate::payment::customer::INVOICE_DEFAULT;
use crate::payment::intent::{Methods, Usage};
use crate::payment::keep;
use crate::payment::method::{Means, PaymentMethod};
use crate::payment::setup::{NewSetup, SetUp, Terms};
use crate::plain;
use crate::portal::session::PortalSession;
use crate::portal::settings::{Canceling, Updating};
use crate::subscription;
use crate::subscription::object::{Status, Subscription};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// Ends a subscription, at once or with its period.
pub(super) fn cancel(
    transaction: &Transaction<'_>,
    mut subscription: Subscription,
    how: &Canceling,
    feedback: &str,
    comment: &str,
) -> Result<(), ApiError> {
    let given = |text: &str| Some(text.trim().to_owned()).filter(|it| !it.is_empty());
    let (feedback, comment) = (given(feedback), given(comment));
    if how.at_once {
        subscription.cancellation.feedback = feedback;
        subscription.cancellation.comment = comment;
        let (gives_back, bills_now) = (how.gives_back, how.bills_now);
        subscription::life::cancel(transaction, &mut subscription, gives_back, bills_now)?;
        return Ok(());
    }
    let asked = json!({
        "cancel_at_period_end": true,
        "cancellation_details": { "comment": comment, "feedback": feedback },
    });
    change(transaction, subscription, &asked)
}

/// The subscription goes on after all.
pub(super) fn renew(
    transaction: &Transaction<'_>,
    subscription: Subscription,
) -> Result<(), ApiError> {
    let asked = json!({ "cancel_at_period_end": false });
    change(transaction, subscription, &asked)
}

/// Another price or quantity. What is to be paid at once and is not changes nothing.
pub(super) fn update(
    transaction: &Transaction<'_>,
    subscription: Subscription,
    how: &Updating,
    price: &str,
    quantity: Option<i64>,
) -> Result<(), ApiError> {
    let item = subscription.items.first();
    let item = item.ok_or_else(|| ApiError::invalid("This plan cannot be changed here."))?;
    let mut changed = Map::new();
    changed.insert("id".to_owned(), json!(item.id));
    changed.insert(
        "quantity".to_owned(),
        json!(quantity.unwrap_or(item.quantity)),
    );
    if price != item.price.id() {
        changed.insert("price".to_owned(), json!(price));
    }
    let mut asked = Map::new();
    asked.insert("items".to_owned(), json!([changed]));
    asked.insert("proration_behavior".to_owned(), json!(how.proration));
    asked.insert("payment_behavior".to_owned(), json!("error_if_incomplete"));
    if subscription.status == Status::Trialing && how.ends_trial {
        asked.insert("trial_end".to_owned(), json!("now"));
    }
    if how.begins_anew {
        asked.insert("billing_cycle_anchor".to_owned(), json!("now"));
    }
    change(transaction, subscription, &Value::Object(asked))
}

fn change(
    transaction: &Transaction<'_>,
    subscription: Subscription,
    asked: &Value,
) -> Result<(), ApiError> {
    let mut params = Params::of(asked.as_object().unwrap_or(&Map::new()));
    let change = subscription::api::change(&mut params)?;
    params.finish()?;
    transaction
        .attempt(|| change.make(transaction, subscription))
        .map(|_| ())
}

/// What became of a card that a customer wants to keep.
pub(super) enum Kept {
    Done,
    /// The bank wants to see its customer there.
    Challenged(String),
    Refused(String),
}

/// Keeps a card for later.
pub(super) fn keep_card(
    transaction: &Transaction<'_>,
    session: &PortalSession,
    card: payment::card::Card,
) -> anyhow::Result<Kept> {
    let customer = transaction.shown_of("customer", &session.customer)?;
    let text = |field: &str| customer.as_ref()?.get(field)?.as_str().map(str::to_owned);
    let billing = BillingDetails {
        email: text("email"),
        name: text("name"),
        ..BillingDetails::default()
    };
    let mut method = PaymentMethod::new(Means::Card(card), billing, transaction.now);
    transaction.put(&method)?;
    let new = NewSetup {
        description: None,
        metadata: Default::default(),
        customer: Some(session.customer.clone()),
        methods: Methods::Listed(vec!["card".to_owned()]),
        usage: Usage::OffSession,
        options: Map::new(),
        from_checkout: false,
    };
    let mut intent = payment::setup::create(transaction, new, Some(&method))?;
    let how = Terms {
        return_url: Some(session.url.clone()),
        ..Terms::default()
    };
    Ok(
        match payment::setup::confirm(transaction, &mut intent, &mut method, how)? {
            SetUp::Done => {
                make_default(transaction, session, &method)?;
                Kept::Done
            }
            SetUp::Challenged => {
                Kept::Challenged(format!("{}/3ds/{}", transaction.site(), intent.id))
            }
            SetUp::Refused(error) => Kept::Refused(error.message().to_owned()),
        },
    )
}

/// What a customer pays with unless a subscription has another.
pub(super) fn default_method(
    transaction: &Transaction<'_>,
    customer: &str,
) -> anyhow::Result<Option<String>> {
    let customer = transaction.shown_of("customer", customer)?;
    let default = customer
        .as_ref()
        .and_then(|it| it.pointer(INVOICE_DEFAULT)?.as_str());
    Ok(default.map(str::to_owned))
}

/// Invoices are paid with this from now on, those of subscriptions with a method of their own too.
pub(super) fn make_default(
    transaction: &Transaction<'_>,
    session: &PortalSession,
    method: &PaymentMethod,
) -> anyhow::Result<()> {
    let refused = |error: ApiError| anyhow::anyhow!("a default is refused: {}", error.message());
    let settings = json!({ "invoice_settings": { "default_payment_method": method.id } });
    let settings = settings.as_object().cloned().unwrap_or_default();
    plain::update(transaction, "customer", &session.customer, settings).map_err(refused)?;
    for subscription in living(transaction, &session.customer)? {
        let own = &subscription.terms.default_payment_method;
        if own.as_deref().is_some_and(|own| own != &*method.id) {
            let asked = json!({ "default_payment_method": method.id });
            change(transaction, subscription, &asked).map_err(refused)?;
        }
    }
    Ok(())
}

/// The customer does not want it kept any more.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    mut method: PaymentMethod,
) -> anyhow::Result<()> {
    keep::detach(transaction, &mut method)
}

/// The subscriptions of a customer that are not over, newest first.
pub(super) fn living(
    transaction: &Transaction<'_>,
    customer: &str,
) -> anyhow::Result<Vec<Subscription>> {
    let mut all: Vec<Subscription> = transaction.having("customer", customer)?;
    all.retain(|it| !it.status.is_over());
    all.reverse();
    Ok(all)
}
