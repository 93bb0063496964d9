//! The invoice of a session in payment mode, if its shop wants one: made when the session is paid, and
//! paid with what has paid the session.

use serde_json::{Map, Value};

use crate::checkout::discount;
use crate::checkout::line::LineItem;
use crate::checkout::object::Session;
use crate::checkout::tax::Rate;
use crate::engine::ids::{self, InvoiceId, SubscriptionId};
use crate::engine::transaction::Transaction;
use crate::invoice;
use crate::invoice::discount::Discount;
use crate::invoice::draft::NewInvoice;
use crate::invoice::line::{Content, Line, Period, Pricing, Source};
use crate::invoice::shipment::Shipping;
use crate::invoice::terms::Terms;
use crate::payment::intent::PaymentIntent;
use crate::promotion::object::Off;

/// Whether the shop wants an invoice.
pub(super) fn is_wanted(session: &Session) -> bool {
    session.asks_for("/invoice_creation/enabled")
}

/// The session is paid: the invoice that it names is made.
pub(super) fn make(
    transaction: &Transaction<'_>,
    session: &Session,
    intent: Option<&PaymentIntent>,
) -> anyhow::Result<()> {
    let (Some(id), Some(customer)) = (&session.invoice, &session.customer) else {
        return Ok(());
    };
    let period = Period::at(transaction.now);
    let lines = session.line_items.iter();
    let new = NewInvoice {
        id: Some(id.clone()),
        terms: terms(session),
        lines: lines.map(|item| line(session, item, period)).collect(),
        discounts: Some(discounts(transaction, session)?),
        shipping: session.chosen_shipping().map(|option| Shipping {
            rate: Some(option.rate.clone()),
            amount: option.amount,
            includes_tax: option.includes_tax,
            taxes: automatic(session, option.includes_tax)
                .into_iter()
                .collect(),
        }),
        period: Some(period),
        ..NewInvoice::of(customer, session.currency)
    };
    let mut invoice = invoice::draft::begin(transaction, new)?;
    invoice::life::close(transaction, &mut invoice, intent)
}

/// The ids of the invoice and of the subscription that there are to be.
pub(super) fn promise(session: &mut Session) {
    let subscribes = session.is_for_subscription();
    if (subscribes || is_wanted(session)) && session.invoice.is_none() {
        session.invoice = Some(InvoiceId::random());
    }
    if subscribes {
        session
            .subscription
            .get_or_insert_with(SubscriptionId::random);
    }
}

fn terms(session: &Session) -> Terms {
    let data = session.asked_at("/invoice_creation/invoice_data");
    let field = |name: &str| data.and_then(|data| data.get(name)).cloned();
    let text = |name: &str| field(name).and_then(|it| it.as_str().map(str::to_owned));
    let held = ["account_tax_ids", "custom_fields"];
    let held = held
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), field(name)?)));
    Terms {
        description: text("description"),
        footer: text("footer"),
        metadata: field("metadata")
            .and_then(|it| serde_json::from_value(it).ok())
            .unwrap_or_default(),
        held: held.collect(),
        ..Terms::default()
    }
}

/// The rate of automatic tax where the buyer is, if the shop wants it.
fn automatic(session: &Session, includes_tax: bool) -> Option<Rate> {
    let country = session.tax_country();
    let country = country.filter(|_| session.asks_for("/automatic_tax/enabled"))?;
    Rate::automatic(country, includes_tax, session.created)
}

fn line(session: &Session, item: &LineItem, period: Period) -> Line {
    let automatic = automatic(session, item.includes_tax());
    let content = Content {
        amount: item.amount(),
        description: Some(item.name.clone()),
        quantity: item.quantity,
        pricing: Pricing::of(&item.price),
        period,
        discountable: true,
        discounts: Vec::new(),
        rates: item.rates.iter().cloned().chain(automatic).collect(),
        metadata: item.metadata.clone(),
    };
    let source = Source::Item {
        item: ids::plain("ii_1"),
        subscription: None,
        proration: None,
    };
    Line::new(content, source)
}

/// The session's discount: of as much as it took off there.
fn discounts(transaction: &Transaction<'_>, session: &Session) -> anyhow::Result<Vec<Discount>> {
    let Some(given) = &session.discount else {
        return Ok(Vec::new());
    };
    let shown = discount::shown(transaction, session, given, None);
    let shown = match shown {
        Value::Object(shown) => shown,
        _ => Map::new(),
    };
    let discount = Discount {
        shown,
        off: Off::Amount {
            amount: given.amount,
            currency: session.currency,
        },
    };
    discount.keep(transaction)?;
    Ok(vec![discount])
}
