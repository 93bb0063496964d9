//! What a customer has transferred, and every movement of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::description::complete;
use crate::engine::ids::{CashTransactionId, CustomerId, PaymentIntentId};
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;
use crate::payment::bank_transfer;

/// The money of one customer that no payment has used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CashBalance {
    /// It is kept under an id that the API does not show.
    id: String,
    pub(crate) created: Timestamp,
    pub(crate) customer: CustomerId,
    /// By currency.
    pub(crate) available: BTreeMap<String, Amount>,
    /// None if the account's own way holds, which is automatic.
    pub(crate) reconciliation: Option<Reconciliation>,
}

/// Whether what comes pays by itself what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reconciliation {
    Automatic,
    Manual,
}

impl CashBalance {
    /// Under which id the balance of a customer is kept.
    pub(crate) fn id_of(customer: &CustomerId) -> String {
        format!("{customer}_cash_balance")
    }

    /// That of a customer who has never transferred anything.
    pub(crate) fn empty(customer: &CustomerId, now: Timestamp) -> Self {
        Self {
            id: Self::id_of(customer),
            created: now,
            customer: customer.clone(),
            available: BTreeMap::new(),
            reconciliation: None,
        }
    }

    pub(crate) fn in_currency(&self, currency: Currency) -> Amount {
        let known = self.available.get(currency.code());
        known.copied().unwrap_or_default()
    }

    pub(crate) fn is_automatic(&self) -> bool {
        self.reconciliation != Some(Reconciliation::Manual)
    }
}

impl Object for CashBalance {
    const KIND: &'static str = "cash_balance";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let mode = self.reconciliation.unwrap_or(Reconciliation::Automatic);
        let answer = json!({
            "object": Self::KIND,
            "available": (!self.available.is_empty()).then_some(&self.available),
            "customer": self.customer,
            "livemode": false,
            "settings": {
                "reconciliation_mode": mode,
                "using_merchant_default": self.reconciliation.is_none(),
            },
        });
        complete(Self::KIND, answer)
    }
}

/// One movement of a customer's cash balance.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CashTransaction {
    pub(crate) id: CashTransactionId,
    pub(crate) created: Timestamp,
    pub(crate) customer: CustomerId,
    pub(crate) currency: Currency,
    /// Negative goes out.
    pub(crate) net_amount: Amount,
    pub(crate) ending_balance: Amount,
    pub(crate) movement: Movement,
}

/// Why a cash balance changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Movement {
    /// The customer has transferred money, perhaps with a word on what it is for.
    Funded { reference: Option<String> },
    /// It pays for this.
    AppliedToPayment(PaymentIntentId),
    /// It pays for this no more.
    UnappliedFromPayment(PaymentIntentId),
    /// It goes back to the customer's bank.
    ReturnInitiated,
    /// It does not go back after all.
    ReturnCanceled,
}

impl CashTransaction {
    /// Stripe's type of it, and what is told of that; nothing is where the type says it all.
    fn shown(&self) -> (&'static str, Value) {
        let of = |intent: &PaymentIntentId| json!({ "payment_intent": intent });
        match &self.movement {
            Movement::Funded { reference } => (
                "funded",
                json!({ "bank_transfer": bank_transfer::sender(self.currency, reference.as_deref()) }),
            ),
            Movement::AppliedToPayment(intent) => ("applied_to_payment", of(intent)),
            Movement::UnappliedFromPayment(intent) => ("unapplied_from_payment", of(intent)),
            Movement::ReturnInitiated => ("return_initiated", Value::Null),
            Movement::ReturnCanceled => ("return_canceled", Value::Null),
        }
    }
}

impl Object for CashTransaction {
    const KIND: &'static str = "customer_cash_balance_transaction";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let (kind, told) = self.shown();
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "ending_balance": self.ending_balance,
            "livemode": false,
            "net_amount": self.net_amount,
            "type": kind,
        });
        if let (Value::Object(answer), false) = (&mut answer, told.is_null()) {
            answer.insert(kind.to_owned(), told);
        }
        complete(Self::KIND, answer)
    }
}
