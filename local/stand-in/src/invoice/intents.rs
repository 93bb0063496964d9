//! The payment intents of an invoice.

use serde_json::{Value, json};

use crate::engine::ids;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::invoice::object::{BillingReason, Invoice, Status};
use crate::invoice::payment::{InvoicePayment, PaymentStatus};
use crate::payment;
use crate::payment::intent::{Methods, Origin, PaymentIntent, Terms, Usage};

/// The invoice's own intent, of what remains to be paid; made when it is first needed.
pub(crate) fn own_intent(
    transaction: &Transaction<'_>,
    invoice: &mut Invoice,
) -> anyhow::Result<PaymentIntent> {
    let amount = invoice.amount_remaining();
    if let Some(id) = &invoice.intent {
        let mut intent: PaymentIntent = transaction.existing(id)?;
        if intent.amount != amount {
            intent.amount = amount;
            transaction.put(&intent)?;
        }
        return Ok(intent);
    }
    let origin = Origin::Invoice(invoice.id.clone());
    let terms = terms(invoice);
    let intent = payment::life::create(transaction, amount, invoice.currency, terms, None, origin)?;
    invoice.intent = Some(intent.id.clone());
    enter(transaction, invoice, &intent, true)?;
    transaction.put(invoice)?;
    Ok(intent)
}

/// Enters an intent among those that pay an invoice.
pub(crate) fn enter(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    intent: &PaymentIntent,
    is_default: bool,
) -> anyhow::Result<InvoicePayment> {
    let payment = InvoicePayment {
        id: ids::plain("inpay_1"),
        created: transaction.now,
        invoice: invoice.id.clone(),
        intent: intent.id.clone(),
        amount_requested: intent.amount,
        currency: intent.currency,
        is_default,
        status: PaymentStatus::Open,
    };
    transaction.put(&payment)?;
    Ok(payment)
}

/// What was to pay an invoice, and has not, comes to nothing.
pub(crate) fn give_up(transaction: &Transaction<'_>, invoice: &Invoice) -> anyhow::Result<()> {
    let payments: Vec<InvoicePayment> = transaction.having("invoice", &invoice.id)?;
    let open = payments
        .into_iter()
        .filter(|payment| payment.status == PaymentStatus::Open);
    for mut payment in open {
        let mut intent: PaymentIntent = transaction.existing(&payment.intent)?;
        let reason = match invoice.status {
            Status::Void => "void_invoice",
            _ => "automatic",
        };
        let canceled = payment::capture::cancel(transaction, &mut intent, Some(reason.to_owned()))?;
        // What a bank has in hand comes anyway.
        if canceled.is_ok() {
            let at = transaction.now;
            payment.status = PaymentStatus::Canceled { at };
            transaction.put(&payment)?;
        }
    }
    Ok(())
}

/// What a page of the shop's own confirms the payment of an open invoice with.
pub(crate) fn confirmation_secret(
    transaction: &Transaction<'_>,
    invoice: &str,
) -> anyhow::Result<Option<Value>> {
    let invoice = transaction.get::<Invoice>(invoice)?;
    let open = invoice.filter(|it| matches!(it.status, Status::Open { .. }));
    let Some(intent) = open.and_then(|invoice| invoice.intent) else {
        return Ok(Some(Value::Null));
    };
    let intent: PaymentIntent = transaction.existing(&intent)?;
    Ok(Some(json!({
        "client_secret": intent.client_secret,
        "type": PaymentIntent::KIND,
    })))
}

/// What the invoice's own intent is to be.
fn terms(invoice: &Invoice) -> Terms {
    let settings = invoice.terms.held.get("payment_settings");
    let setting = |at: &str| settings.and_then(|settings| settings.pointer(at));
    let types = setting("/payment_method_types").and_then(Value::as_array);
    let types: Vec<String> = types.map_or_else(Vec::new, |types| {
        let types = types.iter().filter_map(Value::as_str);
        types.map(str::to_owned).collect()
    });
    let options = setting("/payment_method_options").and_then(Value::as_object);
    let of_subscription = invoice.subscription().is_some();
    Terms {
        description: Some(
            match invoice.billing_reason {
                BillingReason::SubscriptionCreate => "Subscription creation",
                BillingReason::SubscriptionCycle | BillingReason::SubscriptionUpdate => {
                    "Subscription update"
                }
                _ => "Payment for Invoice",
            }
            .to_owned(),
        ),
        customer: Some(invoice.customer.clone()),
        methods: Methods::Listed(match types.is_empty() {
            true => vec!["card".to_owned()],
            false => types,
        }),
        setup_future_usage: of_subscription.then_some(Usage::OffSession),
        statement_descriptor: invoice.terms.statement_descriptor.clone(),
        payment_method_options: options.cloned().unwrap_or_default(),
        ..Terms::default()
    }
}
