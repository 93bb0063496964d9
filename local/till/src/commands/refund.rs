//! `till refund`: money goes back to a buyer, through Stripe. The purchase or invoice itself changes
//! when Stripe's event is recorded, as it does for a refund made in Stripe's dashboard.

mod outcome;

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use shared::money::Money;
use shared::purchase::{PurchaseId, RefundId};
use window::refund::{AmountError, Asked, Key, Paid, Payment};

use self::outcome::{Outcome, Recorded};
use super::console::{Consent, plain};
use super::exit::Exit;
use super::operator::Operator;
use super::purchases::Name;
use super::shop::Shop;

#[derive(Args)]
pub(super) struct Refund {
    /// A purchase id, an invoice of a subscription (in_…), or the id of a Stripe object that belongs
    /// to either: cs_…, pi_…, ch_…
    id: Name,
    /// How much, in minor units: 500 is 5.00 USD [default: all that is left]
    #[arg(long, value_name = "AMOUNT")]
    amount: Option<i64>,
    /// The reason to give Stripe
    #[arg(long, value_enum)]
    reason: Option<Reason>,
    /// Which payment to refund, if there were several
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
Refund a purchase or an invoice of a subscription, through Stripe.

A purchase that began a subscription is refunded by its first invoice; `till subscriptions show` lists
the others. A refund does not cancel anything: for that there is `till subscriptions cancel`.

It shows the amount, asks first, and never refunds more than is left: what was paid, less the refunds
that Stripe knows (pending ones included) and what disputes hold. The purchase or the invoice
changes when Stripe's event is recorded; the command waits a few seconds for that.

Scripts should pass a --key: under one key each is refunded once, however often the command is
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
        let subject = self.id.find(&shop).await?;
        let bought = Paid::find(&shop, &subject).await?;
        let stripe = shop.stripe().await?;
        let mut payment = Payment::of(&bought, self.payment_intent.as_deref(), &stripe).await?;
        let made_before = self.key.as_ref().and_then(|key| payment.take_refund(key));
        if let Some(made) = made_before {
            let recorded = Recorded::of(&bought, &made.id);
            return self.tell(&Outcome::of(&bought, made, recorded));
        }
        let amount = chosen(&payment, self.amount)?;

        shop.announce_writing();
        self.consent.ask(&question(&bought, &payment, amount))?;
        let asked = Asked {
            amount,
            reason: self.reason.map(Reason::as_str),
            key: match &self.key {
                Some(key) => Key::Own(key),
                None => Key::OfPayment { failed_before: 0 },
            },
        };
        let made = asked.make(&stripe, &shop, &bought, &payment).await?;
        let recorded = Recorded::wait(&shop, &bought.subject(), &made.id).await?;
        self.tell(&Outcome::of(&bought, made, recorded))
    }

    fn tell(&self, outcome: &Outcome) -> anyhow::Result<Exit> {
        self.operator.show(outcome, || outcome.words())?;
        Ok(outcome.exit())
    }
}

/// Refunds this much of a purchase in minor units, or all that is left, without asking, and without
/// waiting for the event. `None`: nothing is left.
pub(super) async fn give_back(
    shop: &Shop,
    id: PurchaseId,
    minor: Option<i64>,
) -> anyhow::Result<Option<(RefundId, Money)>> {
    let bought = Paid::find(shop, &id.into()).await?;
    let stripe = shop.stripe().await?;
    let payment = Payment::of(&bought, None, &stripe).await?;
    if payment.left.amount == 0 {
        return Ok(None);
    }
    let amount = chosen(&payment, minor)?;
    let asked = Asked {
        amount,
        reason: None,
        key: Key::OfPayment { failed_before: 0 },
    };
    let made = asked.make(&stripe, shop, &bought, &payment).await?;
    Ok(Some((made.id, amount)))
}

/// What is to be refunded, with the option that chooses it if it cannot be.
fn chosen(payment: &Payment, minor: Option<i64>) -> anyhow::Result<Money> {
    payment.amount(minor).map_err(|error| {
        let option = match &error {
            AmountError::NothingLeft { .. } => return error.into(),
            AmountError::NotAboveZero(_) => "pass minor units, such as 500 for 5.00 USD".to_owned(),
            AmountError::TooMuch { left, .. } => format!("pass at most --amount {}", left.amount),
            AmountError::Price(_) => "pass another --amount".to_owned(),
        };
        anyhow!("{error}: {option}")
    })
}

fn question(bought: &Paid, payment: &Payment, amount: Money) -> String {
    let buyer = bought.buyer().map_or("an unknown buyer".to_owned(), plain);
    let Payment {
        paid,
        refunded,
        left,
        ..
    } = payment;
    let rest = Money::new(left.amount.saturating_sub(amount.amount), left.currency);
    format!(
        "{} of {buyer}: {paid} paid, {refunded} refunded.\n\
         Refund {amount}, which leaves {rest}?",
        bought.title()
    )
}
