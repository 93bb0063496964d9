//! Files that are bought.

use serde_json::{Value, json};
use testing::{BOB, CARD, Checkout, MUG, NOTEBOOK, TestApp, cart, eventually, text};

use super::year::waits;

const ATLAS: &str = "the whole atlas";

/// Ada has bought the notebook, which comes with this file.
async fn bought(shop: &TestApp, name: &str) -> Checkout {
    shop.sell_file(NOTEBOOK, name, ATLAS).await;
    let checkout = shop.open_one(NOTEBOOK).await;
    assert!(shop.downloads(&checkout.purchase).await.is_empty());
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    checkout
}

async fn link(shop: &TestApp, checkout: &Checkout) -> Option<String> {
    let downloads = shop.downloads(&checkout.purchase).await;
    Some(text(downloads.first()?, "url"))
}

/// What S3 says in its XML.
fn code(answer: &str) -> &str {
    let code = answer
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"));
    code.map_or(answer, |(code, _)| code)
}

#[tokio::test]
async fn who_has_paid_downloads_the_file_under_its_name_whatever_that_is() {
    let shop = TestApp::start().await;
    let name = "Grüße & \"Atlas\" 100%+; x=1.pdf";
    let checkout = bought(&shop, name).await;
    let downloads = shop.downloads(&checkout.purchase).await;
    let [download] = downloads.as_slice() else {
        panic!("{downloads:?}");
    };
    assert_eq!(download["product_id"], NOTEBOOK);
    assert_eq!(download["name"], name);
    assert_eq!(download["size"], ATLAS.len());
    let answer = shop.follow("GET", &text(download, "url"), None).await;
    assert_eq!(answer.status(), 200);
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/pdf");
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"Gr__e _ _Atlas_ 100___ x_1.pdf\"; \
         filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%26%20%22Atlas%22%20100%25%2B%3B%20x%3D1.pdf"
    );
    assert_eq!(answer.text().await.unwrap(), ATLAS);

    let history = shop.purchases_of(shop.ada().await, "").await.expect(200);
    assert!(!history.text.contains("downloads"), "{}", history.text);
    let bob = shop.token(BOB).await;
    let of_ada = format!("/{}", checkout.purchase);
    shop.purchases_of(&bob, &of_ada).await.expect(404);
    let strangers = shop.products(&format!("/{NOTEBOOK}")).await.expect(200);
    let told = json!({ "type": "application/pdf", "size": ATLAS.len() });
    assert_eq!(strangers.json()["download"], told);
    let all = shop.products("").await.expect(200);
    for answer in [&strangers, &all] {
        assert!(!answer.text.contains("Gr\u{fc}"), "{}", answer.text);
        assert!(!answer.text.contains("Bucket"), "{}", answer.text);
    }
}

#[tokio::test]
async fn refunding_everything_ends_the_links_and_refunding_a_part_does_not() {
    let shop = TestApp::start().await;
    let checkout = bought(&shop, "Atlas.pdf").await;
    shop.refund(&checkout, Some(100)).await;
    shop.until_status(&checkout.purchase, "partially_refunded")
        .await;
    assert!(link(&shop, &checkout).await.is_some());
    shop.refund(&checkout, None).await;
    shop.until_status(&checkout.purchase, "refunded").await;
    assert_eq!(link(&shop, &checkout).await, None);
}

#[tokio::test]
async fn a_dispute_ends_the_links_and_winning_it_brings_them_back() {
    let shop = TestApp::start().await;
    let checkout = bought(&shop, "Atlas.pdf").await;
    let dispute = shop.dispute(&checkout, &[("reason", "fraudulent")]).await;
    shop.until_status(&checkout.purchase, "disputed").await;
    assert_eq!(link(&shop, &checkout).await, None);
    shop.dispute_goes(&dispute, "won").await;
    shop.until_status(&checkout.purchase, "paid").await;
    assert!(link(&shop, &checkout).await.is_some());
}

#[tokio::test]
async fn an_inquiry_of_the_bank_ends_no_links() {
    let shop = TestApp::start().await;
    let checkout = bought(&shop, "Atlas.pdf").await;
    shop.dispute(&checkout, &[("kind", "inquiry")]).await;
    eventually(async || {
        shop.purchase(&checkout.purchase)
            .await
            .get("disputes")
            .map(drop)
    })
    .await;
    assert!(link(&shop, &checkout).await.is_some());
}

#[tokio::test]
async fn a_link_ends_after_minutes_and_the_next_look_brings_another() {
    let shop = TestApp::start().await;
    let checkout = bought(&shop, "Atlas.pdf").await;
    let first = link(&shop, &checkout).await.unwrap();
    waits(&shop, "9m").await;
    assert_eq!(shop.follow("GET", &first, None).await.status(), 200);
    waits(&shop, "2m").await;
    let late = shop.follow("GET", &first, None).await;
    assert_eq!(late.status(), 403);
    let said = late.text().await.unwrap();
    assert_eq!(code(&said), "AccessDenied");
    assert!(said.contains("Request has expired"), "{said}");
    let another = link(&shop, &checkout).await.unwrap();
    assert_eq!(shop.follow("GET", &another, None).await.status(), 200);
}

#[tokio::test]
async fn a_download_that_broke_off_goes_on_where_it_was() {
    let shop = TestApp::start().await;
    let checkout = bought(&shop, "Atlas.pdf").await;
    let link = link(&shop, &checkout).await.unwrap();
    let rest = shop.follow("GET", &link, Some("bytes=10-")).await;
    assert_eq!(rest.status(), 206);
    assert_eq!(rest.headers()["content-range"], "bytes 10-14/15");
    assert_eq!(rest.text().await.unwrap(), "atlas");
    let beyond = shop.follow("GET", &link, Some("bytes=15-")).await;
    assert_eq!(beyond.status(), 416);
    assert_eq!(code(&beyond.text().await.unwrap()), "InvalidRange");
}

#[tokio::test]
async fn a_link_leads_to_nothing_else_and_is_for_reading_only() {
    let shop = TestApp::start().await;
    shop.put_file(MUG, "Atlas.pdf", "another's").await;
    let checkout = bought(&shop, "Atlas.pdf").await;
    let link = link(&shop, &checkout).await.unwrap();
    let (object, query) = link.split_once('?').unwrap();
    let other = link.replace(NOTEBOOK, MUG);
    let longer = link.replace("X-Amz-Expires=600", "X-Amz-Expires=6000");
    let shown = link.replace("attachment", "inline");
    for changed in [&other, &longer, &shown] {
        assert_ne!(changed, &link);
        let refused = shop.follow("GET", changed, None).await;
        assert_eq!(refused.status(), 403, "{changed}");
        assert_eq!(
            code(&refused.text().await.unwrap()),
            "SignatureDoesNotMatch"
        );
    }
    let put = shop.follow("PUT", &link, None).await;
    assert_eq!(put.status(), 403);
    let unsigned = shop.follow("GET", object, None).await;
    assert_eq!(code(&unsigned.text().await.unwrap()), "AccessDenied");
    assert!(query.contains("X-Amz-SignedHeaders=host"), "{query}");
}

#[tokio::test]
async fn what_earlier_buyers_download_is_what_has_the_name_now() {
    let shop = TestApp::start().await;
    let checkout = bought(&shop, "Atlas.pdf").await;
    shop.sell_file(NOTEBOOK, "Atlas.pdf", "the second edition")
        .await;
    let again = link(&shop, &checkout).await.unwrap();
    let answer = shop.follow("GET", &again, None).await;
    assert_eq!(answer.text().await.unwrap(), "the second edition");
    // Under another name it is another file.
    shop.sell_file(NOTEBOOK, "Atlas 3.pdf", "the third edition")
        .await;
    let kept = link(&shop, &checkout).await.unwrap();
    let answer = shop.follow("GET", &kept, None).await;
    assert_eq!(answer.text().await.unwrap(), "the second edition");
}

#[tokio::test]
async fn a_file_that_was_never_uploaded_is_answered_as_s3_does() {
    let shop = TestApp::start().await;
    shop.name_file(NOTEBOOK, "Atlas.pdf", 9).await;
    let checkout = shop.open_one(NOTEBOOK).await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let link = link(&shop, &checkout).await.unwrap();
    let missing = shop.follow("GET", &link, None).await;
    assert_eq!(missing.status(), 404);
    assert_eq!(code(&missing.text().await.unwrap()), "NoSuchKey");
}

#[tokio::test]
async fn nothing_of_a_file_reaches_other_systems_and_its_links_reach_no_mail() {
    let shop = TestApp::start().await;
    bought(&shop, "Atlas.pdf").await;
    let mail = shop.mails(1).await.remove(0).to_string();
    assert!(mail.contains("purchase.html?id="), "{mail}");
    assert!(!mail.contains("X-Amz"), "{mail}");
    let told = shop.get("/_local/bus.json").await.text;
    assert!(!told.contains("Atlas"), "{told}");
}

#[tokio::test]
async fn a_shop_that_is_opened_again_still_has_its_files() {
    let shop = TestApp::on_disk().await;
    let checkout = bought(&shop, "Atlas.pdf").await;
    let shop = shop.restart().await;
    let link = link(&shop, &checkout).await.unwrap();
    assert_eq!(
        shop.follow("GET", &link, None).await.text().await.unwrap(),
        ATLAS
    );
}

#[tokio::test]
async fn a_cart_with_goods_and_files_has_links_to_the_files_alone() {
    let shop = TestApp::start().await;
    shop.sell_mug_for("atlas", 900).await;
    shop.sell_file("atlas", "Atlas.pdf", ATLAS).await;
    let checkout = Checkout::of(&shop.checkout(&cart(&[(MUG, 2), ("atlas", 1)])).await);
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let downloads = shop.downloads(&checkout.purchase).await;
    let products: Vec<_> = downloads.iter().map(|it| &it["product_id"]).collect();
    assert_eq!(products, [&Value::from("atlas")]);
}
