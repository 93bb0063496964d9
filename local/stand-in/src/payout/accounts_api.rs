//! `/v1/accounts/{account}/external_accounts`: where payouts go. There is no account but the key's own.

use serde_json::{Value, json};

use crate::account::currency::Currency;
use crate::engine::ids::{AccountId, BankAccountId};
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::transaction::Transaction;
use crate::payout::bank_account::{BankAccount, Holder, by_token, is_test_bank, is_test_number};
use crate::payout::life::bank_accounts;
use crate::webhook::record::{record, record_change};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::{MetadataUpdate, Params, Required as _};

/// Who a bank account can belong to.
const HOLDERS: &[&str] = &["individual", "company"];

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    let own = &asked.settings.account;
    let ["accounts", account, "external_accounts", rest @ ..] = asked.path else {
        return None;
    };
    let work: Route<'r> = match (asked.method, rest) {
        ("GET", []) => Box::new(move |params| list(own, params)),
        ("POST", []) => Box::new(move |params| create(own, params)),
        ("GET", [id]) => Box::new(move |params| retrieve(own, id, params)),
        ("POST", [id]) => Box::new(move |params| update(own, id, params)),
        ("DELETE", [id]) => Box::new(move |params| delete(own, id, params)),
        _ => return None,
    };
    let account = *account;
    Some(Box::new(move |params| match account == own.as_str() {
        true => work(params),
        false => Err(ApiError::no_such("account", account).param("account")),
    }))
}

fn list<'r>(own: &'r AccountId, mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let kind = params.choice("object", &["bank_account", "card"])?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let accounts = bank_accounts(transaction, own)?;
        let shown: Vec<Value> = accounts
            .iter()
            .rev()
            .filter(|_| kind.as_deref() != Some("card"))
            .map(BankAccount::answer)
            .collect();
        paging.listed(
            &format!("/v1/accounts/{own}/external_accounts"),
            shown.into_iter(),
        )
    }))
}

fn retrieve<'r>(own: &'r AccountId, id: &'r str, params: Params) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        Ok(find(transaction, own, id)?.answer())
    }))
}

/// A test account by its number, or by the name of a token.
struct Given {
    routing_number: String,
    number: String,
    holder: Holder,
}

impl Given {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        if params.is_text("external_account") {
            let token = params
                .text("external_account")
                .required(params, "external_account")?;
            let number = by_token(&token)
                .ok_or_else(|| ApiError::no_such_param("token", &token, "external_account"))?;
            return Ok(Self {
                routing_number: "110000000".to_owned(),
                number: number.to_owned(),
                holder: Holder::default(),
            });
        }
        let mut given = params
            .optional_object("external_account")
            .required(params, "external_account")?;
        let object = given.text("object").required(&given, "object")?;
        if object != BankAccount::KIND {
            return Err(ApiError::invalid(
                "The stand-in pays out to bank accounts only, not to debit cards.",
            )
            .param(given.name("object")));
        }
        let country = given.text("country").required(&given, "country")?;
        let currency = given.currency("currency")?.unwrap_or(Currency::SETTLEMENT);
        if country != "US" || currency != Currency::SETTLEMENT {
            return Err(ApiError::invalid(format!(
                "This account is in the United States and settles in usd: it cannot be paid out \
                 to an account in {country} that takes {currency}."
            ))
            .param(given.name("currency")));
        }
        let number = given
            .text("account_number")
            .required(&given, "account_number")?;
        let routing_number = given
            .text("routing_number")
            .required(&given, "routing_number")?;
        let holder = Holder {
            name: given.short_text("account_holder_name", 5_000)?,
            kind: given.choice("account_holder_type", HOLDERS)?,
        };
        if !is_test_bank(&routing_number) {
            return Err(ApiError::invalid(
                "No bank with test accounts has this routing number: use 110000000.",
            )
            .code("routing_number_invalid")
            .param(given.name("routing_number")));
        }
        if !is_test_number(&number) {
            return Err(ApiError::invalid(
                "You must use a test bank account number in test mode. Try 000123456789 or see more options \
                 at https://stripe.com/docs/connect/testing#account-numbers.",
            )
            .code("account_number_invalid")
            .param(given.name("account_number")));
        }
        given.finish()?;
        Ok(Self {
            routing_number,
            number,
            holder,
        })
    }
}

fn create<'r>(own: &'r AccountId, mut params: Params) -> Result<Work<'r>, ApiError> {
    let given = Given::read(&mut params)?;
    let is_default = params.boolean("default_for_currency")?.unwrap_or(false);
    let metadata: Metadata = params.metadata("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        // The account that is there from the start stays.
        let others = bank_accounts(transaction, own)?;
        let made = BankAccount {
            id: BankAccountId::random(),
            holder: given.holder,
            routing_number: given.routing_number,
            number: given.number,
            is_default,
            metadata,
            ..BankAccount::given(own, transaction.now)
        };
        transaction.put(&made)?;
        record(transaction, "account.external_account.created", &made)?;
        if is_default {
            demote(transaction, others)?;
        }
        Ok(made.answer())
    }))
}

/// Another account is the default now.
fn demote(transaction: &Transaction<'_>, others: Vec<BankAccount>) -> anyhow::Result<()> {
    for mut other in others.into_iter().filter(|it| it.is_default) {
        let before = other.answer();
        other.is_default = false;
        transaction.put(&other)?;
        record_change(
            transaction,
            "account.external_account.updated",
            &before,
            &other,
        )?;
    }
    Ok(())
}

fn update<'r>(own: &'r AccountId, id: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let name = params.maybe_empty_text("account_holder_name", 5_000)?;
    let kind = params.choice("account_holder_type", HOLDERS)?;
    let becomes_default = params.boolean("default_for_currency")?.unwrap_or(false);
    let metadata: MetadataUpdate = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut account = find(transaction, own, id)?;
        let before = account.answer();
        account.holder.name = name.or(account.holder.name).filter(|it| !it.is_empty());
        account.holder.kind = kind.or(account.holder.kind);
        metadata.apply(&mut account.metadata)?;
        if becomes_default && !account.is_default {
            demote(transaction, bank_accounts(transaction, own)?)?;
            account.is_default = true;
        }
        if account.answer() != before {
            transaction.put(&account)?;
            record_change(
                transaction,
                "account.external_account.updated",
                &before,
                &account,
            )?;
        }
        Ok(account.answer())
    }))
}

fn delete<'r>(own: &'r AccountId, id: &'r str, params: Params) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let account = find(transaction, own, id)?;
        if account.is_default {
            return Err(ApiError::invalid(
                "You cannot delete the default external account for your default currency. Please make \
                 another external account the default using the `default_for_currency` param, and then \
                 delete this one.",
            ));
        }
        transaction.delete(BankAccount::KIND, id)?;
        record(transaction, "account.external_account.deleted", &account)?;
        Ok(json!({ "id": id, "object": BankAccount::KIND, "currency": "usd", "deleted": true }))
    }))
}

fn find(transaction: &Transaction<'_>, own: &AccountId, id: &str) -> Result<BankAccount, ApiError> {
    let known = bank_accounts(transaction, own)?;
    known
        .into_iter()
        .find(|it| *it.id == *id)
        .ok_or_else(|| ApiError::no_such("external account", id).param("id"))
}
