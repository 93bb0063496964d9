//! What each letter says, and what no letter may say.

use super::*;
use crate::{
    email::content::PaidSums,
    money::Money,
    product::ProductFile,
    purchase::{Billing, Buyer, Delivery, Line, Order, Sums, WaitsFor},
};

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
        recurring: None,
        shipped: false,
        file: None,
        tax_code: None,
        tax_behavior: None,
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
            shipping: None,
            billing: Billing::default(),
            customer: None,
            rebuilt: false,
        },
        paid: usd(3350),
        sums: None,
        delivery: None,
        document: None,
        waits_for: None,
        refund: None,
        refund_tax: None,
        dispute: None,
        parcel: None,
        invoice: None,
        subscription: None,
        sale: None,
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

/// With plain spaces, so that the columns can be compared.
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
fn a_receipt_says_where_a_file_is_and_neither_its_name_nor_a_link_to_it() {
    assert!(!letter(&Mail::Paid, &frozen()).text.contains("download"));
    let mut bought = frozen();
    bought.order.lines[0].file = Some(ProductFile {
        name: "Atlas.pdf".parse().unwrap(),
        size: None,
    });
    for mail in [Mail::Paid, Mail::Welcome] {
        let letter = letter(&mail, &bought);
        let said = "You can download what you bought on the page of your purchase.";
        assert!(letter.text.contains(said), "{}", letter.text);
        assert!(!letter.text.contains("Atlas.pdf"));
    }
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
fn what_is_shipped_is_confirmed_with_its_address_and_what_shipping_cost() {
    let name = Some("Ada Byron".to_owned());
    let delivery = Delivery {
        name,
        ..Delivery::default()
    };
    let sums = Sums {
        subtotal: 3350,
        discount: 350,
        shipping: 490,
        tax: 0,
    };
    let total = usd(3490);
    let shipped = Frozen {
        paid: total,
        sums: Some(PaidSums { sums, total }),
        delivery: Some(delivery),
        ..frozen()
    };
    let receipt = letter(&Mail::Paid, &shipped);
    let sums = "\
Subtotal                             33.50 USD
Discount                             -3.50 USD
Shipping                              4.90 USD
Total                                34.90 USD

Delivery
Ada Byron

Purchase e2a3f5b7
";
    let text = plain(&receipt.text);
    assert!(text.contains(sums), "{text}");
    assert!(receipt.html.contains("<br>Ada Byron"), "{}", receipt.html);
    assert!(!text.contains("Paid"), "said twice");
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
        plain(&receipt.text)
            .contains("receipt.\n\nTotal                                33.50 USD\n\nPurchase ")
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
        ("shipped#-", "parcel"),
        ("refund#re_1", "refund"),
        ("refund_failed#re_1", "refund"),
        ("inquiry_opened#dp_1", "dispute"),
        ("dispute_opened#dp_1", "dispute"),
        ("dispute_closed#dp_1#lost", "dispute"),
        ("payment_failed#1", "invoice"),
        ("action_required#1", "invoice"),
        ("trial_ending#1", "subscription"),
        ("plan_changed#1", "subscription"),
        ("cancelled#1", "subscription"),
        ("ended#1", "subscription"),
        ("lost#1", "subscription"),
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
