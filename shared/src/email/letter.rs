//! What the letters say.

use askama::Template;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::amounts::Amounts;
use crate::{
    config::Mode,
    money::Money,
    purchase::{
        Dispute, DisputeId, DisputeStatus, DisputeTerms, Line, Mail, Movement, Order, Purchase,
        PurchaseId, WaitsFor,
    },
};

/// What letters say of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shop {
    /// Its name, as buyers know it.
    pub name: String,
    /// Where its site begins: `https://shop.example`.
    pub site_url: String,
    /// Whether its money is real: Stripe's Dashboard has a part for each.
    pub mode: Mode,
    /// Where its seller finds Stripe's Dashboard: `https://dashboard.stripe.com`.
    pub stripe_dashboard: String,
}

/// What a letter tells, frozen in its outbox row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Of which purchase.
    pub purchase_id: PurchaseId,
    /// What was ordered, by whom.
    pub order: Order,
    /// What was paid, in the currency it was paid in; only a receipt says it.
    pub paid: Money,
    /// What the payment waits for that the letter is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<WaitsFor>,
    /// How much the refund is that the letter is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Money>,
    /// What the dispute is that the letter is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispute: Option<DisputeContent>,
}

/// What a letter tells of a dispute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisputeContent {
    /// How it stands.
    pub status: DisputeStatus,
    /// What it is about.
    pub terms: DisputeTerms,
    /// What it moved.
    pub movements: Vec<Movement>,
}

impl Content {
    /// What `mail` has to tell of a purchase.
    pub fn of(purchase: &Purchase, mail: &Mail) -> Self {
        let payment = purchase.payment();
        let dispute = |id: &DisputeId| payment.disputes().get(id).and_then(DisputeContent::of);
        Self {
            purchase_id: purchase.id(),
            order: purchase.order().clone(),
            paid: purchase.accounts().paid,
            waits_for: purchase.waits_for().cloned(),
            refund: match mail {
                Mail::Refund(id) | Mail::RefundFailed(id) => {
                    payment.refunds().get(id).map(|refund| refund.amount)
                }
                _ => None,
            },
            dispute: match mail {
                Mail::InquiryOpened(id) | Mail::DisputeOpened(id) | Mail::DisputeClosed(id, _) => {
                    dispute(id)
                }
                _ => None,
            },
        }
    }
}

impl Content {
    /// Stripe's page with the voucher that the buyer has to pay with.
    fn voucher_url(&self) -> Option<&str> {
        match &self.waits_for {
            Some(WaitsFor::Buyer { voucher_url }) => voucher_url.as_deref(),
            _ => None,
        }
    }
}

impl DisputeContent {
    fn of(dispute: &Dispute) -> Option<Self> {
        Some(Self {
            status: dispute.status()?,
            terms: dispute.terms()?.clone(),
            movements: dispute.movements.values().copied().collect(),
        })
    }
}

/// A letter, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Free of control characters, whatever the shop is called.
    pub subject: String,
    /// For most.
    pub html: String,
    /// The same for whoever reads plain text.
    pub text: String,
}

/// Writes a letter. The same content gives the same letter.
///
/// The prose is English; amounts are written as in the buyer's language.
pub fn compose(mail: &Mail, content: &Content, shop: &Shop) -> Result<Letter, askama::Error> {
    let page = Page::new(mail, content, shop)?;
    Ok(Letter {
        html: Html { page: &page }.render()?,
        text: Text { page: &page }.render()?,
        subject: page.subject,
    })
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "letter.txt")]
struct Text<'a> {
    page: &'a Page,
}

/// All that both templates show, as text.
struct Page {
    subject: String,
    shop: String,
    site_url: String,
    prose: Prose,
    items: Vec<Item>,
    /// The last one counts.
    sums: Vec<Sum>,
    number: String,
    id: String,
    purchase_url: String,
    /// Why whoever reads it gets it.
    why: &'static str,
}

struct Prose {
    subject: String,
    heading: String,
    sentences: Vec<String>,
    link: Link,
}

/// Where the letter leads.
struct Link {
    label: &'static str,
    url: String,
}

struct Item {
    name: String,
    /// How many at which price.
    quantity: String,
    amount: String,
}

struct Sum {
    label: &'static str,
    amount: String,
}

impl Page {
    fn new(mail: &Mail, content: &Content, shop: &Shop) -> Result<Self, askama::Error> {
        let Content {
            purchase_id, order, ..
        } = content;
        // The seller's language is not known; the buyer's is not theirs.
        let language = order.buyer.language.as_deref();
        let amounts = Amounts::in_language(language.filter(|_| !mail.is_for_seller()))?;
        let items = order
            .lines
            .iter()
            .map(|line| Item::new(line, order.total, &amounts))
            .collect::<Result<_, _>>()?;
        let site_url = shop.site_url.trim_end_matches('/');
        let number = purchase_id.number();
        let purchase_url = format!("{site_url}/purchase.html?id={purchase_id}");
        let (prose, why) = if mail.is_for_seller() {
            let prose = Prose::to_seller(mail, content, shop, &amounts)?;
            (prose, "You get this mail because you sell at")
        } else {
            let name = one_line(&shop.name);
            let prose = Prose::to_buyer(mail, content, &name, site_url, &purchase_url, &amounts)?;
            (prose, "You get this mail because of your purchase at")
        };
        Ok(Self {
            // Several purchases would have one subject, and fold into one conversation.
            subject: format!("{} (purchase {number})", prose.subject),
            prose,
            shop: one_line(&shop.name),
            site_url: site_url.to_owned(),
            items,
            sums: sums(mail, content, &amounts),
            number,
            id: purchase_id.to_string(),
            purchase_url,
            why,
        })
    }
}

impl Prose {
    fn to_buyer(
        mail: &Mail,
        content: &Content,
        shop: &str,
        site_url: &str,
        purchase_url: &str,
        amounts: &Amounts,
    ) -> Result<Self, askama::Error> {
        let refund = || match content.refund {
            Some(refund) => Ok(amounts.write(refund)),
            None => Err(missing("refund")),
        };
        let (subject, heading, sentences) = match mail {
            Mail::Paid => (
                format!("Your receipt from {shop}"),
                "Thank you for your purchase",
                vec![if content.paid.amount == 0 {
                    "There was nothing to pay. This is your receipt.".to_owned()
                } else {
                    "Your payment has arrived. This is your receipt.".to_owned()
                }],
            ),
            Mail::Pending => (
                format!("Your payment to {shop} is on its way"),
                "Your payment is on its way",
                vec![
                    "Thank you for your purchase.".to_owned(),
                    "Your way of paying takes a little time, often a few days.".to_owned(),
                    match content.waits_for {
                        Some(WaitsFor::Unknown) => "If you were given a voucher or instructions to pay, please follow them in time. Otherwise there is nothing for you to do.",
                        _ => "There is nothing for you to do.",
                    }
                    .to_owned(),
                    "It is complete once the payment has arrived, and we will write to you then.".to_owned(),
                ],
            ),
            Mail::Voucher => (
                format!("Please pay for your purchase from {shop}"),
                "One step is left: paying",
                vec![
                    "Thank you for your purchase. It is not paid yet.".to_owned(),
                    match content.voucher_url() {
                        Some(_) => "Your payment voucher says where to pay, and until when.",
                        None => "Please pay with the voucher or the instructions that you were given at checkout. They say until when.",
                    }
                    .to_owned(),
                    "We will write to you once the payment has arrived. Have you paid already? Then there is nothing more to do.".to_owned(),
                ],
            ),
            Mail::Failed => (
                format!("Your payment to {shop} did not arrive"),
                "Your payment did not arrive",
                vec![
                    "The payment for this purchase did not come through, so nothing was charged and nothing will be sent.".to_owned(),
                    "If you would still like these things, you are welcome to buy them again.".to_owned(),
                ],
            ),
            Mail::Refund(_) => (
                format!("Your refund from {shop}"),
                "Your refund is on its way",
                vec![
                    format!("We are sending {} back to you, the way you paid.", refund()?),
                    "Until it shows on your statement it usually takes five to ten days.".to_owned(),
                ],
            ),
            Mail::RefundFailed(_) => (
                format!("Your refund from {shop} did not go through"),
                "Your refund did not go through",
                vec![
                    format!("The refund of {} for this purchase did not reach you.", refund()?),
                    "The money is still yours. Please answer this mail, so that we find another way to send it.".to_owned(),
                ],
            ),
            Mail::InquiryOpened(_) | Mail::DisputeOpened(_) | Mail::DisputeClosed(..) => {
                return Err(missing("seller"));
            }
        };
        let (label, url) = match (mail, content.voucher_url()) {
            (Mail::Failed, _) => ("Back to the shop", site_url),
            (Mail::Voucher, Some(voucher)) => ("Open the voucher", voucher),
            _ => ("See your purchase", purchase_url),
        };
        let url = url.to_owned();
        let link = Link { label, url };
        Ok(Self {
            subject,
            heading: heading.to_owned(),
            sentences,
            link,
        })
    }

    fn to_seller(
        mail: &Mail,
        content: &Content,
        shop: &Shop,
        amounts: &Amounts,
    ) -> Result<Self, askama::Error> {
        let (Mail::InquiryOpened(id) | Mail::DisputeOpened(id) | Mail::DisputeClosed(id, _)) = mail
        else {
            return Err(missing("buyer"));
        };
        let DisputeContent { status, terms, .. } =
            content.dispute.as_ref().ok_or_else(|| missing("dispute"))?;
        // Its end may be known before its beginning; then nobody has to answer any more.
        let is_over = matches!(
            status,
            DisputeStatus::WarningClosed
                | DisputeStatus::Prevented
                | DisputeStatus::Won
                | DisputeStatus::Lost
        );
        let amount = amounts.write(terms.amount);
        let reason = one_line(&terms.reason).replace('_', " ");
        let due = terms.due_by.map(date);
        let by = due.map(|due| format!(" by {due}")).unwrap_or_default();
        let (subject, heading, sentences) = match mail {
            Mail::InquiryOpened(_) | Mail::DisputeOpened(_) if is_over => (
                format!("Dispute over {amount}"),
                "A buyer disputed this purchase",
                vec![
                    format!("The buyer's bank disputed {amount}. Its reason: {reason}."),
                    "It is over by now, and there is nothing to answer. What it came to is in a mail of its own.".to_owned(),
                ],
            ),
            Mail::InquiryOpened(_) => (
                format!("A bank asks about a payment of {amount}: answer{by}"),
                "A bank asks about this purchase",
                vec![
                    format!(
                        "The buyer's bank has opened an inquiry over {amount}. Its reason: {reason}."
                    ),
                    "No money was taken yet, but may be if nobody answers.".to_owned(),
                    format!("Answer it in Stripe's Dashboard{by}, or refund the buyer."),
                ],
            ),
            Mail::DisputeClosed(_, DisputeStatus::Won) => (
                format!("Dispute over {amount} won"),
                "The dispute was decided for you",
                vec![format!(
                    "The {amount} in dispute are yours again. There is nothing more to do."
                )],
            ),
            Mail::DisputeClosed(_, DisputeStatus::Lost) => (
                format!("Dispute over {amount} lost"),
                "The dispute was decided for the buyer",
                vec![format!(
                    "The {amount} in dispute stay with the buyer. The bank's reason was: {reason}."
                )],
            ),
            Mail::DisputeClosed(..) => (
                format!("Inquiry over {amount} closed"),
                "The inquiry came to nothing",
                vec!["The buyer's bank asks no more, and no money was taken.".to_owned()],
            ),
            _ => (
                format!("Dispute over {amount}: evidence is due{by}"),
                "A buyer disputes this purchase",
                vec![
                    format!(
                        "The buyer's bank has taken {amount} back until it is decided who is right. Its reason: {reason}."
                    ),
                    format!(
                        "Submit your evidence in Stripe's Dashboard{by}. Without it the money is lost."
                    ),
                ],
            ),
        };
        let part = match shop.mode {
            Mode::Live => "",
            Mode::Test => "test/",
        };
        Ok(Self {
            subject,
            heading: heading.to_owned(),
            sentences,
            link: Link {
                label: "Open it in Stripe",
                url: format!("{}/{part}disputes/{id}", shop.stripe_dashboard),
            },
        })
    }
}

/// A row that lacks what its letter is about; nothing this code writes.
fn missing(what: &str) -> askama::Error {
    askama::Error::custom(format!("the row names no {what}"))
}

/// Such as 3 December 2026, 23:59 UTC.
fn date(unix_seconds: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(unix_seconds) {
        Ok(at) => format!(
            "{} {} {}, {:02}:{:02} UTC",
            at.day(),
            at.month(),
            at.year(),
            at.hour(),
            at.minute()
        ),
        Err(_) => format!("second {unix_seconds}"),
    }
}

impl Item {
    fn new(line: &Line, total: Money, amounts: &Amounts) -> Result<Self, askama::Error> {
        let price = Money::new(line.unit_amount, total.currency);
        let amount = price
            .checked_mul(line.quantity)
            .map_err(askama::Error::custom)?;
        Ok(Self {
            name: one_line(&line.name),
            quantity: format!("{} × {}", line.quantity, amounts.write(price)),
            amount: amounts.write(amount),
        })
    }
}

/// The total, and below it what the letter is about: on a receipt what was paid if that is another
/// amount, of a refund how much, of a dispute what it moved.
fn sums(mail: &Mail, content: &Content, amounts: &Amounts) -> Vec<Sum> {
    let Content { order, paid, .. } = content;
    let total = order.total;
    let sum = |label, money| Sum {
        label,
        amount: amounts.write(money),
    };
    let mut sums = vec![sum("Total", total)];
    if *mail == Mail::Paid && *paid != total {
        if paid.currency == total.currency
            && let Some(discount @ ..0) = paid.amount.checked_sub(total.amount)
        {
            sums.push(sum("Discount", Money::new(discount, total.currency)));
        }
        sums.push(sum("Paid", *paid));
    }
    sums.extend(content.refund.map(|refund| sum("Refund", refund)));
    if let Some(dispute) = &content.dispute {
        sums.push(sum("In dispute", dispute.terms.amount));
        for Movement { amount, fee } in &dispute.movements {
            let taken = amount.amount < 0;
            sums.push(sum(if taken { "Taken" } else { "Given back" }, *amount));
            if *fee != 0 {
                let fee = Money::new(fee.saturating_neg(), amount.currency);
                sums.push(sum("Fee", fee));
            }
        }
    }
    sums
}

/// A name on one line: no control character of it reaches a header, none breaks the plain text.
pub(super) fn one_line(name: &str) -> String {
    name.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::purchase::Buyer;

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
    fn content() -> Content {
        Content {
            purchase_id: ID.parse().unwrap(),
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

    fn shop() -> Shop {
        Shop {
            name: "Mugs & Co".into(),
            site_url: "https://mugs.example/".into(),
            mode: Mode::Test,
            stripe_dashboard: "https://dashboard.stripe.com".into(),
        }
    }

    fn letter(mail: &Mail, content: &Content) -> Letter {
        compose(mail, content, &shop()).unwrap()
    }

    /// The columns line up whichever space the amounts keep together.
    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn a_receipt_lists_what_was_bought_and_for_how_much() {
        let receipt = letter(&Mail::Paid, &content());
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
        let content = Content {
            paid: usd(3000),
            ..content()
        };
        let receipt = letter(&Mail::Paid, &content);
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
        let content = Content {
            paid: usd(0),
            ..content()
        };
        let receipt = letter(&Mail::Paid, &content);
        assert!(receipt.text.contains("There was nothing to pay."));
        assert!(!receipt.text.contains("payment has arrived"));
    }

    #[test]
    fn a_receipt_calls_more_money_or_another_currency_no_discount() {
        let euro = Money::new(3000, "eur".parse().unwrap());
        for paid in [usd(6700), euro] {
            let receipt = letter(&Mail::Paid, &Content { paid, ..content() });
            assert!(receipt.text.contains("\nPaid "), "{paid}");
            assert!(!receipt.text.contains("Discount"), "{paid}");
        }
    }

    #[test]
    fn a_delayed_payment_leaves_nothing_to_do_and_claims_no_money() {
        let content = Content {
            paid: usd(0),
            ..content()
        };
        let pending = letter(&Mail::Pending, &content);
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
    fn a_payment_of_which_nothing_is_known_claims_neither() {
        let content = Content {
            waits_for: Some(WaitsFor::Unknown),
            ..content()
        };
        let pending = letter(&Mail::Pending, &content).text;
        assert!(pending.contains("If you were given a voucher"), "{pending}");
    }

    #[test]
    fn a_voucher_says_that_the_buyer_has_to_pay_and_leads_to_it() {
        let url = "https://payments.stripe.com/oxxo/voucher/test_1";
        let content = Content {
            paid: usd(0),
            waits_for: Some(WaitsFor::Buyer {
                voucher_url: Some(url.to_owned()),
            }),
            ..content()
        };
        let voucher = letter(&Mail::Voucher, &content);
        assert_eq!(
            voucher.subject,
            "Please pay for your purchase from Mugs & Co (purchase e2a3f5b7)"
        );
        for part in [&voucher.text, &voucher.html] {
            assert!(part.contains("It is not paid yet."));
            assert!(part.contains(url));
            assert!(!part.contains("nothing for you to do") && !part.contains("on its way"));
        }
        let without = Content {
            waits_for: Some(WaitsFor::Buyer { voucher_url: None }),
            ..content
        };
        let voucher = letter(&Mail::Voucher, &without);
        assert!(voucher.text.contains("the voucher or the instructions"));
        assert!(voucher.html.contains(">See your purchase<"));
    }

    #[test]
    fn a_failed_payment_says_that_nothing_was_charged_and_leads_back_to_the_shop() {
        let content = Content {
            paid: usd(0),
            ..content()
        };
        let failed = letter(&Mail::Failed, &content);
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
        let mut content = content();
        content.order.lines.clear();
        content.order.rebuilt = true;
        let receipt = letter(&Mail::Paid, &content);
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
        let mut content = content();
        content.order.lines = vec![line("Tasse", 100, 1500)];
        content.order.total = usd(150_000);
        content.paid = usd(150_000);
        content.order.buyer.language = Some("de-DE".into());
        let receipt = letter(&Mail::Paid, &content);
        for part in ["100 × 15,00\u{a0}USD", "1.500,00\u{a0}USD"] {
            assert!(receipt.text.contains(part), "{part}");
            assert!(receipt.html.contains(part), "{part}");
        }
    }

    #[test]
    fn no_name_adds_a_header_or_a_line() {
        let shop = Shop {
            name: "Mugs\r\nBcc: eve@example.com\u{85}\u{2028}\0\t& Co".into(),
            ..shop()
        };
        let mut content = content();
        content.order.lines = vec![line("Mug\r\nTotal  0.00 USD\u{7f}", 1, 3350)];
        for mail in &[Mail::Paid, Mail::Pending, Mail::Voucher, Mail::Failed] {
            let letter = compose(mail, &content, &shop).unwrap();
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
    fn a_name_is_no_markup() {
        let shop = Shop {
            name: "<b>Mugs</b>".into(),
            site_url: "https://mugs.example/\"><script>".into(),
            ..shop()
        };
        let mut content = content();
        content.order.lines = vec![line("<img src=x onerror='pay()'>", 1, 3350)];
        let letter = compose(&Mail::Paid, &content, &shop).unwrap();
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
    fn a_letter_names_no_address() {
        for mail in &[Mail::Paid, Mail::Pending, Mail::Voucher, Mail::Failed] {
            let letter = format!("{:?}", letter(mail, &content()));
            assert!(!letter.contains("ana@"));
        }
    }

    #[test]
    fn an_amount_too_large_to_count_is_refused() {
        let mut content = content();
        content.order.lines = vec![line("Planet", 2, i64::MAX)];
        assert!(compose(&Mail::Paid, &content, &shop()).is_err());
    }

    #[test]
    fn content_survives_its_outbox_row() {
        let row = serde_json::to_string(&content()).unwrap();
        assert_eq!(serde_json::from_str::<Content>(&row).unwrap(), content());
    }
}
