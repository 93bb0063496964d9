//! What became of a refund: at Stripe, and in the shop once its event is recorded.

use std::time::Duration;

use serde::Serialize;
use shared::money::Money;
use shared::purchase::{Purchase, PurchaseId, RefundId, RefundState, Status};

use super::payment::Made;
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
    purchase: Status,
}

impl Recorded {
    pub(super) fn of(purchase: &Purchase, refund: &RefundId) -> Option<Self> {
        Some(Self {
            refund: purchase.payment().refunds().get(refund)?.state,
            purchase: purchase.status(),
        })
    }

    /// How both stand once the refund is recorded; `None` if it is not yet.
    pub(super) async fn wait(
        shop: &Shop,
        purchase: PurchaseId,
        refund: &RefundId,
    ) -> anyhow::Result<Option<Self>> {
        let waiting = counter("waiting for Stripe's event");
        let purchases = shop.purchases()?;
        let recorded = tokio::time::timeout(WAIT, async {
            let mut pause = Duration::from_millis(100);
            loop {
                if let Some(stored) = purchases.get(purchase).await?
                    && let Some(recorded) = Self::of(&stored.purchase, refund)
                {
                    return anyhow::Ok(recorded);
                }
                tokio::time::sleep(pause).await;
                pause = pause.saturating_mul(2).min(Duration::from_secs(1));
                waiting.tick();
            }
        });
        let recorded = recorded.await;
        waiting.finish_and_clear();
        // It is made, whatever keeps us from reading how the purchase stands.
        Ok(recorded.ok().and_then(Result::ok))
    }
}

/// A refund, as JSON.
#[derive(Serialize)]
pub(super) struct Outcome {
    purchase_id: PurchaseId,
    refund: Refund,
    /// How the purchase stands with it; none while its event is not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<Status>,
}

#[derive(Serialize)]
struct Refund {
    id: RefundId,
    status: RefundState,
    amount: Money,
}

impl Outcome {
    pub(super) fn of(purchase: PurchaseId, made: Made, recorded: Option<Recorded>) -> Self {
        let amount = Money::new(made.amount, made.currency);
        // Its event may know more by now than Stripe's answer did.
        let status = recorded.map_or(made.status, |recorded| recorded.refund.max(made.status));
        Self {
            purchase_id: purchase,
            refund: Refund {
                id: made.id,
                status,
                amount,
            },
            status: recorded.map(|recorded| recorded.purchase),
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
        match self.status {
            Some(status) => format!("{became} The purchase is {}.\n", view::status(status)),
            None => format!(
                "{became} The purchase does not show it yet; it will when Stripe's event arrives, or \
                 after `till reconcile`.\n"
            ),
        }
    }
}
