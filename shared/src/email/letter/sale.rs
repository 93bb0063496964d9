//! What the letter to the seller about a sale says.

use super::LetterWriter;
use crate::{
    email::{
        content::{Frozen, FrozenSale},
        prose::{Link, Prose, one_line},
    },
    purchase::{Attention, Order},
};

impl LetterWriter<'_> {
    pub(super) fn sale(&self, frozen: &Frozen, sale: &FrozenSale) -> Prose {
        let Frozen { order, paid, .. } = frozen;
        let amount = self.amounts.write(*paid);
        let (subject, heading) = match sale.subscription {
            Some(_) => (
                format!("A subscription was sold, {amount} paid"),
                "Somebody has subscribed",
            ),
            None => (format!("Sold for {amount}"), "You have sold something"),
        };
        let mut prose = Prose::new(subject, heading, self.to_payment(sale));
        for why in &sale.attention {
            prose = prose.say(advice(*why));
        }
        if paid.amount == 0 {
            prose = prose.say("There was nothing to pay.");
        }
        prose.say(to_send(frozen)).say(buyer(order))
    }

    /// Where Stripe has it. What cost nothing has no payment there.
    fn to_payment(&self, sale: &FrozenSale) -> Link {
        match (&sale.subscription, &sale.payment_intent) {
            (Some(id), _) => self.to_dashboard("subscriptions", id.as_str()),
            (None, Some(id)) => self.to_dashboard("payments", id.as_str()),
            (None, None) => Link::new("Open the shop", self.site_url),
        }
    }
}

/// What is to be sent, whose address stands below what was sold.
fn to_send(frozen: &Frozen) -> &'static str {
    let Order { lines, .. } = &frozen.order;
    match &frozen.delivery {
        Some(_) if lines.iter().all(|line| line.shipped) => "Please send it to the address below.",
        Some(_) => "Please send what is to be shipped to the address below.",
        None if lines.iter().any(|line| line.shipped) => {
            "Some of it is to be shipped, but no address is known: ask the buyer for it."
        }
        None if lines.is_empty() => "Nothing is known of what was bought.",
        None => "There is nothing to ship.",
    }
}

/// How the buyer can be reached.
fn buyer(order: &Order) -> String {
    match &order.buyer.email {
        Some(email) => format!(
            "The buyer is {}. If you reply to this mail, your reply goes there.",
            one_line(email)
        ),
        None => "The buyer's address is not known.".to_owned(),
    }
}

/// What somebody should do about it.
pub(super) fn advice(attention: Attention) -> &'static str {
    match attention {
        Attention::PaidTwice => "Please look at it first: it was paid more than once.",
        Attention::Overpaid => "Please look at it first: more was paid than it costs.",
        Attention::OtherCurrency => {
            "Please look at it first: it was paid in another currency than it was sold in."
        }
        Attention::Rebuilt => {
            "Please look at it first: it had been lost here, and is rebuilt from what Stripe knows."
        }
        Attention::PaidAfterStockReturned => {
            "Please look at it first: it was paid after its time was over, and may have been sold \
             to somebody else meanwhile."
        }
        Attention::Overreturned => "Please look at it first: more money went back than was paid.",
        Attention::DisputeDecidedTwice => {
            "Please look at it first: a dispute about it was both won and lost."
        }
        Attention::PaidAndVoid => "Please look at it first: its invoice was both paid and voided.",
        Attention::PaidAfterEnd => {
            "Please look at it first: it was paid after its subscription had ended."
        }
    }
}
