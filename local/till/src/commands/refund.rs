//! `till refund`: money goes back to a buyer, through Stripe. The purchase itself changes when
//! Stripe's event is recorded, as it does for a refund made in Stripe's dashboard.

mod outcome;
mod payment;

use clap::{Args, ValueEnum};
use shared::money::Money;
use shared::purchase::{Purchase, PurchaseId};
use shared::stripe::client::{Client as Stripe, StripeError};

use self::outcome::{Outcome, Recorded};
use self::payment::{KEY, Made, Payment};
use super::console::{Consent, plain};
use super::exit::Exit;
use super::operator::Operator;
use super::purchases::{Name, not_found};
use super::shop::Shop;

#[derive(Args)]
pub(super) struct Refund {
    /// A purchase id, or the id of a Stripe object that belongs to one: cs_…, pi_…, ch_…
    purchase: Name,
    /// How much, in minor units: 500 is 5.00 USD [default: all that is left]
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<i64>,
    /// The reason to give Stripe
    #[arg(long, value_enum)]
    reason: Option<Reason>,
    /// Which payment to refund, if the purchase was paid more than once
    #[arg(long, value_name = "PI")]
    payment_intent: Option<String>,
    /// Refund only once under this key, however often the command is repeated
    #[arg(long)]
    key: Option<String>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

pub(super) const ABOUT: &str = "\
Refund a purchase, through Stripe.

It shows the amount, asks first, and never refunds more than is left: what was paid, less the refunds
that Stripe knows (pending ones included) and what disputes hold. The purchase changes when Stripe's
event is recorded; the command waits a few seconds for that.

Scripts should pass a --key: under one key a purchase is refunded once, however often the command is
repeated and whatever happens in between.";

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

impl Refund {
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let id = self.purchase.find(&shop).await?;
        let Some(stored) = shop.purchases()?.get(id).await? else {
            return Err(not_found(id, &shop));
        };
        let purchase = stored.purchase;
        let stripe = shop.stripe().await?;
        let mut payment = Payment::of(&purchase, self.payment_intent.as_deref(), &stripe).await?;
        let made_before = self.key.as_ref().and_then(|key| payment.take_refund(key));
        if let Some(made) = made_before {
            let recorded = Recorded::of(&purchase, &made.id);
            return self.tell(&Outcome::of(id, made, recorded));
        }
        let amount = payment.amount(self.amount)?;

        shop.announce_writing();
        self.consent.ask(&question(&purchase, &payment, amount))?;
        let made = self.make(&stripe, &shop, id, &payment, amount).await?;
        let recorded = Recorded::wait(&shop, id, &made.id).await?;
        self.tell(&Outcome::of(id, made, recorded))
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
            None => payment.key_for(amount),
        };
        let made = stripe.post("/refunds", &form, &key).await;
        made.map_err(|error| match &error {
            StripeError::Refused { .. } => anyhow::Error::from(error),
            StripeError::Failed(_) => anyhow::Error::from(error).context(
                "check in Stripe whether the refund was made; Stripe repeats this answer for a \
                 day, so pass another --key to try again",
            ),
            _ => anyhow::Error::from(error).context(
                "nobody knows yet whether the refund was made: run the command again, which counts \
                 what was refunded before it asks",
            ),
        })
    }

    fn tell(&self, outcome: &Outcome) -> anyhow::Result<Exit> {
        self.operator.show(outcome, || outcome.words())?;
        Ok(outcome.exit())
    }
}

fn question(purchase: &Purchase, payment: &Payment, amount: Money) -> String {
    let buyer = purchase.order().buyer.email.as_deref();
    let buyer = buyer.map_or("an unknown buyer".to_owned(), plain);
    let Payment {
        paid,
        refunded,
        left,
        ..
    } = payment;
    let rest = Money::new(left.amount.saturating_sub(amount.amount), left.currency);
    format!(
        "Purchase {} of {buyer}: {paid} paid, {refunded} refunded.\n\
         Refund {amount}, which leaves {rest}?",
        purchase.id()
    )
}
