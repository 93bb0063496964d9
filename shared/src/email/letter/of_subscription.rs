//! What the letters about a subscription say to the buyer.

use super::{LetterWriter, to_buyer::with_downloads};
use crate::{
    email::prose::{Link, Prose, date},
    invoice::{Bill, Reason},
    money::Money,
    purchase::Order,
    subscription::Reading,
};

impl LetterWriter<'_> {
    pub(super) fn welcome(&self, paid: Money, order: &Order) -> Prose {
        let subject = format!("Your subscription at {} has begun", self.name);
        let heading = "Your subscription has begun";
        let prose = Prose::new(subject, heading, self.to_purchase())
            .say("Thank you for subscribing.")
            .say(match paid.amount {
                0 => "There is nothing to pay yet.",
                _ => "Your payment has arrived, and this is your receipt.",
            });
        let trial = order.renewal().filter(|(_, terms)| terms.trial_days > 0);
        let prose = match trial {
            Some((renewal, terms)) => prose.say(format!(
                "Your subscription is free for {}. Then {} is due every {terms}, less discounts and plus \
                 taxes, if there are any.",
                days(terms.trial_days),
                self.amounts.write(renewal),
            )),
            None => prose,
        };
        let prose = prose.say(
            "It renews by itself until you cancel it, which you can do at any time. We will send \
             you a receipt for each payment.",
        );
        with_downloads(prose, order)
    }

    pub(super) fn invoice_paid(&self, bill: &Bill, is_over: bool) -> Prose {
        let subject = format!("Your receipt from {}", self.name);
        let link = self.to_invoice("See the invoice", bill);
        let prose = Prose::new(subject, "Thank you for your payment", link);
        if is_over {
            return prose
                .say("Your payment has arrived. This is your receipt.")
                .say("Your subscription has ended, and this payment does not begin it again.")
                .say("If you did not mean to pay for a subscription that is over, please reply to this mail.");
        }
        let prose = prose.say(match bill.reason {
            Reason::Renewal => "Your subscription was renewed. This is your receipt.",
            Reason::Change => "The change of your subscription is paid. This is your receipt.",
            Reason::First | Reason::Other => "Your payment has arrived. This is your receipt.",
        });
        match bill.period {
            Some(period) => prose.say(format!("It is paid until {}.", date(period.end))),
            None => prose,
        }
    }

    pub(super) fn payment_failed(&self, bill: &Bill) -> Prose {
        let subject = format!("Your payment to {} failed", self.name);
        let due = self.amounts.write(bill.due);
        let link = self.to_invoice("Pay now", bill);
        Prose::new(subject, "Your payment failed", link)
            .say(format!("We could not charge {due} for your subscription."))
            .say(match bill.next_attempt {
                Some(at) => format!(
                    "We will try again on {}. To pay sooner, or in another way, follow the link.",
                    date(at)
                ),
                // By the time it is read, Stripe may have ended the subscription.
                None => "We will not try again by ourselves. To keep your subscription, please \
                         follow the link and pay before it ends."
                    .to_owned(),
            })
    }

    pub(super) fn action_required(&self, bill: &Bill) -> Prose {
        let subject = format!("Please confirm your payment to {}", self.name);
        let due = self.amounts.write(bill.due);
        let link = self.to_invoice("Confirm the payment", bill);
        Prose::new(subject, "Your bank wants you to confirm a payment", link)
            .say(format!(
                "Your subscription is due for renewal, and your bank lets us charge {due} only if \
                 you confirm it."
            ))
            .say("It takes a minute. Without it, the subscription cannot go on.")
    }

    pub(super) fn trial_ending(&self, reading: &Reading) -> Prose {
        let subject = format!("Your trial at {} is about to end", self.name);
        let end = date(reading.trial_end.unwrap_or(reading.period.end));
        let prose = Prose::new(subject, "Your trial is about to end", self.to_purchase());
        let prose = match reading.next() {
            Some(next) => {
                let amount = self.amounts.write(next.amount);
                prose.say(format!(
                    "It is free until {end}. Then the subscription begins, and the first payment \
                     of {amount} is due; discounts and taxes, if there are any, are not counted \
                     here."
                ))
            }
            None => prose.say(format!("It is free until {end}.")),
        };
        prose.say("If you do not want to go on, cancel it before then, and nothing is charged.")
    }

    pub(super) fn plan_changed(&self, reading: &Reading) -> Prose {
        let subject = format!("Your subscription at {} was changed", self.name);
        let prose = Prose::new(subject, "Your subscription was changed", self.to_purchase())
            .say("This is what you are subscribed to from now on.");
        match reading.next() {
            Some(next) => prose.say(format!("The next payment is due on {}.", date(next.at))),
            None => prose,
        }
    }

    pub(super) fn cancelled(&self, reading: &Reading) -> Prose {
        let subject = format!("Your subscription at {} is cancelled", self.name);
        let end = date(reading.ends_at().unwrap_or(reading.period.end));
        Prose::new(
            subject,
            "Your subscription is cancelled",
            self.to_purchase(),
        )
        .say(format!("It lasts until {end}, and ends then."))
        .say("If you did not mean to cancel it, you can still keep it until then.")
    }

    pub(super) fn ended(&self, reading: &Reading) -> Prose {
        let subject = format!("Your subscription at {} has ended", self.name);
        let link = Link::new("Back to the shop", self.site_url);
        let prose = Prose::new(subject, "Your subscription has ended", link);
        let prose = match reading.lost {
            true => prose
                .say("We could not charge it any more, so it has ended.")
                .say("Paying an invoice that is still open would not bring it back."),
            false => prose.say("It was cancelled, and is over now."),
        };
        prose
            .say("Nothing more will be charged.")
            .say("You are welcome to subscribe again.")
    }

    /// To Stripe's page of an invoice, which shows it, and where it can be paid.
    fn to_invoice(&self, label: &'static str, bill: &Bill) -> Link {
        match &bill.page {
            Some(page) => Link::new(label, page),
            None => self.to_purchase(),
        }
    }
}

/// "1 day", "14 days"
fn days(count: u32) -> String {
    match count {
        1 => "1 day".to_owned(),
        count => format!("{count} days"),
    }
}
