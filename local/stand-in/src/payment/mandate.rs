//! Mandates: a buyer's permission to debit their bank account.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::ids::{MandateId, PaymentMethodId};
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;
use crate::payment::bank::Scheme;
use crate::wire::errors::ApiError;
use crate::wire::params::{Params, Required as _};

/// A buyer's permission to debit their bank account.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Mandate {
    pub(crate) id: MandateId,
    pub(crate) created: Timestamp,
    pub(crate) payment_method: PaymentMethodId,
    pub(crate) scheme: Scheme,
    pub(crate) acceptance: Acceptance,
    pub(crate) uses: Uses,
    pub(crate) status: MandateStatus,
    /// Where it can be read.
    pub(crate) url: String,
}

/// How a buyer has given their permission.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Acceptance {
    at: Option<Timestamp>,
    /// None if it was on paper, or by telephone.
    online: Option<Online>,
}

/// From where somebody has agreed in a browser.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Online {
    ip_address: Option<String>,
    user_agent: Option<String>,
}

/// What a mandate is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Uses {
    Many,
    One { amount: Amount, currency: Currency },
}

/// How a mandate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MandateStatus {
    /// The buyer's bank has not heard of it.
    Pending,
    Active,
    Inactive,
}

impl Acceptance {
    /// Reads `mandate_data`. An empty one says nothing.
    pub(crate) fn read(params: &mut Params) -> Result<Option<Self>, ApiError> {
        if params.is_text("mandate_data") {
            params.maybe_empty_text("mandate_data", 0)?;
            return Ok(None);
        }
        let Some(mut data) = params.optional_object("mandate_data")? else {
            return Ok(None);
        };
        let mut accepted = data.object("customer_acceptance")?;
        let at = accepted.integer("accepted_at")?;
        let kind = accepted.choice("type", &["online", "offline"])?;
        accepted.take("offline")?;
        let online = accepted.optional_object("online")?;
        let online = match (kind.as_deref(), online) {
            (Some("offline"), _) => None,
            (_, None) => return Err(ApiError::missing(&accepted.name("online"))),
            (_, Some(online)) => Some(Online::read(online)?),
        };
        accepted.finish()?;
        data.finish()?;
        Ok(Some(Self { at, online }))
    }

    /// Who pays on the payment page agrees there.
    pub(crate) fn on_the_page(now: Timestamp) -> Self {
        Self {
            at: Some(now),
            online: Some(Online::default()),
        }
    }

    fn shown(&self, created: Timestamp) -> Value {
        let (kind, told) = match &self.online {
            Some(online) => ("online", json!(online)),
            None => ("offline", json!({})),
        };
        json!({ "accepted_at": self.at.unwrap_or(created), "type": kind, kind: told })
    }
}

impl Online {
    fn read(mut params: Params) -> Result<Self, ApiError> {
        // In a browser, Stripe sees for itself who agrees.
        let sees = params.boolean("infer_from_client")?.unwrap_or(false);
        let online = Self {
            ip_address: params.text("ip_address")?,
            user_agent: params.text("user_agent")?,
        };
        if !sees {
            Ok(online.ip_address.clone()).required(&params, "ip_address")?;
            Ok(online.user_agent.clone()).required(&params, "user_agent")?;
        }
        params.finish()?;
        Ok(online)
    }
}

impl MandateStatus {
    fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Inactive => "inactive",
        }
    }
}

impl Mandate {
    /// What the buyer reads on their statement.
    fn reference(&self) -> String {
        let end: String = self.id.chars().rev().take(16).collect();
        end.to_uppercase()
    }

    fn details(&self) -> Value {
        let kind = self.scheme.method();
        let details = match self.scheme {
            Scheme::Ach => json!({}),
            Scheme::Sepa => json!({ "reference": self.reference(), "url": self.url }),
            Scheme::Bacs => json!({
                "display_name": null,
                "network_status": match self.status {
                    MandateStatus::Pending => "pending",
                    MandateStatus::Active => "accepted",
                    MandateStatus::Inactive => "refused",
                },
                "reference": self.reference(),
                "revocation_reason": null,
                "service_user_number": null,
                "url": self.url,
            }),
        };
        json!({ "type": kind, kind: details })
    }
}

impl Object for Mandate {
    const KIND: &'static str = "mandate";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        (self.status == MandateStatus::Pending).then_some(self.created)
    }

    fn answer(&self) -> Value {
        let (kind, told) = match &self.uses {
            Uses::Many => ("multi_use", json!({})),
            Uses::One { amount, currency } => (
                "single_use",
                json!({ "amount": amount, "currency": currency }),
            ),
        };
        json!({
            "id": self.id,
            "object": Self::KIND,
            "customer_acceptance": self.acceptance.shown(self.created),
            "livemode": false,
            "payment_method": self.payment_method,
            "payment_method_details": self.details(),
            "status": self.status.as_str(),
            "type": kind,
            kind: told,
        })
    }
}
