//! Payment methods that customers keep.

use serde_json::Value;

use crate::engine::ids::CustomerId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::customer;
use crate::payment::method::{Owner, PaymentMethod};
use crate::webhook::record::{record, record_change};

/// It is the customer's from now on.
pub(crate) fn attach(
    transaction: &Transaction<'_>,
    method: &mut PaymentMethod,
    customer: &CustomerId,
) -> anyhow::Result<()> {
    method.owner = Owner::Customer(customer.clone());
    method.checked = true;
    transaction.put(method)?;
    record(transaction, "payment_method.attached", method)
}

/// It is nobody's any more, and of no more use.
pub(crate) fn detach(
    transaction: &Transaction<'_>,
    method: &mut PaymentMethod,
) -> anyhow::Result<()> {
    let before = method.answer();
    let owner = method.customer().cloned();
    method.owner = Owner::Spent;
    transaction.put(method)?;
    record_change(transaction, "payment_method.detached", &before, method)?;
    match owner {
        Some(owner) => customer::forget_default(transaction, &owner, &method.id),
        None => Ok(()),
    }
}

/// A customer who is no more keeps nothing.
pub(crate) fn detach_all(transaction: &Transaction<'_>, customer: &str) -> anyhow::Result<()> {
    for mut method in transaction.having::<PaymentMethod>("customer", customer)? {
        detach(transaction, &mut method)?;
    }
    Ok(())
}

/// Its shop has changed it.
pub(crate) fn update(
    transaction: &Transaction<'_>,
    before: &Value,
    method: &PaymentMethod,
) -> anyhow::Result<()> {
    transaction.put(method)?;
    record_change(transaction, "payment_method.updated", before, method)
}
