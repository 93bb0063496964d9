//! What the letters to the seller say.

use super::LetterWriter;
use crate::{
    email::{
        content::{AboutDispute, DisputeNews, ToSeller},
        prose::{Link, Prose, date, one_line},
    },
    mode::Mode,
    subscription::Reading,
};

impl LetterWriter<'_> {
    pub(super) fn to_seller(&self, told: &ToSeller<'_>) -> Prose {
        match told {
            ToSeller::Sale { frozen, sale, .. } => self.sale(frozen, sale),
            ToSeller::Dispute(dispute) => self.dispute(dispute),
            ToSeller::Lost(reading) => self.lost(reading),
        }
    }

    fn lost(&self, reading: &Reading) -> Prose {
        let since = date(reading.ended_at.unwrap_or(reading.period.start));
        let is_over = reading.is_over();
        let subject = "A subscription is lost, because it could not be charged";
        let link = self.to_dashboard("subscriptions", &self.about.id);
        let prose = Prose::new(subject, "A subscription is lost", link)
            .say("Every attempt to charge it has failed, and Stripe has stopped trying.");
        let prose = match is_over {
            true => prose.say(format!("It ended on {since}.")).say(
                "If its last invoice is still open, void it: paying it would not bring the \
                 subscription back.",
            ),
            false => prose.say(format!(
                "It has not been paid since {since}, and is still there."
            )),
        };
        prose.say("The buyer was told each time. You may want to write to them yourself.")
    }

    fn dispute(&self, told: &AboutDispute<'_>) -> Prose {
        let amount = self.amounts.write(told.terms.amount);
        let reason = one_line(&told.terms.reason).replace('_', " ");
        let due = told.terms.due_by.map(date);
        let by = due.map(|due| format!(" by {due}")).unwrap_or_default();
        let (subject, heading, sentences) = match told.news {
            DisputeNews::InquiryOpened => (
                format!("A bank asks about a payment of {amount}: answer{by}"),
                "A bank asks about this purchase",
                vec![
                    format!(
                        "The buyer's bank has opened an inquiry over {amount}. Its reason: {reason}."
                    ),
                    "No money has been taken yet, but it may be if nobody answers.".to_owned(),
                    format!("Answer it in Stripe's Dashboard{by}, or refund the buyer."),
                ],
            ),
            DisputeNews::DisputeOpened => (
                format!("Dispute over {amount}: evidence is due{by}"),
                "A buyer disputes this purchase",
                vec![
                    format!(
                        "The buyer's bank has taken {amount} back until it is decided who is \
                         right. Its reason: {reason}."
                    ),
                    format!(
                        "Submit your evidence in Stripe's Dashboard{by}. Without it the money is \
                         lost."
                    ),
                ],
            ),
            DisputeNews::OpenedAndOver => (
                format!("Dispute over {amount}"),
                "A buyer disputed this purchase",
                vec![
                    format!("The buyer's bank disputed {amount}. Its reason: {reason}."),
                    "It is already over, and there is nothing to answer. Another mail tells how \
                     it ended."
                        .to_owned(),
                ],
            ),
            DisputeNews::InquiryClosed => (
                format!("Inquiry over {amount} closed"),
                "The inquiry came to nothing",
                vec!["The buyer's bank has closed its inquiry, and no money was taken.".to_owned()],
            ),
            DisputeNews::Won => (
                format!("Dispute over {amount} won"),
                "The dispute was decided for you",
                vec![format!(
                    "The disputed {amount} is yours again. There is nothing more to do."
                )],
            ),
            DisputeNews::Lost => (
                format!("Dispute over {amount} lost"),
                "The dispute was decided for the buyer",
                vec![format!(
                    "The disputed {amount} stays with the buyer. The bank's reason was: {reason}."
                )],
            ),
        };
        let prose = Prose::new(
            subject,
            heading,
            self.to_dashboard("disputes", told.id.as_str()),
        );
        sentences.into_iter().fold(prose, Prose::say)
    }

    pub(super) fn to_dashboard(&self, kind: &str, id: &str) -> Link {
        let part = match self.shop.mode {
            Mode::Live => "",
            Mode::Test => "test/",
        };
        let dashboard = &self.shop.stripe_dashboard;
        let url = format!("{dashboard}/{part}{kind}/{id}");
        Link::new("Open it in Stripe", url)
    }
}
