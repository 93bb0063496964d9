//! `till products file` and `till products images`.

use serde_json::json;
use testing::{CARD, MUG, NOTEBOOK, text};

use crate::aws::Account;
use crate::deployed::{self, outputs, parameters};
use crate::doctor::found;
use crate::operator::Operator;

const PNG: &str = "\u{0}picture";

/// A file with the first bytes of a PNG, whatever else is in it.
fn picture(operator: &Operator, name: &str) -> String {
    let file = operator.write(name, "");
    std::fs::write(&file, [b"\x89PNG\r\n\x1a\n", PNG.as_bytes()].concat()).unwrap();
    file
}

async fn push(operator: &Operator, file: &str, more: &[&str]) -> crate::operator::Said {
    let push = ["products", "file", "push", file, "--product", MUG];
    operator.till(&[&push[..], more].concat()).await
}

#[tokio::test]
async fn a_file_that_is_pushed_is_what_buyers_download() {
    let operator = Operator::new().await;
    let file = operator.write("Atlas.pdf", "the whole atlas");
    let said = push(&operator, &file, &[]).await.expect(0);
    assert!(
        said.out.contains("file none → Atlas.pdf (15 bytes)"),
        "{}",
        said.out
    );
    let shop = &operator.shop;
    let checkout = shop.open().await;
    shop.pay(&checkout, CARD).await.expect(303);
    shop.until_status(&checkout.purchase, "paid").await;
    let links = shop.downloads(&checkout.purchase).await;
    let answer = shop.follow("GET", &text(&links[0], "url"), None).await;
    assert_eq!(answer.text().await.unwrap(), "the whole atlas");

    // The same name again is for earlier buyers, too, so that is asked.
    let file = operator.write("Atlas.pdf", "the second edition");
    let refused = push(&operator, &file, &[]).await.expect(1);
    refused.complains("Replace it, for earlier buyers too?");
    push(&operator, &file, &["--yes"]).await.expect(0);
    let links = shop.downloads(&checkout.purchase).await;
    let answer = shop.follow("GET", &text(&links[0], "url"), None).await;
    assert_eq!(answer.text().await.unwrap(), "the second edition");

    let remove = ["products", "file", "remove", "--product", MUG, "--json"];
    let said = operator.till(&remove).await.expect(0).json();
    assert_eq!(said["changes"][0]["to"], json!(null), "{said}");
    let mug = shop.products(&format!("/{MUG}")).await.json();
    assert!(mug.get("download").is_none(), "{mug}");
    assert_eq!(shop.downloads(&checkout.purchase).await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_sold_as_a_file_is_refused_before_anything_is_uploaded() {
    let operator = Operator::new().await;
    let file = operator.write("Atlas.pdf", "the whole atlas");
    let before = operator.shop.dump().await;
    let to = |product| ["products", "file", "push", &file, "--product", product];
    let said = operator.till(&to("nothing")).await.expect(4);
    said.complains("there is no product nothing");
    let said = operator.till(&to("sample-coffee")).await.expect(1);
    said.complains("what is paid for again and again is not a file to keep");
    let said = push(&operator, "/nowhere/Atlas.pdf", &[]).await.expect(1);
    said.complains("cannot read /nowhere/Atlas.pdf");
    push(&operator, &file, &["--name", "a/b.pdf"])
        .await
        .expect(2);
    assert_eq!(operator.shop.dump().await, before);
}

#[tokio::test]
async fn a_products_file_is_exported_and_imported_with_it() {
    let operator = Operator::new().await;
    let file = operator.write("Atlas; 1.pdf", "the whole atlas");
    push(&operator, &file, &[]).await.expect(0);
    let before = operator.shop.dump().await;
    for name in ["all.csv", "all.json"] {
        let all = operator.file(name);
        let all = all.to_str().unwrap();
        operator.till(&["products", "export", all]).await.expect(0);
        assert!(
            std::fs::read_to_string(all)
                .unwrap()
                .contains("Atlas; 1.pdf")
        );
        let again = operator.till(&["products", "import", all, "--json"]).await;
        assert_eq!(again.expect(0).json()["changed"], json!([]));
    }
    let answer = operator.shop.products("?limit=100").await.text;
    assert!(answer.contains("\"download\""), "{answer}");
    let answer = operator.write("answer.json", &answer);
    let again = operator.till(&["products", "import", &answer, "--json"]);
    assert_eq!(again.await.expect(0).json()["changed"], json!([]));
    let table = format!("id,file,file_size\n{MUG},,\n{NOTEBOOK},Map.pdf,12\n");
    let import = ["products", "import", "-", "--format", "csv", "--yes"];
    operator.till_with(&import, &table).await.expect(0);
    assert_ne!(operator.shop.dump().await, before);
    let notebook = operator.shop.products(&format!("/{NOTEBOOK}")).await.json();
    assert_eq!(
        notebook["download"],
        json!({ "type": "application/pdf", "size": 12 })
    );
    let wrong = format!("id,file\n{MUG},../Map.pdf\n");
    let said = operator.till_with(&import, &wrong).await.expect(3);
    said.complains("file: \"../Map.pdf\": a file's name is");
}

#[tokio::test]
async fn the_doctor_names_a_product_whose_file_is_not_there() {
    let operator = Operator::new().await;
    let file = operator.write("Atlas.pdf", "the whole atlas");
    push(&operator, &file, &[]).await.expect(0);
    let doctor = ["doctor", "--json"];
    let said = operator.till(&doctor).await.expect(0);
    let (verdict, says, _) = found(&said, "files");
    assert_eq!(
        (verdict.as_str(), says.as_str()),
        ("ok", "1 file can be downloaded")
    );

    operator.shop.name_file(MUG, "Atlas.pdf", 99).await;
    let said = operator.till(&doctor).await.expect(3);
    let (verdict, says, _) = found(&said, "files");
    assert_eq!(verdict, "warn");
    assert!(
        says.contains("has 15 bytes, and buyers are told 99 bytes"),
        "{says}"
    );

    operator.shop.name_file(MUG, "Map.pdf", 99).await;
    let said = operator.till(&doctor).await.expect(3);
    let (verdict, says, remedy) = found(&said, "files");
    assert_eq!(verdict, "fail");
    assert!(says.contains("sample-mug is sold with Map.pdf"), "{says}");
    assert!(remedy.contains("till products file push"), "{remedy}");
}

#[tokio::test]
async fn pictures_that_are_pushed_are_on_the_site_and_the_products() {
    let operator = Operator::new().await;
    let front = picture(&operator, "front.jpg");
    let back = operator.write("back.gif", "GIF89a, more or less");
    let push = [
        "products",
        "images",
        "push",
        &front,
        &back,
        "--product",
        MUG,
    ];
    operator.till(&push).await.expect(0);
    let images = || async {
        let mug = operator.shop.products(&format!("/{MUG}")).await.json();
        let images = mug["images"].as_array().unwrap().clone();
        images
            .iter()
            .map(|it| it.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    let shown = images().await;
    let [first, second] = shown.as_slice() else {
        panic!("{shown:?}");
    };
    let (_, path) = first.split_once("/pictures/").unwrap();
    assert!(path.ends_with(".png"), "{path} is not what its bytes say");
    assert!(second.ends_with(".gif"));
    for (address, kind) in [(first, "image/png"), (second, "image/gif")] {
        let answer = operator.shop.follow("GET", address, None).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], kind);
    }
    let said = operator.till(&push).await.expect(0);
    assert!(said.out.contains("shows them already"), "{}", said.out);
    let add = [
        "products",
        "images",
        "push",
        &front,
        "--product",
        MUG,
        "--add",
    ];
    operator.till(&add).await.expect(0);
    assert_eq!(images().await, shown, "none is there twice");

    let svg = operator.write("mug.svg", "<svg onload='alert(1)'/>");
    let svg = ["products", "images", "push", &svg, "--product", MUG];
    operator
        .till(&svg)
        .await
        .expect(1)
        .complains("may run scripts");
    assert_eq!(images().await, shown);
}

#[tokio::test]
async fn a_stacks_files_and_pictures_go_to_its_buckets() {
    let operator = Operator::new().await;
    let mut named = outputs(&operator);
    let site = "https://shop.example.com".to_owned();
    named.extend([
        ("FilesBucket", "till-files".to_owned()),
        ("SiteBucket", "till-site".to_owned()),
        ("SiteAddress", site.clone()),
    ]);
    let account = Account::new(&operator, &parameters("test"), &named);
    let objects = account.objects.clone();
    let aws = account.listen().await;
    let file = operator.write("Atlas & Map.pdf", "the whole atlas");
    let image = picture(&operator, "mug.png");
    let on_stack = ["--product", MUG, "--stack", "till-eu"];
    let push = [&["products", "file", "push", &file][..], &on_stack].concat();
    let said = deployed::till(&operator, &aws, &push).await.expect(0);
    said.complains("Writing to stack till-eu");
    let push = [&["products", "images", "push", &image][..], &on_stack].concat();
    deployed::till(&operator, &aws, &push).await.expect(0);

    let objects = objects.lock().unwrap().clone();
    let (headers, content) = &objects["/till-files/sample-mug/Atlas%20%26%20Map.pdf"];
    assert_eq!(content.as_ref(), b"the whole atlas");
    assert_eq!(headers["x-amz-security-token"], "for an hour");
    let (path, (headers, _)) = objects
        .iter()
        .find(|(path, _)| path.contains("/pictures/"))
        .unwrap();
    assert_eq!(
        headers["cache-control"],
        "public, max-age=31536000, immutable"
    );
    assert_eq!(headers["content-type"], "image/png");
    let address = path.replace("/till-site", &site);
    let mug = operator.shop.products(&format!("/{MUG}")).await.json();
    assert_eq!(mug["images"], json!([address]));
}

#[tokio::test]
async fn a_stack_without_these_buckets_is_named_with_what_to_do() {
    let operator = Operator::new().await;
    let account = Account::new(&operator, &parameters("test"), &outputs(&operator));
    let aws = account.listen().await;
    let file = operator.write("Atlas.pdf", "the whole atlas");
    let image = picture(&operator, "mug.png");
    for (kind, given, remedy) in [
        ("file", &file, "has no output FilesBucket"),
        ("images", &image, "is hosted elsewhere"),
    ] {
        let push = [
            "products",
            kind,
            "push",
            given,
            "--product",
            MUG,
            "--stack",
            "till-eu",
        ];
        deployed::till(&operator, &aws, &push)
            .await
            .expect(1)
            .complains(remedy);
    }
}
