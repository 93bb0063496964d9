//! What a request wants to pay with: the id of a payment method, one of Stripe's names of test cards,
//! or what somebody has typed.

use serde_json::Value;

use crate::engine::ids::CustomerId;
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::transaction::Transaction;
use crate::payment::bank::{BankDebit, Scheme};
use crate::payment::billing::BillingDetails;
use crate::payment::card::Card;
use crate::payment::decline::{Decline, PaymentError};
use crate::payment::keep;
use crate::payment::method::{Means, Owner, PaymentMethod};
use crate::payment::testing;
use crate::payment::token::Token;
use crate::payment::typed::{self, TypedCard};
use crate::payment::verdict::{self, Admission};
use crate::payment::voucher::Voucher;
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// What is to be paid with.
#[derive(Debug)]
pub(crate) enum Given {
    /// `pm_…`, `card_…`, or a name such as `pm_card_visa`.
    Named(String),
    New(Box<NewMethod>),
}

impl Given {
    /// Reads `payment_method` or `payment_method_data`.
    pub(crate) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        let named = params.text("payment_method")?;
        let data = params.optional_object("payment_method_data")?;
        Ok(match (named, data) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid(
                    "You may only specify one of these parameters: payment_method, \
                     payment_method_data.",
                )
                .param("payment_method"));
            }
            (Some(name), None) => Some(Self::Named(name)),
            (None, Some(data)) => Some(Self::New(Box::new(NewMethod::read(data)?))),
            (None, None) => None,
        })
    }

    /// The payment method, made if it is not there yet.
    pub(crate) fn method(self, transaction: &Transaction<'_>) -> Result<PaymentMethod, ApiError> {
        match self {
            Self::Named(name) => named(transaction, &name),
            Self::New(new) => new.make(transaction),
        }
    }
}

/// The payment method with this id, or a new one for one of Stripe's names.
pub(crate) fn named(transaction: &Transaction<'_>, name: &str) -> Result<PaymentMethod, ApiError> {
    if let Some(method) = transaction.get::<PaymentMethod>(name)? {
        return Ok(method);
    }
    let no_such = || ApiError::no_such("PaymentMethod", name).param("payment_method");
    let means = match testing::names::by_payment_method(name) {
        Some(card) => Some(Means::Card(Card::named(card, transaction.now))),
        None => typed::account_named(name)?.map(Means::BankDebit),
    };
    let means = means.ok_or_else(no_such)?;
    let method = PaymentMethod::new(means, BillingDetails::default(), transaction.now);
    transaction.put(&method)?;
    Ok(method)
}

/// A payment method that is yet to be made.
#[derive(Debug)]
pub(crate) struct NewMethod {
    means: NewMeans,
    billing: BillingDetails,
    metadata: Metadata,
    allow_redisplay: Option<String>,
}

#[derive(Debug)]
enum NewMeans {
    Typed(TypedCard),
    /// `tok_…`, or a name such as `tok_visa`.
    Token(String),
    Known(Means),
}

/// The types there are here, of the many that Stripe has.
const TYPES: &str = "card, sepa_debit, us_bank_account, bacs_debit, oxxo, boleto, konbini, multibanco, \
                     customer_balance";

impl NewMethod {
    pub(crate) fn read(mut params: Params) -> Result<Self, ApiError> {
        let kind = params.text("type").required(&params, "type")?;
        let billing = params.object("billing_details")?;
        let billing = BillingDetails::read(billing, BillingDetails::default())?;
        let metadata = params.metadata("metadata")?;
        let allow_redisplay = params.choice("allow_redisplay", REDISPLAYS)?;
        let means = NewMeans::read(&kind, &mut params)?;
        params.finish()?;
        Ok(Self {
            means,
            billing,
            metadata,
            allow_redisplay,
        })
    }

    pub(crate) fn make(self, transaction: &Transaction<'_>) -> Result<PaymentMethod, ApiError> {
        let mut billing = self.billing;
        let means = match self.means {
            NewMeans::Known(means) => means,
            NewMeans::Typed(card) => Means::Card(card.check(transaction.now).map_err(refused)?),
            NewMeans::Token(token) => {
                let (card, theirs) = redeem(transaction, &token)?;
                if billing == BillingDetails::default() {
                    billing = theirs;
                }
                Means::Card(card)
            }
        };
        let mut method = PaymentMethod::new(means, billing, transaction.now);
        method.metadata = self.metadata;
        method.allow_redisplay = self.allow_redisplay.unwrap_or(method.allow_redisplay);
        transaction.put(&method)?;
        Ok(method)
    }
}

/// Whose a bank account is.
pub(crate) const HOLDERS: &[&str] = &["individual", "company"];

/// Whether a payment method may be shown to its customer again.
pub(crate) const REDISPLAYS: &[&str] = &["always", "limited", "unspecified"];

impl NewMeans {
    fn read(kind: &str, params: &mut Params) -> Result<Self, ApiError> {
        Ok(match kind {
            "card" => {
                let mut card = params.optional_object("card").required(params, "card")?;
                let means = match card.text("token")? {
                    Some(token) => Self::Token(token),
                    None => Self::Typed(TypedCard::read(&mut card)?),
                };
                card.finish()?;
                means
            }
            "sepa_debit" => {
                let mut debit = params.object(kind)?;
                let iban = debit.text("iban").required(&debit, "iban")?;
                debit.finish()?;
                let account = typed::iban(&iban)?;
                Self::Known(Means::BankDebit(account))
            }
            "us_bank_account" => {
                let mut debit = params.object(kind)?;
                let number = debit
                    .text("account_number")
                    .required(&debit, "account_number")?;
                let routing = debit
                    .text("routing_number")
                    .required(&debit, "routing_number")?;
                let holder = debit.choice("account_holder_type", HOLDERS)?;
                debit.choice("account_type", &["checking", "savings"])?;
                debit.finish()?;
                Self::Known(Means::BankDebit(BankDebit {
                    is_companys: holder.as_deref() == Some("company"),
                    ..typed::account(Scheme::Ach, &routing, &number)?
                }))
            }
            "bacs_debit" => {
                let mut debit = params.object(kind)?;
                let number = debit
                    .text("account_number")
                    .required(&debit, "account_number")?;
                let sort = debit.text("sort_code").required(&debit, "sort_code")?;
                debit.finish()?;
                Self::Known(Means::BankDebit(typed::account(
                    Scheme::Bacs,
                    &sort,
                    &number,
                )?))
            }
            "customer_balance" => {
                params.object(kind)?;
                Self::Known(Means::CustomerBalance)
            }
            _ => match Voucher::named(kind) {
                Some(voucher) => {
                    let mut details = params.object(kind)?;
                    details.text("tax_id")?;
                    details.finish()?;
                    Self::Known(Means::Voucher(voucher))
                }
                None => {
                    return Err(ApiError::invalid(format!(
                        "The stand-in does not implement payment methods of the type {kind}. It \
                         has {TYPES}."
                    ))
                    .param(params.name("type")));
                }
            },
        })
    }
}

/// The card behind a token, which is used up.
pub(crate) fn redeem(
    transaction: &Transaction<'_>,
    token: &str,
) -> Result<(Card, BillingDetails), ApiError> {
    match redeem_any(transaction, token)? {
        (Means::Card(card), billing) => Ok((card, billing)),
        _ => Err(ApiError::invalid(format!(
            "The token {token} is of a bank account: a card's is needed here."
        ))
        .param("token")),
    }
}

/// What is behind a token of a card or a bank account, which is used up.
pub(crate) fn redeem_any(
    transaction: &Transaction<'_>,
    token: &str,
) -> Result<(Means, BillingDetails), ApiError> {
    if let Some(mut known) = transaction.get::<Token>(token)? {
        if known.used {
            return Err(ApiError::invalid(format!(
                "You cannot use a Stripe token more than once: {token}."
            ))
            .code("token_already_used"));
        }
        known.used = true;
        transaction.put(&known)?;
        return Ok(known.means());
    }
    let means = match testing::names::by_token(token) {
        Some(card) => Some(Means::Card(Card::named(card, transaction.now))),
        None => typed::account_of_token(token)?.map(Means::BankDebit),
    };
    let means = means.ok_or_else(|| ApiError::no_such("token", token).param("token"))?;
    Ok((means, BillingDetails::default()))
}

/// What the API answers to a card that cannot be one.
pub(crate) fn refused(decline: testing::decline::Decline) -> ApiError {
    let error = PaymentError::new(&decline.into(), None, &Value::Null).answer(None);
    match decline.param {
        Some(param) => error.param(param),
        None => error,
    }
}

/// What the API answers to an issuer's no, where there is no charge.
pub(crate) fn declined(decline: &Decline, method: &PaymentMethod) -> ApiError {
    PaymentError::new(decline, None, &method.answer()).answer(None)
}

/// What the API answers to a payment method that has had its one use.
pub(crate) fn spent() -> ApiError {
    ApiError::invalid(
        "The provided PaymentMethod was previously used with a PaymentIntent without Customer \
         attachment, shared with a connected account without Customer attachment, or was detached from \
         a Customer. It may not be used again. To use a PaymentMethod multiple times, you must attach \
         it to a Customer first.",
    )
}

/// The customer keeps the payment method that a request names.
pub(crate) fn attach(
    transaction: &Transaction<'_>,
    name: &str,
    customer: &CustomerId,
) -> Result<PaymentMethod, ApiError> {
    let mut method = named(transaction, name)?;
    match &method.owner {
        Owner::Nobody if method.means.can_be_kept() => {
            admit(&method)?;
            keep::attach(transaction, &mut method, customer)?;
            Ok(method)
        }
        Owner::Nobody => Err(ApiError::invalid(format!(
            "A PaymentMethod of the type {} cannot be attached to a customer.",
            method.means.name()
        ))),
        Owner::Customer(owner) if owner == customer => Ok(method),
        Owner::Customer(_) => Err(ApiError::invalid(
            "The payment method you provided has already been attached to a customer.",
        )
        .code("resource_already_exists")),
        Owner::Spent => Err(spent()),
    }
}

/// Asks the issuer whether there is such a card at all.
pub(crate) fn admit(method: &PaymentMethod) -> Result<(), ApiError> {
    let Means::Card(card) = &method.means else {
        return Ok(());
    };
    match verdict::keep(card.test) {
        Admission::Declined(decline) => Err(declined(&decline, method)),
        Admission::Admitted | Admission::Challenge => Ok(()),
    }
}
