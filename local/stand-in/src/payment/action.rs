//! What a payment or a setup asks of the buyer before it goes on.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::time::Timestamp;
use crate::payment::bank::Settlement;
use crate::payment::billing::BillingDetails;
use crate::payment::microdeposit::Microdeposits;
use crate::payment::voucher::Voucher;

/// Something that only the buyer can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Authenticate(Challenge),
    Voucher(Box<PendingVoucher>),
    BankTransfer(BankTransfer),
    VerifyAccount(Box<Microdeposits>),
}

impl Action {
    /// As the `next_action` of an intent over this amount shows it.
    pub(crate) fn shown(&self, amount: Amount, currency: Currency) -> Value {
        match self {
            Self::Authenticate(challenge) => challenge.next_action(),
            Self::Voucher(pending) => pending
                .voucher
                .next_action(&pending.page, pending.expires_at),
            Self::BankTransfer(transfer) => transfer.next_action(amount, currency),
            Self::VerifyAccount(deposits) => deposits.next_action(),
        }
    }
}

/// A buyer who must prove who they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Challenge {
    /// Where they do.
    pub(crate) page: String,
    /// Where they go then, if the shop has said so.
    pub(crate) return_url: Option<String>,
    /// Whether the payment goes on by itself once they have; otherwise the shop confirms again.
    pub(crate) goes_on: bool,
}

impl Challenge {
    pub(crate) fn next_action(&self) -> Value {
        match &self.return_url {
            Some(return_url) => json!({
                "type": "redirect_to_url",
                "redirect_to_url": { "return_url": return_url, "url": self.page },
            }),
            None => json!({
                "type": "use_stripe_sdk",
                "use_stripe_sdk": {
                    "type": "three_d_secure_redirect",
                    "stripe_js": self.page,
                },
            }),
        }
    }
}

/// The shop's address with the news of an intent: Stripe adds the same three parameters.
pub(crate) fn come_back(
    return_url: &str,
    kind: &str,
    id: &str,
    secret: &str,
    passed: bool,
) -> String {
    let Ok(mut url) = Url::parse(return_url) else {
        return return_url.to_owned();
    };
    url.query_pairs_mut()
        .append_pair(kind, id)
        .append_pair(&format!("{kind}_client_secret"), secret)
        .append_pair(
            "redirect_status",
            if passed { "succeeded" } else { "failed" },
        );
    url.into()
}

/// A voucher that its buyer has not paid yet, and what the charge will need once they have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PendingVoucher {
    pub(crate) voucher: Voucher,
    /// Where it is shown.
    pub(crate) page: String,
    pub(crate) expires_at: Timestamp,
    /// When it is paid, a moment in time, if that is known.
    pub(crate) settlement: Settlement,
    pub(crate) billing: BillingDetails,
}

/// A customer who has been told where to transfer the money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BankTransfer {
    /// What of the amount has come.
    pub(crate) funded: Amount,
    /// Such as `jp_bank_transfer`.
    pub(crate) kind: String,
}

impl BankTransfer {
    fn next_action(&self, amount: Amount, currency: Currency) -> Value {
        json!({
            "type": "display_bank_transfer_instructions",
            "display_bank_transfer_instructions": {
                "amount_remaining": amount.minus(self.funded),
                "currency": currency,
                "financial_addresses": [],
                "hosted_instructions_url": null,
                "reference": "STANDIN",
                "type": self.kind,
            },
        })
    }
}
