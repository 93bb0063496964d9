//! What the letters to the buyer say.

use super::LetterWriter;
use crate::{
    email::{
        content::{FrozenParcel, ToBuyer},
        prose::{Link, Prose, one_line},
    },
    money::Money,
    purchase::Order,
};

impl LetterWriter<'_> {
    pub(super) fn to_buyer(&self, told: &ToBuyer<'_>) -> Prose {
        match *told {
            ToBuyer::Receipt { paid, order } => self.receipt(paid, order),
            ToBuyer::Pending { may_wait_for_buyer } => self.pending(may_wait_for_buyer),
            ToBuyer::Voucher { page } => self.voucher(page),
            ToBuyer::Failed => self.failed(),
            ToBuyer::Shipped { parcel, is_sent } => self.shipped(parcel, is_sent),
            ToBuyer::Refund { amount } => self.refund(amount),
            ToBuyer::RefundFailed { amount } => self.refund_failed(amount),
            ToBuyer::Welcome { paid, order } => self.welcome(paid, order),
            ToBuyer::InvoicePaid { bill, is_over } => self.invoice_paid(bill, is_over),
            ToBuyer::PaymentFailed(bill) => self.payment_failed(bill),
            ToBuyer::ActionRequired(bill) => self.action_required(bill),
            ToBuyer::TrialEnding(reading) => self.trial_ending(reading),
            ToBuyer::PlanChanged(reading) => self.plan_changed(reading),
            ToBuyer::Cancelled(reading) => self.cancelled(reading),
            ToBuyer::Ended(reading) => self.ended(reading),
        }
    }

    fn receipt(&self, paid: Money, order: &Order) -> Prose {
        let subject = format!("Your receipt from {}", self.name);
        let receipt = Prose::new(subject, "Thank you for your purchase", self.to_purchase());
        let receipt = receipt.say(match paid.amount {
            0 => "There was nothing to pay. This is your receipt.",
            _ => "Your payment has arrived. This is your receipt.",
        });
        with_downloads(receipt, order)
    }

    fn pending(&self, may_wait_for_buyer: bool) -> Prose {
        let subject = format!("Your payment to {} is on its way", self.name);
        Prose::new(subject, "Your payment is on its way", self.to_purchase())
            .say("Thank you for your purchase.")
            .say("The way you paid takes a little time, often a few days.")
            .say(if may_wait_for_buyer {
                "If you were given a voucher or instructions to pay, please follow them in time. \
                 Otherwise there is nothing for you to do."
            } else {
                "There is nothing for you to do."
            })
            .say("Your purchase is complete once the payment has arrived. We will write to you then.")
    }

    fn voucher(&self, page: Option<&str>) -> Prose {
        let subject = format!("Please pay for your purchase from {}", self.name);
        let (link, which) = match page {
            Some(page) => (
                Link::new("Open the voucher", page),
                "Your payment voucher says where to pay, and by when.",
            ),
            None => (
                self.to_purchase(),
                "Please pay with the voucher or the instructions that you were given at checkout. \
                 They say by when.",
            ),
        };
        Prose::new(subject, "One step is left: paying", link)
            .say("Thank you for your purchase. It is not paid yet.")
            .say(which)
            .say(
                "We will write to you once the payment has arrived. Have you paid already? Then \
                 there is nothing more to do.",
            )
    }

    fn failed(&self) -> Prose {
        let subject = format!("Your payment to {} did not arrive", self.name);
        let link = Link::new("Back to the shop", self.site_url);
        Prose::new(subject, "Your payment did not arrive", link)
            .say(
                "The payment for this purchase did not come through, so nothing was charged and \
                 nothing will be sent.",
            )
            .say("If you would still like these things, you are welcome to buy them again.")
    }

    fn shipped(&self, parcel: &FrozenParcel, is_sent: bool) -> Prose {
        let name = &self.name;
        let link = match &parcel.tracking_url {
            Some(url) => Link::new("Track the parcel", url),
            None => self.to_purchase(),
        };
        if !is_sent {
            let subject = format!("Your purchase from {name} is ready");
            return Prose::new(subject, "Your purchase is ready", link)
                .say("Everything that was to be done for this purchase is done.");
        }
        let subject = format!("Your parcel from {name} is on its way");
        let letter = Prose::new(subject, "Your parcel is on its way", link).say(
            match parcel.carrier.as_deref().map(one_line) {
                Some(carrier) => format!("We have given it to {carrier}."),
                None => "We have sent it.".to_owned(),
            },
        );
        match parcel.number.as_deref().map(one_line) {
            Some(number) => letter.say(format!("Its tracking number is {number}.")),
            None => letter,
        }
    }

    fn refund(&self, amount: Money) -> Prose {
        let subject = format!("Your refund from {}", self.name);
        let amount = self.amounts.write(amount);
        Prose::new(subject, "Your refund is on its way", self.to_purchase())
            .say(format!(
                "We are sending {amount} back to you, the way you paid."
            ))
            .say("It usually takes five to ten days to show on your statement.")
    }

    fn refund_failed(&self, amount: Money) -> Prose {
        let subject = format!("Your refund from {} did not go through", self.name);
        let amount = self.amounts.write(amount);
        Prose::new(
            subject,
            "Your refund did not go through",
            self.to_purchase(),
        )
        .say(format!(
            "The refund of {amount} for this purchase did not reach you."
        ))
        .say(
            "The money is still yours. Please reply to this mail, so that we can find another \
             way to send it.",
        )
    }

    /// To the page of what the letter is about.
    pub(super) fn to_purchase(&self) -> Link {
        let label = match self.about.kind {
            "subscription" => "See your subscription",
            _ => "See your purchase",
        };
        Link::new(label, &self.about.url)
    }
}

/// Says where to find what can be downloaded. Its links live for minutes, so none is in a letter.
pub(super) fn with_downloads(letter: Prose, order: &Order) -> Prose {
    match order.lines.iter().any(|line| line.file.is_some()) {
        true => letter.say("You can download what you bought on the page of your purchase."),
        false => letter,
    }
}
