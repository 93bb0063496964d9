//! The items in deployed tables, in `layout/`, as an earlier build wrote them. What is written now
//! must look the same, and what is there must still be readable.

use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use serde_json::{Map, Value, json};

use super::{
    Item, Tables,
    claims::{Claim, Claims, Source},
    customers::{BuyersCustomers, StoredCustomer},
    from_item,
    holds::{BuyersHolds, StoredHolds},
    later::Written,
    looks::Looks,
    outbox::{Outbox, Row},
    pointers::Pointers,
    publications::Publications,
    purchases::*,
    requests::{IdempotentRequest, RequestItem, Requests},
    scripted::{self, WRITTEN},
};
use crate::{
    config::Environment,
    email::Frozen,
    mode::Mode,
    money::Money,
    product::{Interval, ProductFile, Recurring, TaxBehavior},
    purchase::*,
    shipping::{Offer, OfferedRate},
    standing::Standing,
    view::{Publication, Telling},
};

mod attributes;
mod later;
mod subscriptions;

const ID: &str = "01936f3c-8a10-7c3e-9a35-0c1de2a3f5b7";
/// The time at which everything happens.
const NOW: i64 = 1_732_700_000;
/// With the version that is written.
const ANNOUNCED: Announced = Announced {
    sequence: 5,
    at: Some(NOW),
};

#[test]
fn a_purchase_is_stored_as_in_the_deployed_tables() {
    for (name, purchase) in stages() {
        let stored = Stored {
            purchase,
            version: 4,
            written: Written::default(),
        };
        let written = Purchases::of(&tables()).unwrap().put(&stored, NOW).unwrap();
        assert_eq!(put(written), golden(name), "{name}");
    }
}

#[test]
fn a_purchase_from_the_deployed_tables_is_read_and_written_back_unchanged() {
    for (name, purchase) in stages() {
        let mut item = golden(name);
        let read = parse(attributes(&item), ID.parse().unwrap()).unwrap();
        assert_eq!(read.purchase, purchase, "{name}");
        let written = Purchases::of(&tables()).unwrap().put(&read, NOW).unwrap();
        item["version"] = json!({ "N": "6" });
        assert_eq!(put(written), item, "{name}");
    }
}

#[test]
fn what_was_true_of_a_purchase_before_there_was_anybody_to_tell_is_never_announced() {
    for (name, purchase) in stages() {
        let mut item = golden(name);
        item.as_object_mut().unwrap().remove("announced");
        let mut read = parse(attributes(&item), ID.parse().unwrap()).unwrap();
        let before = Announced {
            sequence: 5,
            at: None,
        };
        let told = purchase.announced().keys();
        let told = told.map(|news| (news.clone(), before)).collect();
        assert_eq!(*read.purchase.announced(), told, "{name}");
        assert!(read.purchase.announce(ANNOUNCED).is_empty(), "{name}");
    }
}

#[test]
fn an_event_is_ordered_as_in_the_deployed_tables() {
    let publications = Publications::of(&tables()).unwrap();
    let stages: HashMap<_, _> = stages().into_iter().collect();
    let news = News::Refunded("re_1".to_owned().into());
    for (name, purchase, news) in [
        ("event_refunded", &stages["returned"], news),
        ("event_held", &stages["rebuilt"], News::Paid),
    ] {
        let telling = Telling {
            mode: Mode::Live,
            replay: false,
        };
        let told = Publication::of_purchase(purchase, &news, telling).unwrap();
        let held = purchase.is_only_rebuilt();
        let (row, _) = publications.put(told, held, NOW).unwrap();
        assert_eq!(put(row), golden(name), "{name}");
    }
}

#[test]
fn what_points_at_a_purchase_is_stored_as_in_the_deployed_tables() {
    let (_, purchase) = stages().pop().unwrap();
    let id = purchase.id();
    let event = Source::Event {
        id: "evt_1".to_owned(),
        kind: "refund.updated".to_owned(),
    };
    let fetched = Source::Fetched {
        object: "re_1".to_owned(),
        at: NOW,
    };
    for (name, source, changed) in [("claim", event, true), ("claim_fetched", fetched, false)] {
        let claim = Claim {
            subject: &id.into(),
            source: &source,
            changed,
            status: Standing::Purchase(purchase.status()),
            is_over: purchase.is_over(),
            version: 4,
        };
        let written = Claims::of(&tables())
            .unwrap()
            .put(claim, &Written::default(), NOW)
            .unwrap();
        assert_eq!(put(written), golden(name));
    }
    let pointers = Pointers::of(&tables()).unwrap();
    let pointer = pointers.put(&"pi_1".to_owned().into(), &id.into()).unwrap();
    assert_eq!(put(pointer), golden("pointer"));
    let request = IdempotentRequest::new("buyer-1", "key", "fingerprint".to_owned());
    let requests = Requests::of(&tables()).unwrap();
    let request = requests.put(&request, id.into(), None, NOW).unwrap();
    assert_eq!(put(request), golden("request"));
}

#[tokio::test]
async fn a_look_is_stored_as_in_the_deployed_tables() {
    let (tables, database) = scripted::database(vec![WRITTEN.to_owned()]);
    let looks = Looks::of(&tables).unwrap();
    let purchase = Subject::Purchase(ID.parse().unwrap());
    assert!(looks.claim(purchase, NOW, 10).await.unwrap());
    let asked = database.join().unwrap();
    assert_eq!(asked[0]["Item"], golden("look"));
}

#[test]
fn a_key_and_a_mail_from_the_deployed_tables_are_read_as_being_about_their_purchase() {
    let purchase = Subject::Purchase(ID.parse().unwrap());
    let request: RequestItem = from_item(attributes(&golden("request")), "request").unwrap();
    assert_eq!(request.subject, purchase);
    for name in ["mail_refund", "mail_dispute", "mail_held", "mail_shipped"] {
        let row: Row = from_item(attributes(&golden(name)), name).unwrap();
        assert_eq!(row.content.about, purchase, "{name}");
    }
}

#[test]
fn a_buyers_holds_are_stored_as_in_the_deployed_tables() {
    let (_, purchase) = stages().remove(0);
    let limits = HoldLimits {
        purchases: 3,
        pieces: 5,
    };
    let mut holds = Holds::default();
    let hold = purchase.hold().unwrap();
    holds.add(purchase.id(), hold, limits, NOW).unwrap();
    let read = StoredHolds::default();
    let table = BuyersHolds::of(&tables()).unwrap();
    let written = table.put("buyer-1", &read, holds, NOW).unwrap();
    assert_eq!(put(written), golden("holds"));
}

#[test]
fn a_buyers_customer_is_stored_under_its_mode() {
    let read = StoredCustomer::default();
    for (mode, sort_key) in [(Mode::Test, "customer#test"), (Mode::Live, "customer#live")] {
        let table = BuyersCustomers::of(&tables(), mode).unwrap();
        let customer = "cus_1".to_owned().into();
        let written = table.put("buyer-1", &read, &customer).unwrap();
        let mut expected = golden("customer");
        expected["sk"] = json!({ "S": sort_key });
        assert_eq!(put(written), expected);
    }
}

#[test]
fn a_mail_is_ordered_as_in_the_deployed_tables() {
    let outbox = Outbox::of(&tables()).unwrap();
    let stages: HashMap<_, _> = stages().into_iter().collect();
    let (returned, rebuilt) = (&stages["returned"], &stages["rebuilt"]);
    let shipped = &stages["shipped"];
    for (name, purchase, mail) in [
        (
            "mail_refund",
            returned,
            Mail::Refund("re_1".to_owned().into()),
        ),
        (
            "mail_dispute",
            returned,
            Mail::DisputeOpened("dp_1".to_owned().into()),
        ),
        ("mail_held", rebuilt, Mail::Paid),
        ("mail_shipped", shipped, Mail::Paid),
    ] {
        let content = Frozen::of(purchase, &mail);
        let held = purchase.is_only_rebuilt();
        let row = outbox.put(content, &mail, (Mode::Live, held), NOW).unwrap();
        assert_eq!(put(row), golden(name), "{name}");
    }
}

/// Purchases at several stages, and the names of their items.
fn stages() -> Vec<(&'static str, Purchase)> {
    let open = |at| Purchase::new(ID.parse().unwrap(), order(), at);
    let attached = || {
        let mut purchase = open(NOW);
        let url = "https://checkout.example/cs_1";
        purchase.attach("cs_1".to_owned().into(), url).unwrap();
        purchase
    };
    let after = |mut purchase: Purchase, changes: Vec<Change>| {
        for change in changes {
            purchase.record(change).unwrap();
        }
        purchase.announce(ANNOUNCED);
        purchase
    };
    let session = |state| Change::Session("cs_1".to_owned().into(), state);
    let mut abandoned = open(NOW);
    abandoned.abandon(1).unwrap();
    let settled = || {
        session(SessionState::Settled {
            amount: usd(3350),
            payment_intent: Some("pi_1".to_owned().into()),
            subscription: None,
            invoice: None,
            sums: None,
            delivery: None,
        })
    };
    let voucher = session(SessionState::Pending {
        waits_for: WaitsFor::Buyer {
            voucher_url: Some("https://pay.example/voucher".to_owned()),
        },
    });
    let buyer = order().buyer;
    let rebuilt = || Purchase::rebuilt(ID.parse().unwrap(), buyer.clone(), usd(3350));
    let mut confirmed = after(rebuilt(), vec![settled()]);
    confirmed.confirm().unwrap();
    let subscribing = Purchase::new(ID.parse().unwrap(), subscribing(), NOW);
    let shipping = Purchase::new(ID.parse().unwrap(), shipped(), NOW);
    let shipped = after(shipping, vec![session(delivered())]);
    let (of_session, document) = written();
    let taxed = Purchase::new(ID.parse().unwrap(), taxed(), NOW);
    let taxed = after(taxed, vec![document, session(of_session)]);
    vec![
        ("open", open(NOW)),
        ("subscribing", subscribing),
        (
            "downloadable",
            Purchase::new(ID.parse().unwrap(), with_file(), NOW),
        ),
        ("attached", attached()),
        ("shipped", shipped),
        ("taxed", taxed),
        ("voucher", after(attached(), vec![voucher.clone()])),
        ("abandoned", abandoned),
        (
            "expired",
            after(attached(), vec![session(SessionState::Expired)]),
        ),
        ("rebuilt", after(rebuilt(), vec![settled()])),
        ("confirmed", confirmed),
        (
            "returned",
            after(attached(), [vec![voucher, settled()], returns()].concat()),
        ),
    ]
}

/// Money that went back, in every possible way.
fn returns() -> Vec<Change> {
    let refund = |id: &str, state, amount| {
        let amount = usd(amount);
        Change::Payment(PaymentChange::Refund(
            id.to_owned().into(),
            Refund { state, amount },
        ))
    };
    let movement = Movement {
        amount: usd(-1500),
        fee: -1500,
    };
    let dispute = DisputeReport {
        status: DisputeStatus::NeedsResponse,
        terms: DisputeTerms {
            amount: usd(1500),
            reason: "fraudulent".to_owned(),
            due_by: Some(1_733_000_000),
        },
        movements: [("txn_1".to_owned().into(), movement)].into(),
    };
    vec![
        refund("re_1", RefundState::Succeeded, 500),
        refund("re_2", RefundState::RequiresAction, 350),
        refund("re_3", RefundState::Pending, 200),
        refund("re_3", RefundState::Failed, 200),
        Change::Payment(PaymentChange::Dispute("dp_1".to_owned().into(), dispute)),
        Change::Payment(PaymentChange::ChargeRefunded(usd(900))),
    ]
}

fn order() -> Order {
    let line = |id: &str, reserved, unit_amount| Line {
        product_id: id.parse().unwrap(),
        name: id.to_uppercase(),
        description: if reserved { "One of few." } else { "" }.to_owned(),
        image: reserved.then(|| "https://mugs.example/mug.png".to_owned()),
        quantity: if reserved { 2 } else { 1 },
        unit_amount,
        recurring: None,
        shipped: false,
        file: None,
        tax_code: None,
        tax_behavior: None,
        reserved,
    };
    Order {
        buyer: Buyer {
            subject: Some("buyer-1".to_owned()),
            email: Some("ana@example.com".to_owned()),
            language: Some("de-DE".to_owned()),
        },
        lines: vec![line("mug", true, 1500), line("sticker", false, 350)],
        total: usd(3350),
        shipping: None,
        billing: Billing::default(),
        customer: None,
        rebuilt: false,
    }
}

/// The same, with a file that comes with the mug.
fn with_file() -> Order {
    let mut order = order();
    order.lines[0].file = Some(ProductFile {
        name: "Atlas.pdf".parse().unwrap(),
        size: Some(4_718_592),
    });
    order
}

/// The same, sent by post.
fn shipped() -> Order {
    let mut order = order();
    order.lines[0].shipped = true;
    order.shipping = Some(Offer {
        countries: vec!["AT".parse().unwrap(), "DE".parse().unwrap()],
        rates: vec![OfferedRate {
            name: "Express".to_owned(),
            amount: 1290,
        }],
    });
    order
}

/// What is known of it once it is paid.
fn delivered() -> SessionState {
    let part = |text: &str| Some(text.to_owned());
    let delivery = Delivery {
        name: part("Ana Byron"),
        phone: part("+49 30 1234567"),
        address: Address {
            line1: part("Weg 1"),
            line2: None,
            city: part("Berlin"),
            state: None,
            postal_code: part("10115"),
            country: part("DE"),
        },
    };
    SessionState::Settled {
        amount: usd(4640),
        payment_intent: Some("pi_1".to_owned().into()),
        subscription: None,
        invoice: None,
        sums: Some(Sums {
            subtotal: 3350,
            discount: 0,
            shipping: 1290,
            tax: 0,
        }),
        delivery: Some(Box::new(delivery)),
    }
}

/// The same, with its tax and its invoice.
fn taxed() -> Order {
    let mut order = order();
    order.lines[0].tax_code = "txcd_99999999".parse().ok();
    order.lines[0].tax_behavior = Some(TaxBehavior::Exclusive);
    order.billed(Billing {
        automatic_tax: true,
        invoice: true,
    })
}

/// What is known of it once it is paid.
fn written() -> (SessionState, Change) {
    let invoice = InvoiceId::try_from("in_1".to_owned()).unwrap();
    let document = Document {
        number: Some("A-0001".to_owned()),
        page: Some("https://invoice.example/1".to_owned()),
        pdf: Some("https://invoice.example/1/pdf".to_owned()),
    };
    let settled = SessionState::Settled {
        amount: usd(3920),
        payment_intent: Some("pi_1".to_owned().into()),
        subscription: None,
        invoice: Some(invoice.clone()),
        sums: Some(Sums {
            subtotal: 3350,
            tax: 570,
            ..Sums::default()
        }),
        delivery: None,
    };
    (settled, Change::Document(invoice, document))
}

/// The same, with a sticker that comes every month.
fn subscribing() -> Order {
    let mut order = order();
    order.lines[1].recurring = Some(Recurring {
        interval: Interval::Month,
        interval_count: 1,
        trial_days: 14,
    });
    order.customer = Some("cus_1".to_owned().into());
    order
}

fn usd(amount: i64) -> Money {
    Money::new(amount, "usd".parse().unwrap())
}

fn tables() -> Tables {
    let variables = [
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "PURCHASES_TABLE",
        "PRODUCTS_TABLE",
        "OUTBOX_TABLE",
    ];
    let variables = variables.map(|name| (name.to_owned(), name.to_lowercase()));
    Tables::of(&Environment::from(BTreeMap::from(variables))).unwrap()
}

/// The item of a put, in DynamoDB's JSON.
fn put(written: TransactWriteItem) -> Value {
    let put = written.put.unwrap();
    let attributes = put.item.iter();
    attributes
        .map(|(name, value)| (name.clone(), to_json(value)))
        .collect::<Map<_, _>>()
        .into()
}

fn golden(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/layout");
    let text = std::fs::read_to_string(folder.join(name).with_extension("json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn attributes(item: &Value) -> Item {
    let attributes = item.as_object().unwrap().iter();
    attributes
        .map(|(name, value)| (name.clone(), of_json(value)))
        .collect()
}

fn to_json(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(yes) => json!({ "BOOL": yes }),
        AttributeValue::L(list) => json!({ "L": list.iter().map(to_json).collect::<Vec<_>>() }),
        AttributeValue::M(map) => {
            let map = map
                .iter()
                .map(|(name, value)| (name.clone(), to_json(value)));
            json!({ "M": map.collect::<Map<_, _>>() })
        }
        other => panic!("{other:?} has a type that no item uses"),
    }
}

fn of_json(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
    match kind.as_str() {
        "S" => AttributeValue::S(value.as_str().unwrap().to_owned()),
        "N" => AttributeValue::N(value.as_str().unwrap().to_owned()),
        "BOOL" => AttributeValue::Bool(value.as_bool().unwrap()),
        "L" => AttributeValue::L(value.as_array().unwrap().iter().map(of_json).collect()),
        "M" => AttributeValue::M(attributes(value)),
        other => panic!("{other} is a type that no item uses"),
    }
}
