//! `/v1/payment_intents/{intent}/verify_microdeposits` and the same of setup intents: somebody tells what was
//! deposited on their account.

use crate::engine::resource::Object as _;
use crate::payment::confirmation::Outcome;
use crate::payment::decline::PaymentError;
use crate::payment::intent::WrongState;
use crate::payment::microdeposit::{Heard, Told};
use crate::payment::setup::SetUp;
use crate::payment::testing::outcome::Failure;
use crate::payment::{intents_api, setup, setup_intents_api, slow};
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["payment_intents", id, "verify_microdeposits"]) => {
            Box::new(move |params| of_payment(id, params))
        }
        ("POST", ["setup_intents", id, "verify_microdeposits"]) => {
            Box::new(move |params| of_setup(id, params))
        }
        _ => return None,
    })
}

/// Reads what somebody tells: two amounts or a code.
fn told(params: &mut Params) -> Result<Told, ApiError> {
    let amounts = params.texts("amounts")?;
    let code = params.text("descriptor_code")?;
    match (amounts.as_slice(), code) {
        ([], Some(code)) => Ok(Told::Code(code)),
        ([], None) => Err(ApiError::missing_one_of("amounts, descriptor_code")),
        (_, Some(_)) => Err(ApiError::invalid(
            "You may only specify one of these parameters: amounts, descriptor_code.",
        )
        .param("amounts")),
        (amounts, None) => {
            let cents = amounts.iter().map(|it| it.parse::<i64>().ok());
            let cents: Option<Vec<i64>> = cents.collect();
            match cents {
                Some(cents) if cents.len() == 2 && cents.iter().all(|it| *it > 0) => {
                    Ok(Told::Amounts(cents))
                }
                _ => Err(ApiError::invalid(
                    "You must provide two positive integers, the amounts of the microdeposits in cents.",
                )
                .code("payment_method_microdeposit_verification_amounts_invalid")
                .param("amounts")),
            }
        }
    }
}

fn of_payment(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let told = told(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = intents_api::find(transaction, id)?;
        match slow::verify_account(transaction, &mut intent, &told)? {
            Err(WrongState) => {
                let message = not_waiting("PaymentIntent", intent.state.as_str());
                Err(intents_api::unexpected(&intent, &message))
            }
            Ok(Heard::Wrong(failure)) => Err(mismatch(&failure)),
            Ok(Heard::Answered(Outcome::Refused(error))) => {
                Err(over(&error).about("payment_intent", intent.answer()))
            }
            Ok(Heard::Answered(_)) => Ok(intent.answer()),
        }
    }))
}

fn of_setup(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let told = told(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut intent = setup_intents_api::find(transaction, id)?;
        match setup::verify_account(transaction, &mut intent, &told)? {
            Err(WrongState) => {
                let message = not_waiting("SetupIntent", intent.state.as_str());
                Err(setup_intents_api::unexpected(&intent, &message))
            }
            Ok(Heard::Wrong(failure)) => Err(mismatch(&failure)),
            Ok(Heard::Answered(SetUp::Refused(error))) => {
                Err(over(&error).about("setup_intent", intent.answer()))
            }
            Ok(Heard::Answered(SetUp::Done | SetUp::Challenged)) => Ok(intent.answer()),
        }
    }))
}

fn not_waiting(what: &str, status: &str) -> String {
    format!(
        "This {what} is not waiting for microdeposits to be verified: its status is {status}. Only a \
         {what} whose next_action is of the type verify_with_microdeposits can be verified."
    )
}

/// The try counts.
fn mismatch(failure: &Failure) -> ApiError {
    ApiError::invalid(failure.message)
        .code(failure.code)
        .keeping()
}

fn over(error: &PaymentError) -> ApiError {
    ApiError::invalid(error.message())
        .code(error.code().to_owned())
        .keeping()
}
