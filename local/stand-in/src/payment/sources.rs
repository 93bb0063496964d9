//! Sources: payment methods as old integrations know them. The API shows the same card or bank account in
//! two ways.

use serde_json::Value;

use crate::engine::ids::{self, CustomerId, PaymentMethodId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::transaction::Transaction;
use crate::payment::given;
use crate::payment::method::{Means, Owner, PaymentMethod};
use crate::webhook::record::record_shown;
use crate::wire::errors::ApiError;

/// What is behind a token, as a payment method with the id of a source; or one that is there already, if
/// it is this customer's or nobody's.
pub(crate) fn source_of(
    transaction: &Transaction<'_>,
    token: &str,
    customer: Option<&CustomerId>,
) -> Result<PaymentMethod, ApiError> {
    if let Some(kept) = transaction.get::<PaymentMethod>(token)? {
        return match (&kept.owner, customer) {
            (Owner::Nobody, _) => Ok(kept),
            (Owner::Customer(owner), Some(customer)) if owner == customer => Ok(kept),
            (Owner::Customer(_), Some(customer)) => Err(ApiError::invalid(format!(
                "Customer {customer} does not have a linked source with ID {token}."
            ))
            .code("missing")
            .param("source")),
            (Owner::Customer(_), None) => Err(ApiError::invalid(format!(
                "The source {token} belongs to a customer: pass the customer, too."
            ))
            .param("customer")),
            (Owner::Spent, _) => Err(given::spent()),
        };
    }
    let (means, billing) = given::redeem_any(transaction, token)?;
    let id = match &means {
        Means::BankDebit(_) => ids::bank_account(),
        _ => ids::card(),
    };
    let mut method = PaymentMethod::new(means, billing, transaction.now);
    method.id = PaymentMethodId::of_source(id);
    transaction.put(&method)?;
    Ok(method)
}

/// A source as the API shows it.
pub(crate) fn shown(method: &PaymentMethod) -> Value {
    match &method.means {
        Means::Card(card) => card.as_source(
            &method.id,
            method.customer(),
            &method.billing,
            &method.metadata,
        ),
        Means::BankDebit(account) => account.as_source(
            &method.id,
            method.customer(),
            &method.billing,
            &method.metadata,
        ),
        _ => method.answer(),
    }
}

/// A customer keeps what is behind a token.
pub(crate) fn keep(
    transaction: &Transaction<'_>,
    token: &str,
    customer: &CustomerId,
    metadata: Metadata,
) -> Result<PaymentMethod, ApiError> {
    let mut source = source_of(transaction, token, Some(customer))?;
    given::admit(&source)?;
    source.metadata = metadata;
    source.owner = Owner::Customer(customer.clone());
    source.checked = true;
    transaction.put(&source)?;
    record_shown(transaction, "customer.source.created", shown(&source), None)?;
    Ok(source)
}

/// The sources that a customer keeps, oldest first. Payment methods are none.
pub(crate) fn of(
    transaction: &Transaction<'_>,
    customer: &CustomerId,
) -> anyhow::Result<Vec<PaymentMethod>> {
    let mut kept = transaction.having::<PaymentMethod>("customer", customer)?;
    kept.retain(|method| method.id.is_of_source());
    Ok(kept)
}

/// What a customer of an old integration is charged on: their default source.
pub(crate) fn default_source(
    transaction: &Transaction<'_>,
    customer: &str,
) -> Result<PaymentMethod, ApiError> {
    let shown = transaction.shown(customer)?;
    let default = shown
        .as_ref()
        .and_then(|it| it.get("default_source")?.as_str());
    let kept = default.map(|id| transaction.get::<PaymentMethod>(id));
    kept.transpose()?.flatten().ok_or_else(|| {
        ApiError::invalid("Cannot charge a customer that has no active card.")
            .code("missing")
            .param("card")
    })
}
