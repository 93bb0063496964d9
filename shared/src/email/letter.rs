//! What the letters say.

use super::{
    amounts::Amounts,
    content::{AboutDispute, Content, DisputeNews, Frozen, Missing, ToBuyer},
    prose::{Item, Letter, LetterPage, Link, Prose, Sum, date, one_line},
};
use crate::{
    mode::Mode,
    money::{Money, MoneyError},
    purchase::{Line, Mail, Movement, PurchaseId, Subject},
};

/// The shop as its letters present it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letterhead {
    /// Its name, as buyers know it.
    pub name: String,
    /// Where its site begins: `https://shop.example`.
    pub site_url: String,
    /// Whether its money is real: Stripe's Dashboard has a part for each.
    pub mode: Mode,
    /// Where its seller finds Stripe's Dashboard: `https://dashboard.stripe.com`.
    pub stripe_dashboard: String,
}

/// Why a letter cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// Its row does not say what it is about.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// An amount is beyond counting.
    #[error(transparent)]
    Amount(#[from] MoneyError),
    /// The page cannot be set.
    #[error(transparent)]
    Page(#[from] askama::Error),
}

/// Writes a letter. The same row gives the same letter.
///
/// The prose is English; amounts are written as in the buyer's language.
pub fn compose(mail: &Mail, frozen: &Frozen, shop: &Letterhead) -> Result<Letter, LetterError> {
    let content = Content::of(mail, frozen)?;
    let language = match content {
        Content::ToBuyer(_) => frozen.order.buyer.language.as_deref(),
        // The seller's language is not known; the buyer's is not theirs.
        Content::ToSeller(_) => None,
    };
    let site_url = shop.site_url.trim_end_matches('/');
    let Subject::Purchase(purchase) = frozen.about;
    let writer = Writer {
        shop,
        name: one_line(&shop.name),
        site_url,
        purchase,
        purchase_url: format!("{site_url}/purchase.html?id={purchase}"),
        amounts: Amounts::in_language(language)?,
    };
    Ok(writer.page(&content, frozen)?.set()?)
}

/// Whoever writes one letter: what they know beside its content.
struct Writer<'a> {
    shop: &'a Letterhead,
    /// The shop's, on one line.
    name: String,
    site_url: &'a str,
    purchase: PurchaseId,
    purchase_url: String,
    amounts: Amounts,
}

impl Writer<'_> {
    fn page(self, content: &Content<'_>, frozen: &Frozen) -> Result<LetterPage, MoneyError> {
        let (prose, why) = match content {
            Content::ToBuyer(told) => (
                self.to_buyer(told),
                "You get this mail because of your purchase at",
            ),
            Content::ToSeller(told) => (
                self.to_seller(told),
                "You get this mail because you sell at",
            ),
        };
        let total = frozen.order.total;
        let items = frozen.order.lines.iter().map(|line| self.item(line, total));
        let number = self.purchase.number();
        Ok(LetterPage {
            // Several purchases would have one subject, and fold into one conversation.
            subject: format!("{} (purchase {number})", prose.subject),
            prose,
            site_url: self.site_url.to_owned(),
            items: items.collect::<Result<_, _>>()?,
            sums: self.sums(content, total),
            number,
            id: self.purchase.to_string(),
            purchase_url: self.purchase_url,
            shop: self.name,
            why,
        })
    }

    fn to_buyer(&self, told: &ToBuyer<'_>) -> Prose {
        match *told {
            ToBuyer::Receipt { paid } => self.receipt(paid),
            ToBuyer::Pending { may_wait_for_buyer } => self.pending(may_wait_for_buyer),
            ToBuyer::Voucher { page } => self.voucher(page),
            ToBuyer::Failed => self.failed(),
            ToBuyer::Refund { amount } => self.refund(amount),
            ToBuyer::RefundFailed { amount } => self.refund_failed(amount),
        }
    }

    fn receipt(&self, paid: Money) -> Prose {
        let subject = format!("Your receipt from {}", self.name);
        let receipt = Prose::new(subject, "Thank you for your purchase", self.to_purchase());
        receipt.say(match paid.amount {
            0 => "There was nothing to pay. This is your receipt.",
            _ => "Your payment has arrived. This is your receipt.",
        })
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

    fn to_seller(&self, told: &AboutDispute<'_>) -> Prose {
        let amount = self.amounts.write(told.terms.amount);
        let reason = one_line(&told.terms.reason).replace('_', " ");
        let due = told.terms.due_by.map(date);
        let by = due.map(|due| format!(" by {due}")).unwrap_or_default();
        let prose = |subject: String, heading| Prose::new(subject, heading, self.to_stripe(told));
        match told.news {
            DisputeNews::InquiryOpened => prose(
                format!("A bank asks about a payment of {amount}: answer{by}"),
                "A bank asks about this purchase",
            )
            .say(format!(
                "The buyer's bank has opened an inquiry over {amount}. Its reason: {reason}."
            ))
            .say("No money has been taken yet, but it may be if nobody answers.")
            .say(format!(
                "Answer it in Stripe's Dashboard{by}, or refund the buyer."
            )),
            DisputeNews::DisputeOpened => prose(
                format!("Dispute over {amount}: evidence is due{by}"),
                "A buyer disputes this purchase",
            )
            .say(format!(
                "The buyer's bank has taken {amount} back until it is decided who is right. Its \
                 reason: {reason}."
            ))
            .say(format!(
                "Submit your evidence in Stripe's Dashboard{by}. Without it the money is lost."
            )),
            DisputeNews::OpenedAndOver => prose(
                format!("Dispute over {amount}"),
                "A buyer disputed this purchase",
            )
            .say(format!(
                "The buyer's bank disputed {amount}. Its reason: {reason}."
            ))
            .say(
                "It is already over, and there is nothing to answer. Another mail tells how it \
                 ended.",
            ),
            DisputeNews::InquiryClosed => prose(
                format!("Inquiry over {amount} closed"),
                "The inquiry came to nothing",
            )
            .say("The buyer's bank has closed its inquiry, and no money was taken."),
            DisputeNews::Won => prose(
                format!("Dispute over {amount} won"),
                "The dispute was decided for you",
            )
            .say(format!(
                "The disputed {amount} is yours again. There is nothing more to do."
            )),
            DisputeNews::Lost => prose(
                format!("Dispute over {amount} lost"),
                "The dispute was decided for the buyer",
            )
            .say(format!(
                "The disputed {amount} stays with the buyer. The bank's reason was: {reason}."
            )),
        }
    }

    fn to_purchase(&self) -> Link {
        Link::new("See your purchase", &self.purchase_url)
    }

    fn to_stripe(&self, told: &AboutDispute<'_>) -> Link {
        let part = match self.shop.mode {
            Mode::Live => "",
            Mode::Test => "test/",
        };
        let dashboard = &self.shop.stripe_dashboard;
        let url = format!("{dashboard}/{part}disputes/{}", told.id);
        Link::new("Open it in Stripe", url)
    }

    fn item(&self, line: &Line, total: Money) -> Result<Item, MoneyError> {
        let price = Money::new(line.unit_amount, total.currency);
        let amount = price.checked_mul(line.quantity)?;
        Ok(Item {
            name: one_line(&line.name),
            quantity: format!("{} × {}", line.quantity, self.amounts.write(price)),
            amount: self.amounts.write(amount),
        })
    }

    /// The total, and below it what the letter is about: on a receipt what was paid if that is
    /// another amount, of a refund how much, of a dispute what it moved.
    fn sums(&self, content: &Content<'_>, total: Money) -> Vec<Sum> {
        let sum = |label, money| Sum {
            label,
            amount: self.amounts.write(money),
        };
        let mut sums = vec![sum("Total", total)];
        match content {
            Content::ToBuyer(ToBuyer::Receipt { paid }) if *paid != total => {
                if paid.currency == total.currency
                    && let Some(discount @ ..0) = paid.amount.checked_sub(total.amount)
                {
                    sums.push(sum("Discount", Money::new(discount, total.currency)));
                }
                sums.push(sum("Paid", *paid));
            }
            Content::ToBuyer(ToBuyer::Refund { amount } | ToBuyer::RefundFailed { amount }) => {
                sums.push(sum("Refund", *amount));
            }
            Content::ToBuyer(
                ToBuyer::Receipt { .. }
                | ToBuyer::Pending { .. }
                | ToBuyer::Voucher { .. }
                | ToBuyer::Failed,
            ) => {}
            Content::ToSeller(AboutDispute {
                terms, movements, ..
            }) => {
                sums.push(sum("In dispute", terms.amount));
                for Movement { amount, fee } in *movements {
                    let taken = amount.amount < 0;
                    sums.push(sum(if taken { "Taken" } else { "Given back" }, *amount));
                    if *fee != 0 {
                        let fee = Money::new(fee.saturating_neg(), amount.currency);
                        sums.push(sum("Fee", fee));
                    }
                }
            }
        }
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::{Buyer, Order, WaitsFor};

    const ID: &str = "01936f3c-8a10-7c3e-9a35-0c1de2a3f5b7";

    fn usd(amount: i64) -> Money {
        Money::new(amount, "usd".parse().unwrap())
    }

    fn line(name: &str, quantity: u32, unit_amount: i64) -> Line {
        Line {
            product_id: "sample-mug".parse().unwrap(),
            name: name.to_owned(),
            description: String::new(),
            image: None,
            quantity,
            unit_amount,
            reserved: false,
        }
    }

    /// Two mugs and a sticker for 33.50 USD, paid in full.
    fn frozen() -> Frozen {
        Frozen {
            about: ID.parse().unwrap(),
            order: Order {
                buyer: Buyer {
                    subject: Some("buyer-1".into()),
                    email: Some("ana@example.com".into()),
                    language: None,
                },
                lines: vec![line("Sample mug", 2, 1500), line("Sticker", 1, 350)],
                total: usd(3350),
                rebuilt: false,
            },
            paid: usd(3350),
            waits_for: None,
            refund: None,
            dispute: None,
        }
    }

    fn shop() -> Letterhead {
        Letterhead {
            name: "Mugs & Co".into(),
            site_url: "https://mugs.example/".into(),
            mode: Mode::Test,
            stripe_dashboard: "https://dashboard.stripe.com".into(),
        }
    }

    fn letter(mail: &Mail, frozen: &Frozen) -> Letter {
        compose(mail, frozen, &shop()).unwrap()
    }

    /// The columns line up whichever space the amounts keep together.
    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn a_receipt_lists_what_was_bought_and_for_how_much() {
        let receipt = letter(&Mail::Paid, &frozen());
        assert_eq!(
            receipt.subject,
            "Your receipt from Mugs & Co (purchase e2a3f5b7)"
        );
        assert_eq!(
            plain(&receipt.text),
            "\
Thank you for your purchase

Your payment has arrived. This is your receipt.

Sample mug
  2 × 15.00 USD                      30.00 USD
Sticker
  1 × 3.50 USD                        3.50 USD
----------------------------------------------
Total                                33.50 USD

Purchase e2a3f5b7
https://mugs.example/purchase.html?id=01936f3c-8a10-7c3e-9a35-0c1de2a3f5b7

-- \nMugs & Co
https://mugs.example
"
        );
        let html = plain(&receipt.html);
        for part in [
            "Sample mug",
            "2 × 15.00 USD",
            ">30.00 USD<",
            ">33.50 USD<",
            ">See your purchase<",
            "href=\"https://mugs.example/purchase.html?id=01936f3c-8a10-7c3e-9a35-0c1de2a3f5b7\"",
        ] {
            assert!(html.contains(part), "{part}");
        }
        assert!(!html.contains(">Paid<"), "said twice");
    }

    #[test]
    fn a_receipt_after_a_promotion_says_the_discount_and_what_was_paid() {
        let frozen = Frozen {
            paid: usd(3000),
            ..frozen()
        };
        let receipt = letter(&Mail::Paid, &frozen);
        let sums = "\
Total                                33.50 USD
Discount                             -3.50 USD
Paid                                 30.00 USD
";
        assert!(plain(&receipt.text).contains(sums));
        assert!(plain(&receipt.html).contains(">-3.50 USD<"));
    }

    #[test]
    fn a_receipt_for_nothing_to_pay_does_not_speak_of_a_payment() {
        let frozen = Frozen {
            paid: usd(0),
            ..frozen()
        };
        let receipt = letter(&Mail::Paid, &frozen);
        assert!(receipt.text.contains("There was nothing to pay."));
        assert!(!receipt.text.contains("payment has arrived"));
    }

    #[test]
    fn more_money_or_another_currency_is_not_a_discount() {
        let euro = Money::new(3000, "eur".parse().unwrap());
        for paid in [usd(6700), euro] {
            let receipt = letter(&Mail::Paid, &Frozen { paid, ..frozen() });
            assert!(receipt.text.contains("\nPaid "), "{paid}");
            assert!(!receipt.text.contains("Discount"), "{paid}");
        }
    }

    #[test]
    fn a_payment_on_its_way_asks_nothing_of_the_buyer_and_is_not_a_receipt() {
        let frozen = Frozen {
            paid: usd(0),
            ..frozen()
        };
        let pending = letter(&Mail::Pending, &frozen);
        assert!(
            pending
                .subject
                .starts_with("Your payment to Mugs & Co is on its way")
        );
        for part in ["There is nothing for you to do", ID, "Total"] {
            assert!(pending.text.contains(part), "{part}");
            assert!(pending.html.contains(part), "{part}");
        }
        assert!(!pending.text.contains("voucher"));
        assert!(!pending.text.contains("receipt"));
        assert!(!pending.text.contains("\nPaid"));
    }

    #[test]
    fn a_letter_about_a_payment_of_unknown_progress_covers_both_cases() {
        let frozen = Frozen {
            waits_for: Some(WaitsFor::Unknown),
            ..frozen()
        };
        let pending = letter(&Mail::Pending, &frozen).text;
        assert!(pending.contains("If you were given a voucher"), "{pending}");
    }

    #[test]
    fn a_voucher_says_that_the_buyer_has_to_pay_and_leads_to_it() {
        let url = "https://payments.stripe.com/oxxo/voucher/test_1";
        let frozen = Frozen {
            paid: usd(0),
            waits_for: Some(WaitsFor::Buyer {
                voucher_url: Some(url.to_owned()),
            }),
            ..frozen()
        };
        let voucher = letter(&Mail::Voucher, &frozen);
        assert_eq!(
            voucher.subject,
            "Please pay for your purchase from Mugs & Co (purchase e2a3f5b7)"
        );
        for part in [&voucher.text, &voucher.html] {
            assert!(part.contains("It is not paid yet."));
            assert!(part.contains(url));
            assert!(!part.contains("nothing for you to do") && !part.contains("on its way"));
        }
        let without = Frozen {
            waits_for: Some(WaitsFor::Buyer { voucher_url: None }),
            ..frozen
        };
        let voucher = letter(&Mail::Voucher, &without);
        assert!(voucher.text.contains("the voucher or the instructions"));
        assert!(voucher.html.contains(">See your purchase<"));
    }

    #[test]
    fn a_failed_payment_says_that_nothing_was_charged_and_leads_back_to_the_shop() {
        let frozen = Frozen {
            paid: usd(0),
            ..frozen()
        };
        let failed = letter(&Mail::Failed, &frozen);
        assert!(
            failed
                .subject
                .starts_with("Your payment to Mugs & Co did not arrive")
        );
        for part in [&failed.text, &failed.html] {
            assert!(part.contains("nothing was charged"));
        }
        assert!(failed.text.contains("again.\nhttps://mugs.example\n"));
        assert!(failed.html.contains("<a href=\"https://mugs.example\""));
        assert!(failed.html.contains(">Back to the shop<"));
    }

    #[test]
    fn a_rebuilt_order_says_only_its_total() {
        let mut frozen = frozen();
        frozen.order.lines.clear();
        frozen.order.rebuilt = true;
        let receipt = letter(&Mail::Paid, &frozen);
        assert!(
            plain(&receipt.text).contains(
                "receipt.\n\nTotal                                33.50 USD\n\nPurchase "
            )
        );
        assert!(!receipt.text.contains("----"));
        assert!(!receipt.html.contains(" × "));
    }

    #[test]
    fn amounts_are_written_in_the_buyers_language() {
        let mut frozen = frozen();
        frozen.order.lines = vec![line("Tasse", 100, 1500)];
        frozen.order.total = usd(150_000);
        frozen.paid = usd(150_000);
        frozen.order.buyer.language = Some("de-DE".into());
        let receipt = letter(&Mail::Paid, &frozen);
        for part in ["100 × 15,00\u{a0}USD", "1.500,00\u{a0}USD"] {
            assert!(receipt.text.contains(part), "{part}");
            assert!(receipt.html.contains(part), "{part}");
        }
    }

    #[test]
    fn a_name_cannot_add_a_header_or_a_line() {
        let shop = Letterhead {
            name: "Mugs\r\nBcc: eve@example.com\u{85}\u{2028}\0\t& Co".into(),
            ..shop()
        };
        let mut frozen = frozen();
        frozen.order.lines = vec![line("Mug\r\nTotal  0.00 USD\u{7f}", 1, 3350)];
        for mail in &[Mail::Paid, Mail::Pending, Mail::Voucher, Mail::Failed] {
            let letter = compose(mail, &frozen, &shop).unwrap();
            assert!(letter.subject.contains("Mugs Bcc: eve@example.com & Co"));
            assert!(!letter.subject.chars().any(char::is_control));
            assert!(letter.text.contains("\nMug Total 0.00 USD\n"));
            for part in [&letter.text, &letter.html] {
                assert!(!part.chars().any(|c| c != '\n' && c.is_control()));
                assert!(!part.contains("\nBcc"));
            }
        }
    }

    #[test]
    fn a_name_cannot_add_markup() {
        let shop = Letterhead {
            name: "<b>Mugs</b>".into(),
            site_url: "https://mugs.example/\"><script>".into(),
            ..shop()
        };
        let mut frozen = frozen();
        frozen.order.lines = vec![line("<img src=x onerror='pay()'>", 1, 3350)];
        let letter = compose(&Mail::Paid, &frozen, &shop).unwrap();
        for markup in ["<b>", "<script", "<img", "'pay()'"] {
            assert!(!letter.html.contains(markup), "{markup}");
        }
        // Plain text has no markup to escape from.
        assert!(letter.text.contains("<img src=x onerror='pay()'>"));
        assert_eq!(
            letter.subject,
            "Your receipt from <b>Mugs</b> (purchase e2a3f5b7)"
        );
    }

    #[test]
    fn a_letter_does_not_show_the_buyers_address() {
        for mail in &[Mail::Paid, Mail::Pending, Mail::Voucher, Mail::Failed] {
            let letter = format!("{:?}", letter(mail, &frozen()));
            assert!(!letter.contains("ana@"));
        }
    }

    #[test]
    fn an_amount_too_large_to_count_is_refused() {
        let mut frozen = frozen();
        frozen.order.lines = vec![line("Planet", 2, i64::MAX)];
        assert!(compose(&Mail::Paid, &frozen, &shop()).is_err());
    }

    #[test]
    fn a_letter_cannot_be_written_without_what_it_is_about() {
        for (mail, lacks) in [
            ("refund#re_1", "refund"),
            ("refund_failed#re_1", "refund"),
            ("inquiry_opened#dp_1", "dispute"),
            ("dispute_opened#dp_1", "dispute"),
            ("dispute_closed#dp_1#lost", "dispute"),
        ] {
            let mail = Mail::try_from(mail.to_owned()).unwrap();
            let error = compose(&mail, &frozen(), &shop()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("the row does not say which {lacks} it is about")
            );
        }
    }

    #[test]
    fn a_letters_content_survives_its_outbox_row() {
        let row = serde_json::to_string(&frozen()).unwrap();
        assert_eq!(serde_json::from_str::<Frozen>(&row).unwrap(), frozen());
    }
}
