//! What the letters say.

use askama::Template;
use serde::{Deserialize, Serialize};

use super::amounts::Amounts;
use crate::{
    money::Money,
    purchase::{Line, Mail, Order, PurchaseId},
};

/// What letters say of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shop {
    /// Its name, as buyers know it.
    pub name: String,
    /// Where its site begins: `https://shop.example`.
    pub site_url: String,
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
pub fn compose(mail: Mail, content: &Content, shop: &Shop) -> Result<Letter, askama::Error> {
    let page = Page::new(mail, content, shop)?;
    Ok(Letter {
        html: Html { page: &page }.render()?,
        text: Text { page: &page }.render()?,
        subject: page.prose.subject,
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
    shop: String,
    site_url: String,
    prose: Prose,
    items: Vec<Item>,
    /// The last one counts.
    sums: Vec<Sum>,
    order_number: String,
    order_url: String,
}

struct Prose {
    subject: String,
    heading: &'static str,
    sentences: Vec<&'static str>,
    /// Failed payments lead back to the shop, all others to the order.
    to_shop: bool,
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
    fn new(mail: Mail, content: &Content, shop: &Shop) -> Result<Self, askama::Error> {
        let Content {
            purchase_id,
            order,
            paid,
        } = content;
        let amounts = Amounts::in_language(order.buyer.language.as_deref())?;
        let items = order
            .lines
            .iter()
            .map(|line| Item::new(line, order.total, &amounts))
            .collect::<Result<_, _>>()?;
        let site_url = shop.site_url.trim_end_matches('/');
        let shop = one_line(&shop.name);
        Ok(Self {
            prose: Prose::new(mail, *paid, &shop),
            shop,
            site_url: site_url.to_owned(),
            items,
            sums: sums(mail, order.total, *paid, &amounts),
            order_number: purchase_id.to_string(),
            order_url: format!("{site_url}/purchase.html?id={purchase_id}"),
        })
    }
}

impl Prose {
    fn new(mail: Mail, paid: Money, shop: &str) -> Self {
        match mail {
            Mail::Paid => Self {
                subject: format!("Your receipt from {shop}"),
                heading: "Thank you for your order",
                sentences: vec![if paid.amount == 0 {
                    "There was nothing to pay. This is your receipt."
                } else {
                    "Your payment has arrived. This is your receipt."
                }],
                to_shop: false,
            },
            Mail::Pending => Self {
                subject: format!("Your payment to {shop} is on its way"),
                heading: "Your payment is on its way",
                sentences: vec![
                    "Thank you for your order.",
                    "Your way of paying takes a little time, often a few days.",
                    "There is nothing for you to do: your order follows once the payment has arrived, and we will write to you then.",
                ],
                to_shop: false,
            },
            Mail::Failed => Self {
                subject: format!("Your payment to {shop} did not arrive"),
                heading: "Your payment did not arrive",
                sentences: vec![
                    "The payment for this order did not come through, so nothing was charged and nothing will be sent.",
                    "If you would still like these things, you are welcome to order them again.",
                ],
                to_shop: true,
            },
        }
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

/// The total, and on a receipt what was paid if that is another amount.
fn sums(mail: Mail, total: Money, paid: Money, amounts: &Amounts) -> Vec<Sum> {
    let sum = |label, money| Sum {
        label,
        amount: amounts.write(money),
    };
    let mut sums = vec![sum("Total", total)];
    if mail == Mail::Paid && paid != total {
        if paid.currency == total.currency
            && let Some(discount @ ..0) = paid.amount.checked_sub(total.amount)
        {
            sums.push(sum("Discount", Money::new(discount, total.currency)));
        }
        sums.push(sum("Paid", paid));
    }
    sums
}

/// A name on one line: no control character of it reaches a header, none breaks the plain text.
fn one_line(name: &str) -> String {
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
        }
    }

    fn shop() -> Shop {
        Shop {
            name: "Mugs & Co".into(),
            site_url: "https://mugs.example/".into(),
        }
    }

    fn letter(mail: Mail, content: &Content) -> Letter {
        compose(mail, content, &shop()).unwrap()
    }

    /// The columns line up whichever space the amounts keep together.
    fn plain(text: &str) -> String {
        text.replace('\u{a0}', " ")
    }

    #[test]
    fn a_receipt_lists_what_was_bought_and_for_how_much() {
        let receipt = letter(Mail::Paid, &content());
        assert_eq!(receipt.subject, "Your receipt from Mugs & Co");
        assert_eq!(
            plain(&receipt.text),
            "\
Thank you for your order

Your payment has arrived. This is your receipt.

Sample mug
  2 × 15.00 USD                      30.00 USD
Sticker
  1 × 3.50 USD                        3.50 USD
----------------------------------------------
Total                                33.50 USD

Order 01936f3c-8a10-7c3e-9a35-0c1de2a3f5b7
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
            ">See your order<",
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
        let receipt = letter(Mail::Paid, &content);
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
        let receipt = letter(Mail::Paid, &content);
        assert!(receipt.text.contains("There was nothing to pay."));
        assert!(!receipt.text.contains("payment has arrived"));
    }

    #[test]
    fn a_receipt_calls_more_money_or_another_currency_no_discount() {
        let euro = Money::new(3000, "eur".parse().unwrap());
        for paid in [usd(6700), euro] {
            let receipt = letter(Mail::Paid, &Content { paid, ..content() });
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
        let pending = letter(Mail::Pending, &content);
        assert_eq!(pending.subject, "Your payment to Mugs & Co is on its way");
        for part in ["There is nothing for you to do", ID, "Total"] {
            assert!(pending.text.contains(part), "{part}");
            assert!(pending.html.contains(part), "{part}");
        }
        assert!(!pending.text.contains("receipt"));
        assert!(!pending.text.contains("\nPaid"));
    }

    #[test]
    fn a_failed_payment_says_that_nothing_was_charged_and_leads_back_to_the_shop() {
        let content = Content {
            paid: usd(0),
            ..content()
        };
        let failed = letter(Mail::Failed, &content);
        assert_eq!(failed.subject, "Your payment to Mugs & Co did not arrive");
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
        let receipt = letter(Mail::Paid, &content);
        assert!(
            plain(&receipt.text)
                .contains("receipt.\n\nTotal                                33.50 USD\n\nOrder ")
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
        let receipt = letter(Mail::Paid, &content);
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
        for mail in [Mail::Paid, Mail::Pending, Mail::Failed] {
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
        };
        let mut content = content();
        content.order.lines = vec![line("<img src=x onerror='pay()'>", 1, 3350)];
        let letter = compose(Mail::Paid, &content, &shop).unwrap();
        for markup in ["<b>", "<script", "<img", "'pay()'"] {
            assert!(!letter.html.contains(markup), "{markup}");
        }
        // Plain text has no markup to escape from.
        assert!(letter.text.contains("<img src=x onerror='pay()'>"));
        assert_eq!(letter.subject, "Your receipt from <b>Mugs</b>");
    }

    #[test]
    fn a_letter_names_no_address() {
        for mail in [Mail::Paid, Mail::Pending, Mail::Failed] {
            let letter = format!("{:?}", letter(mail, &content()));
            assert!(!letter.contains("ana@"));
        }
    }

    #[test]
    fn an_amount_too_large_to_count_is_refused() {
        let mut content = content();
        content.order.lines = vec![line("Planet", 2, i64::MAX)];
        assert!(compose(Mail::Paid, &content, &shop()).is_err());
    }

    #[test]
    fn content_survives_its_outbox_row() {
        let row = serde_json::to_string(&content()).unwrap();
        assert_eq!(serde_json::from_str::<Content>(&row).unwrap(), content());
    }
}
