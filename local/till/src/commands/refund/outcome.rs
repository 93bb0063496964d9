//! What became of a refund: at Stripe, and in the shop once its event is recorded.

use std::time::Duration;

use serde::Serialize;
use shared::money::Money;
use shared::purchase::{InvoiceId, PurchaseId, RefundId, RefundState, Subject};
use shared::standing::Standing;
use window::refund::{Made, Paid};

use crate::commands::console::{counter, plain};
use crate::commands::exit::Exit;
use crate::commands::purchases::view;
use crate::commands::shop::Shop;

/// How long to wait for the refund's event.
const WAIT: Duration = Duration::from_secs(15);

/// What the shop knows of a refund that was made.
#[derive(Clone, Copy)]
pub(super) struct Recorded {
    refund: RefundState,
    standing: Standing,
}

impl Recorded {
    pub(super) fn of(bought: &Paid, refund: &RefundId) -> Option<Self> {
        Some(Self {
            refund: bought.payment().refunds().get(refund)?.state,
            standing: bought.standing(),
        })
    }

    /// How both stand once the refund is recorded; `None` if it is not yet.
    pub(super) async fn wait(
        shop: &Shop,
        subject: &Subject,
        refund: &RefundId,
    ) -> anyhow::Result<Option<Self>> {
        let waiting = counter("waiting for Stripe's event");
        let recorded = tokio::time::timeout(WAIT, async {
            let mut pause = Duration::from_millis(100);
            loop {
                let bought = Paid::find(shop, subject).await?;
                if let Some(recorded) = Self::of(&bought, refund) {
                    return anyhow::Ok(recorded);
                }
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(Duration::from_secs(1));
                waiting.tick();
            }
        });
        let recorded = recorded.await;
        waiting.finish_and_clear();
        // It is made, whatever keeps us from reading how what it is of stands.
        Ok(recorded.ok().and_then(Result::ok))
    }
}

/// A refund, as JSON.
#[derive(Serialize)]
pub(super) struct Outcome {
    /// The purchase; for an invoice, the one with which its subscription began.
    purchase_id: PurchaseId,
    /// The invoice, if it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    invoice_id: Option<InvoiceId>,
    refund: Refund,
    /// How the purchase or the invoice stands with it; none while its event is not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Standing>,
}

#[derive(Serialize)]
struct Refund {
    id: RefundId,
    status: RefundState,
    amount: Money,
}

impl Outcome {
    pub(super) fn of(bought: &Paid, made: Made, recorded: Option<Recorded>) -> Self {
        let amount = Money::new(made.amount, made.currency);
        // Its event may know more by now than Stripe's answer did.
        let status = recorded.map_or(made.status, |recorded| recorded.refund.max(made.status));
        Self {
            purchase_id: bought.purchase(),
            invoice_id: match bought {
                Paid::Purchase(_) => None,
                Paid::Invoice(invoice) => Some(invoice.id().clone()),
            },
            refund: Refund {
                id: made.id,
                status,
                amount,
            },
            status: recorded.map(|recorded| recorded.standing),
        }
    }

    pub(super) fn exit(&self) -> Exit {
        match (self.refund.status, self.status) {
            (RefundState::Failed | RefundState::Canceled, _) | (_, None) => Exit::Found,
            _ => Exit::Done,
        }
    }

    pub(super) fn words(&self) -> String {
        let Refund { id, status, amount } = &self.refund;
        let id = plain(id.as_str());
        let became = match status {
            RefundState::Succeeded => format!("{amount} was refunded ({id})."),
            RefundState::Pending => format!(
                "The refund of {amount} is pending ({id}): the money is on its way, and counts as \
                 refunded once it has arrived."
            ),
            RefundState::RequiresAction => format!(
                "The refund of {amount} is pending ({id}): Stripe is asking the buyer where to send \
                 the money."
            ),
            RefundState::Canceled => {
                format!("The refund of {amount} was canceled ({id}): no money was sent back.")
            }
            RefundState::Failed => format!(
                "The refund of {amount} failed ({id}): the money did not reach the buyer, and has to \
                 be sent another way."
            ),
        };
        let what = match self.invoice_id {
            Some(_) => "invoice",
            None => "purchase",
        };
        match self.status {
            Some(status) => format!("{became} The {what} is {}.\n", view::standing(status)),
            None => format!(
                "{became} The {what} does not show it yet; it will when Stripe's event arrives, or \
                 after `till reconcile`.\n"
            ),
        }
    }
}
