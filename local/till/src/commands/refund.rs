//! `till refund`: money goes back to a buyer, through Stripe. The purchase itself changes when
//! Stripe's event is recorded, as it does for a refund made in Stripe's dashboard.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest as _, Sha256};
use shared::money::{Currency, Money};
use shared::purchase::{
    PaymentIntentId, Purchase, PurchaseId, RefundId, RefundState, SessionState, Status,
};
use shared::stripe::client::{Client as Stripe, List, StripeError};

use super::console::{Consent, Console, plain};
use super::exit::{Exit, NotFound};
use super::purchases::{Name, view};
use super::shop::{Shop, Where};

/// Sends money back to a buyer
#[derive(Args)]
#[command(long_about = ABOUT)]
pub(super) struct Refund {
    /// A purchase id, or an id of Stripe's that belongs to one: cs_…, pi_…, ch_…
    purchase: Name,
    /// How much, in minor units: 500 is 5.00 USD [default: all that is left]
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<i64>,
    /// Why, for Stripe
    #[arg(long, value_enum)]
    reason: Option<Reason>,
    /// Of which payment, where a purchase was paid more than once
    #[arg(long, value_name = "PI")]
    payment_intent: Option<String>,
    /// Refund once under this key, however often the command is repeated
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    console: Console,
    #[command(flatten)]
    at: Where,
}

const ABOUT: &str = "\
Sends money back to a buyer, through Stripe.

Says exactly how much, asks, and refunds no more than is left: what was paid, less the refunds that
Stripe knows (those on their way included) and what disputes hold. The purchase changes when Stripe's
event is recorded; this waits some seconds for it.

Scripts should choose a --key: under one key a purchase is refunded once, however often the command
is repeated and whatever happens in between.";

/// What Stripe takes as a reason.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Reason {
    Duplicate,
    Fraudulent,
    RequestedByCustomer,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Duplicate => "duplicate",
            Self::Fraudulent => "fraudulent",
            Self::RequestedByCustomer => "requested_by_customer",
        }
    }
}

/// A refund, as Stripe answers it.
#[derive(Deserialize)]
struct Made {
    id: RefundId,
    amount: i64,
    currency: Currency,
    #[serde(deserialize_with = "decided")]
    status: RefundState,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
}

/// `null` says that Stripe has not decided yet.
fn decided<'de, D: Deserializer<'de>>(status: D) -> Result<RefundState, D::Error> {
    let status: Option<RefundState> = Deserialize::deserialize(status)?;
    Ok(status.unwrap_or(RefundState::Pending))
}

/// Where a refund's --key is kept on it.
const KEY: &str = "till_refund_key";

/// One payment of a purchase, and what is left of it.
struct Payment {
    intent: PaymentIntentId,
    paid: Money,
    refunded: Money,
    left: Money,
    refunds: Vec<Made>,
}

/// How long to wait for the refund's event.
const WAIT: Duration = Duration::from_secs(15);

impl Refund {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.at.open().await?;
        let id = self.purchase.find(&shop).await?;
        let Some(stored) = shop.purchases()?.get(id).await? else {
            let name = shop.name();
            return Err(NotFound(format!("there is no purchase {id} in {name}")).into());
        };
        let purchase = stored.purchase;
        let stripe = shop.stripe().await?;
        let mut payment = self.payment(&stripe, &purchase).await?;
        if let Some(made) = self.made_before(&mut payment) {
            let recorded = Recorded::of(&purchase, &made.id);
            return self.tell(id, made, recorded);
        }
        let amount = self.amount_of(&payment)?;

        shop.announce_writing(self.console);
        self.consent.ask(&question(&purchase, &payment, amount))?;
        let made = self.make(&stripe, &shop, id, &payment, amount).await?;
        let recorded = self.wait_for(&shop, id, &made.id).await?;
        self.tell(id, made, recorded)
    }

    /// The payment to refund, with what Stripe knows of it now.
    async fn payment(&self, stripe: &Stripe, purchase: &Purchase) -> anyhow::Result<Payment> {
        let payments = purchase.sessions().values();
        let mut payments: Vec<_> = payments
            .filter_map(|state| match state {
                SessionState::Settled {
                    amount,
                    payment_intent: Some(intent),
                } => Some((intent.clone(), *amount)),
                _ => None,
            })
            .collect();
        let id = purchase.id();
        if let Some(wanted) = &self.payment_intent {
            payments.retain(|(intent, _)| intent.as_str() == wanted);
            if payments.is_empty() {
                bail!(NotFound(format!("{wanted} did not pay for {id}")));
            }
        }
        let (intent, paid) = match <[_; 1]>::try_from(payments) {
            Ok([payment]) => payment,
            Err(none) if none.is_empty() && purchase.is_settled() => {
                bail!("{id} was free: nothing was to pay, so there is nothing to refund")
            }
            Err(none) if none.is_empty() => bail!(
                "nothing was paid for {id}, which is {}: there is nothing to refund",
                purchase.status().as_str()
            ),
            Err(several) => {
                let several: Vec<_> = several
                    .iter()
                    .map(|(intent, paid)| format!("{intent} ({paid})"))
                    .collect();
                bail!(
                    "{id} was paid {} times: say which payment with --payment-intent: {}",
                    several.len(),
                    several.join(", ")
                );
            }
        };
        let made = refunds_of(stripe, &intent).await?;
        let is_alive =
            |made: &&Made| !matches!(made.status, RefundState::Canceled | RefundState::Failed);
        let refunded: i64 = made.iter().filter(is_alive).map(|made| made.amount).sum();
        // Disputes are of the purchase as a whole: which payment they are about is not recorded.
        let disputed = purchase.accounts().disputed;
        let disputed = if disputed.currency == paid.currency {
            disputed.amount
        } else {
            0
        };
        let left = paid
            .amount
            .saturating_sub(refunded)
            .saturating_sub(disputed);
        Ok(Payment {
            intent,
            paid,
            refunded: Money::new(refunded, paid.currency),
            left: Money::new(left.max(0), paid.currency),
            refunds: made,
        })
    }

    /// The refund that was made under this key.
    fn made_before(&self, payment: &mut Payment) -> Option<Made> {
        let key = self.key.as_ref()?;
        let mut refunds = payment.refunds.iter();
        let place = refunds.position(|made| made.metadata.get(KEY) == Some(key))?;
        Some(payment.refunds.swap_remove(place))
    }

    fn amount_of(&self, payment: &Payment) -> anyhow::Result<Money> {
        let Payment { paid, left, .. } = *payment;
        if left.amount <= 0 {
            let held = if payment.refunded < paid {
                ", and disputes hold the rest"
            } else {
                ""
            };
            let refunded = payment.refunded;
            bail!("nothing is left to refund: of {paid}, {refunded} went back{held}");
        }
        let amount = Money::new(self.amount.unwrap_or(left.amount), paid.currency);
        if amount.amount <= 0 {
            bail!("--amount {}: say how much, in minor units", amount.amount);
        }
        if amount.amount > left.amount {
            bail!("{amount} is more than is left of this payment: {left} of {paid}");
        }
        amount
            .check_price()
            .with_context(|| format!("--amount {}", amount.amount))?;
        Ok(amount)
    }

    async fn make(
        &self,
        stripe: &Stripe,
        shop: &Shop,
        purchase: PurchaseId,
        payment: &Payment,
        amount: Money,
    ) -> anyhow::Result<Made> {
        let (minor, id) = (amount.amount.to_string(), purchase.to_string());
        let stack = shop.environment.stack()?;
        let mut form = vec![
            ("payment_intent", payment.intent.as_str()),
            ("amount", &minor),
            ("metadata[purchase_id]", &id),
            ("metadata[till_stack]", stack.tag()),
        ];
        form.extend(self.reason.map(|reason| ("reason", reason.as_str())));
        let key_of_refund = format!("metadata[{KEY}]");
        form.extend(
            self.key
                .as_ref()
                .map(|key| (key_of_refund.as_str(), key.as_str())),
        );
        let key = match &self.key {
            Some(key) => format!("till-refund:{purchase}:{key}"),
            None => key_of(payment, amount),
        };
        let made = stripe.post("/refunds", &form, &key).await;
        made.map_err(|error| match &error {
            StripeError::Refused { .. } => anyhow::Error::from(error),
            StripeError::Failed(_) => anyhow::Error::from(error).context(
                "look in Stripe whether the refund was made; Stripe repeats this answer for a \
                 day, so say another --key to try again",
            ),
            _ => anyhow::Error::from(error).context(
                "whether the refund was made is not known: run the command again, which counts what \
                 was made before it asks",
            ),
        })
    }

    /// How both stand once the refund is recorded; `None` if it is not yet.
    async fn wait_for(
        &self,
        shop: &Shop,
        purchase: PurchaseId,
        refund: &RefundId,
    ) -> anyhow::Result<Option<Recorded>> {
        let waiting = self.console.counter("waiting for Stripe's event");
        let purchases = shop.purchases()?;
        let recorded = tokio::time::timeout(WAIT, async {
            let mut pause = Duration::from_millis(100);
            loop {
                if let Some(stored) = purchases.get(purchase).await?
                    && let Some(recorded) = Recorded::of(&stored.purchase, refund)
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

    fn tell(
        &self,
        purchase: PurchaseId,
        made: Made,
        recorded: Option<Recorded>,
    ) -> anyhow::Result<Exit> {
        #[derive(Serialize)]
        struct Told {
            purchase_id: PurchaseId,
            refund: RefundTold,
            /// How the purchase stands with it; none while its event is not recorded.
            #[serde(skip_serializing_if = "Option::is_none")]
            status: Option<Status>,
        }
        #[derive(Serialize)]
        struct RefundTold {
            id: RefundId,
            status: RefundState,
            amount: Money,
        }
        let amount = Money::new(made.amount, made.currency);
        // Its event may know more by now than Stripe's answer did.
        let state = recorded.map_or(made.status, |recorded| recorded.refund.max(made.status));
        let told = Told {
            purchase_id: purchase,
            refund: RefundTold {
                id: made.id,
                status: state,
                amount,
            },
            status: recorded.map(|recorded| recorded.purchase),
        };
        let id = plain(told.refund.id.as_str());
        self.console.show(&told, || {
            let became = match state {
                RefundState::Succeeded => format!("{amount} refunded ({id})."),
                RefundState::Pending => format!(
                    "The refund of {amount} is pending ({id}): the money is on its way, and counts \
                     as refunded once it has arrived."
                ),
                RefundState::RequiresAction => format!(
                    "The refund of {amount} is pending ({id}): Stripe asks the buyer where the \
                     money should go."
                ),
                RefundState::Canceled => format!(
                    "The refund of {amount} was canceled ({id}): the money did not go back."
                ),
                RefundState::Failed => format!(
                    "The refund of {amount} failed ({id}): the money did not reach the buyer, and \
                     has to go another way."
                ),
            };
            match recorded {
                Some(Recorded { purchase, .. }) => {
                    format!("{became} The purchase is {} now.\n", view::status(purchase))
                }
                None => format!(
                    "{became} The purchase does not show it yet: that comes with Stripe's event, \
                     or with `till reconcile`.\n"
                ),
            }
        })?;
        Ok(match (state, recorded) {
            (RefundState::Failed | RefundState::Canceled, _) | (_, None) => Exit::Found,
            _ => Exit::Done,
        })
    }
}

/// What the shop knows of a refund that was made.
#[derive(Clone, Copy)]
struct Recorded {
    refund: RefundState,
    purchase: Status,
}

impl Recorded {
    fn of(purchase: &Purchase, refund: &RefundId) -> Option<Self> {
        Some(Self {
            refund: purchase.payment().refunds().get(refund)?.state,
            purchase: purchase.status(),
        })
    }
}

fn question(purchase: &Purchase, payment: &Payment, amount: Money) -> String {
    let buyer = purchase.order().buyer.email.as_deref();
    let buyer = buyer.map_or("a buyer nobody knows".to_owned(), plain);
    let Payment {
        paid,
        refunded,
        left,
        ..
    } = payment;
    let rest = Money::new(left.amount.saturating_sub(amount.amount), left.currency);
    format!(
        "Purchase {} of {buyer}: {paid} paid, {refunded} refunded.\n\
         Refund {amount}, so that {rest} is left?",
        purchase.id()
    )
}

async fn refunds_of(stripe: &Stripe, intent: &PaymentIntentId) -> anyhow::Result<Vec<Made>> {
    let mut refunds: Vec<Made> = Vec::new();
    loop {
        let mut query = vec![("limit", "100"), ("payment_intent", intent.as_str())];
        let last = refunds.last().map(|last| last.id.clone());
        query.extend(last.as_ref().map(|last| ("starting_after", last.as_str())));
        let page: List<Made> = stripe.list("/refunds", &query).await?;
        refunds.extend(page.data);
        if !page.has_more {
            return Ok(refunds);
        }
    }
}

/// The same until Stripe knows another refund of the payment.
fn key_of(payment: &Payment, amount: Money) -> String {
    let mut refunds: Vec<_> = payment
        .refunds
        .iter()
        .map(|made| made.id.as_str())
        .collect();
    refunds.sort_unstable();
    let mut hash = Sha256::new();
    for refund in refunds {
        hash.update(refund);
        hash.update([0]);
    }
    let known = hex::encode(hash.finalize());
    let known = known.get(..16).unwrap_or(&known);
    format!("till-refund:{}:{}:{known}", payment.intent, amount.amount)
}
