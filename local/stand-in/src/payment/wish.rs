//! How a confirmation of a payment intent is to go, as a request says it.

use crate::engine::resource::Object as _;
use crate::engine::transaction::Transaction;
use crate::payment::confirmation::Confirmation;
use crate::payment::consent;
use crate::payment::intent::PaymentIntent;
use crate::payment::mandate::{Acceptance, Mandate};
use crate::payment::method::PaymentMethod;
use crate::payment::terms;
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// How a confirmation is to go.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    off_session: Option<bool>,
    return_url: Option<String>,
    error_on_requires_action: Option<bool>,
    /// Under which the buyer has agreed before.
    mandate: Option<String>,
    agreed: Option<Acceptance>,
}

impl Wish {
    pub(crate) fn read(params: &mut Params) -> Result<Self, ApiError> {
        let off_session =
            params.choice("off_session", &["true", "false", "one_off", "recurring"])?;
        params.boolean("use_stripe_sdk")?;
        let mandate = params.text("mandate")?;
        let agreed = Acceptance::read(params)?;
        params.optional_object("radar_options")?;
        Ok(Self {
            off_session: off_session.map(|it| it != "false"),
            return_url: params.url("return_url")?,
            error_on_requires_action: params.boolean("error_on_requires_action")?,
            mandate,
            agreed,
        })
    }

    /// Stripe takes these only of whoever confirms.
    pub(crate) fn belongs_to(&self, confirms: bool) -> Result<(), ApiError> {
        let misplaced = [
            ("off_session", self.off_session.is_some()),
            ("return_url", self.return_url.is_some()),
            (
                "error_on_requires_action",
                self.error_on_requires_action.is_some(),
            ),
        ];
        match misplaced.iter().find(|(_, given)| *given && !confirms) {
            Some((param, _)) => Err(ApiError::invalid(format!(
                "You can only set {param} when confirming: pass confirm=true."
            ))
            .param(*param)),
            None => Ok(()),
        }
    }

    /// Refuses to debit an account whose owner has not agreed to it.
    pub(crate) fn check_mandate(
        &self,
        transaction: &Transaction<'_>,
        method: &PaymentMethod,
    ) -> Result<(), ApiError> {
        if let Some(id) = &self.mandate {
            let mandate = transaction.get::<Mandate>(id)?;
            let is_theirs = mandate.is_some_and(|it| it.payment_method == method.id);
            if !is_theirs {
                return Err(ApiError::no_such_param("mandate", id, "mandate"));
            }
        }
        let agreed = self.agreed.as_ref();
        consent::check(transaction, method, agreed, PaymentIntent::KIND)
    }

    /// The confirmation of this intent.
    pub(crate) fn confirmation(self, intent: &PaymentIntent) -> Confirmation {
        Confirmation {
            off_session: self.off_session.unwrap_or(false),
            return_url: self.return_url,
            agreed: self.agreed,
            fails_on_action: self.error_on_requires_action.unwrap_or(false),
            three_d_secure: terms::three_d_secure(&intent.terms.payment_method_options),
            ..Confirmation::default()
        }
    }
}
