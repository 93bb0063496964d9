//! `/v1/test_helpers/customers/{customer}/fund_cash_balance`: a customer transfers money, which pays what
//! waits for it.

use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::billing;
use crate::engine::ids::{self, CustomerId};
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::action::Action;
use crate::payment::bank::Ending;
use crate::payment::customer as customers;
use crate::payment::intent::{IntentState, PaymentIntent, WrongState};
use crate::webhook::record::{record, record_shown};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["test_helpers", "customers", customer, "fund_cash_balance"]) => {
            Box::new(move |params| fund(customer, params))
        }
        _ => return None,
    })
}

fn fund<'r>(customer: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let currency = params.currency("currency").required(&params, "currency")?;
    let amount = params
        .integer_within("amount", 1, currency.maximum().minor_units())
        .required(&params, "amount")
        .map(Amount::new)?;
    let reference = params.short_text("reference", 5_000)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let customer = customers::named(transaction, customer)?;
        let transfer = transfer(
            transaction,
            &customer,
            amount,
            currency,
            reference.as_deref(),
        );
        let event_type = "customer_cash_balance_transaction.created";
        record_shown(transaction, event_type, transfer.clone(), None)?;
        apply(transaction, &customer, amount, currency)?;
        Ok(transfer)
    }))
}

/// The transfer as the API shows it.
fn transfer(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
    amount: Amount,
    currency: Currency,
    reference: Option<&str>,
) -> Value {
    let (kind, sender) = match currency.code() {
        "eur" => (
            "eu_bank_transfer",
            json!({ "bic": null, "iban_last4": null, "sender_name": null }),
        ),
        "gbp" => (
            "gb_bank_transfer",
            json!({ "account_number_last4": null, "sender_name": null, "sort_code": null }),
        ),
        "jpy" => (
            "jp_bank_transfer",
            json!({ "sender_bank": null, "sender_branch": null, "sender_name": null }),
        ),
        "mxn" => ("mx_bank_transfer", json!({ "sender_name": null })),
        _ => ("us_bank_transfer", json!({ "sender_name": null })),
    };
    json!({
        "id": ids::cash_balance_transaction(),
        "object": "customer_cash_balance_transaction",
        "created": transaction.now,
        "currency": currency,
        "customer": customer,
        "customer_account": null,
        "ending_balance": amount,
        "funded": {
            "bank_transfer": { "reference": reference, "type": kind, kind: sender },
        },
        "livemode": false,
        "net_amount": amount,
        "type": "funded",
    })
}

/// Pays the oldest intents that wait for a transfer in this currency, as far as the money goes.
fn apply(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
    mut left: Amount,
    currency: Currency,
) -> Result<(), ApiError> {
    for mut intent in transaction.having::<PaymentIntent>("customer", customer)? {
        let (IntentState::RequiresAction(Action::BankTransfer(waits)), true) =
            (&mut intent.state, intent.currency == currency)
        else {
            continue;
        };
        let missing = intent.amount.minus(waits.funded);
        let share = missing.min(left);
        left = left.minus(share);
        waits.funded = waits.funded.plus(share);
        if share == Amount::ZERO {
            break;
        }
        transaction.put(&intent)?;
        if share < missing {
            record(transaction, "payment_intent.partially_funded", &intent)?;
            continue;
        }
        billing::settle(transaction, &mut intent, Ending::Succeeds)?
            .map_err(|WrongState| anyhow::anyhow!("{} waits for no transfer", intent.id()))?;
    }
    Ok(())
}
