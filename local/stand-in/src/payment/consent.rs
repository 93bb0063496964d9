//! What becomes of a buyer's permission to debit their account: it is given, found again, and ended.

use crate::engine::ids::MandateId;
use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::bank::{BankDebit, Scheme};
use crate::payment::mandate::{Acceptance, Mandate, MandateStatus, Uses};
use crate::payment::method::{Means, PaymentMethod};
use crate::webhook::record::record_change;
use crate::wire::errors::ApiError;

/// The mandate under which an account can be debited again and again, if its owner has given one.
pub(crate) fn standing(
    transaction: &Transaction<'_>,
    method: &PaymentMethod,
) -> anyhow::Result<Option<Mandate>> {
    let given = transaction.having::<Mandate>("payment_method", &method.id)?;
    let mut lasting = given.into_iter().rev();
    Ok(lasting.find(|it| it.uses == Uses::Many && it.status != MandateStatus::Inactive))
}

/// Refuses to debit an account whose owner has not agreed to it.
pub(crate) fn check(
    transaction: &Transaction<'_>,
    method: &PaymentMethod,
    agreed: Option<&Acceptance>,
    intent: &str,
) -> Result<(), ApiError> {
    let is_debit = matches!(method.means, Means::BankDebit(_));
    if !is_debit || agreed.is_some() || standing(transaction, method)?.is_some() {
        return Ok(());
    }
    let name = match intent {
        "setup_intent" => "SetupIntent",
        _ => "PaymentIntent",
    };
    Err(ApiError::invalid(format!(
        "This {name} requires a mandate, but no existing mandate was found. Ensure the customer or payment \
         method has an associated mandate, or provide mandate_data when you confirm.",
    ))
    .code(format!("{intent}_mandate_invalid"))
    .param("mandate_data"))
}

/// The mandate for a debit: the one there is, or a new one.
pub(crate) fn secure(
    transaction: &Transaction<'_>,
    method: &PaymentMethod,
    debit: &BankDebit,
    uses: Uses,
    agreed: Option<Acceptance>,
) -> anyhow::Result<MandateId> {
    if agreed.is_none()
        && let Some(standing) = standing(transaction, method)?
    {
        return Ok(standing.id);
    }
    let id = MandateId::random();
    let mandate = Mandate {
        url: format!("{}/mandates/{id}", transaction.site()),
        id,
        created: transaction.now,
        payment_method: method.id.clone(),
        scheme: debit.scheme,
        acceptance: agreed.unwrap_or_else(|| Acceptance::on_the_page(transaction.now)),
        uses,
        status: match debit.scheme {
            Scheme::Bacs => MandateStatus::Pending,
            Scheme::Ach | Scheme::Sepa => MandateStatus::Active,
        },
    };
    transaction.put(&mandate)?;
    Ok(mandate.id)
}

/// The buyer's bank has heard of a mandate and agrees.
pub(crate) fn take_effect(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    change(transaction, id, MandateStatus::Active)
}

/// The buyer, or their bank, permits no more debits.
pub(crate) fn end(transaction: &Transaction<'_>, id: &str) -> anyhow::Result<()> {
    change(transaction, id, MandateStatus::Inactive)
}

fn change(transaction: &Transaction<'_>, id: &str, status: MandateStatus) -> anyhow::Result<()> {
    let mut mandate: Mandate = transaction.existing(id)?;
    let before = mandate.answer();
    if mandate.status == status {
        return Ok(());
    }
    mandate.status = status;
    transaction.put(&mandate)?;
    record_change(transaction, "mandate.updated", &before, &mandate)
}
