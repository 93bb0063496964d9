//! `till products`.

use serde_json::{Value, json};
use testing::{MUG, cart};

use crate::operator::Operator;

async fn product(operator: &Operator, id: &str) -> Value {
    operator.shop.products(&format!("/{id}")).await.json()
}

const HAT: &str = r#"{"id":"hat","name":"Felt hat","price":{"amount":2500,"currency":"usd"}}"#;

#[tokio::test]
async fn the_list_shows_what_the_api_shows_and_for_people_in_major_units() {
    let operator = Operator::new().await;
    let listed = operator.till(&["products", "list", "--json"]).await;
    let api = operator.shop.products("").await.json();
    assert_eq!(listed.expect(0).json()["products"], api["products"]);

    let words = operator.till(&["products", "list"]).await.expect(0).out;
    let line = |id: &str| words.lines().find(|line| line.starts_with(id)).unwrap();
    assert!(line(MUG).contains("15.00 USD"), "{words}");
    assert!(line("sample-furoshiki-jpy").contains("1800 JPY"), "{words}");
    assert!(line("sample-stickers").ends_with("no"), "{words}");
    assert!(!words.contains('\u{1b}'), "colours in what is no terminal");
}

#[tokio::test]
async fn what_was_exported_changes_nothing_when_it_is_imported() {
    let operator = Operator::new().await;
    let before = operator.shop.dump().await;
    let all = operator.shop.products("").await.json();
    let all = all["products"].as_array().unwrap().len();
    for name in ["all.csv", "all.jsonl", "all.json"] {
        let file = operator.file(name);
        let file = file.to_str().unwrap();
        let exported = operator.till(&["products", "export", file, "--json"]).await;
        assert_eq!(exported.expect(0).json()["products"], all);
        let imported = operator.till(&["products", "import", file, "--json"]).await;
        let imported = imported.expect(0).json();
        assert_eq!(imported["unchanged"], all, "{imported}");
        assert_eq!(imported["added"], json!([]));
        assert_eq!(imported["changed"], json!([]));
    }
    let lines = operator.till(&["products", "export"]).await.expect(0).out;
    let imported = operator.till_with(&["products", "import", "-", "--json"], &lines);
    assert_eq!(imported.await.expect(0).json()["unchanged"], all);
    assert_eq!(operator.shop.dump().await, before);

    let again = operator.file("all.csv");
    let again = operator.till(&["products", "export", again.to_str().unwrap()]);
    again
        .await
        .expect(1)
        .complains("exists already. Replace it?");
}

#[tokio::test]
async fn a_file_adds_and_changes_products_after_a_yes_and_leaves_the_others() {
    let operator = Operator::new().await;
    let file =
        format!("{HAT}\n{{\"id\":\"{MUG}\",\"price\":{{\"amount\":1600,\"currency\":\"usd\"}}}}\n");
    let file = operator.write("new.jsonl", &file);
    let before = operator.shop.dump().await;

    let dry = operator.till(&["products", "import", &file, "--dry-run", "--json"]);
    let dry = dry.await.expect(0).json();
    assert_eq!(dry["dry_run"], true);
    assert_eq!(dry["added"][0]["id"], "hat");
    let price = |amount: u32| json!({ "amount": amount, "currency": "usd" });
    assert_eq!(
        dry["changed"],
        json!([{
            "id": MUG,
            "changes": [{ "field": "price", "from": price(1500), "to": price(1600) }],
        }])
    );
    let unasked = operator
        .till(&["products", "import", &file])
        .await
        .expect(1);
    unasked.complains("15.00 USD → 16.00 USD");
    unasked.complains("pass --yes");
    assert_eq!(operator.shop.dump().await, before, "nobody said yes");

    let done = operator.till(&["products", "import", &file, "--yes"]).await;
    assert_eq!(done.expect(0).out, "1 added, 1 changed, 0 unchanged.\n");
    let mug = product(&operator, MUG).await;
    assert_eq!(mug["price"]["amount"], 1600);
    assert_eq!(mug["name"], "Stoneware mug", "it was not spoken of");
    assert_eq!(mug["images"].as_array().unwrap().len(), 1);
    let hat = product(&operator, "hat").await;
    assert_eq!(hat["active"], true);
    let listed = operator.shop.products("").await.json();
    assert_eq!(listed["products"][0], hat, "it is in the catalog");

    let again = operator.till(&["products", "import", &file]).await;
    assert_eq!(again.expect(0).out, "0 added, 0 changed, 2 unchanged.\n");
}

#[tokio::test]
async fn one_row_that_is_not_valid_keeps_the_whole_file_out() {
    let operator = Operator::new().await;
    let before = operator.shop.dump().await;
    let file = operator.write(
        "wrong.csv",
        "id,name,amount,currency,images\n\
         hat,Felt hat,2500,usd,\n\
         cap,Cap,25.00,usd,\n\
         dates,Dates,3505,kwd,\n\
         hat,Another hat,2600,usd,\n\
         pin,Pin,100,usd,javascript:alert(1)\n\
         no id,Scarf,100,usd,\n\
         bag,,100,usd,\n",
    );
    let refused = operator.till(&["products", "import", &file, "--yes", "--json"]);
    let refused = refused.await.expect(3);
    let invalid = refused.json()["invalid"].clone();
    let at = |wanted: &str| {
        let rows = invalid.as_array().unwrap();
        let row = rows.iter().find(|row| row["at"] == wanted);
        let row = row.unwrap_or_else(|| panic!("nothing at {wanted} in {invalid}"));
        row["error"].as_str().unwrap().to_owned()
    };
    assert!(at("line 3").contains("minor units, such as 1500 for 15.00 USD"));
    assert!(at("line 4").contains("multiple of 10"));
    assert_eq!(at("line 5"), "line 2 has the same id");
    assert!(at("line 6").contains("images"));
    assert!(at("line 7").contains("product id"));
    assert!(at("line 8").contains("name"));
    assert_eq!(invalid.as_array().unwrap().len(), 6, "{invalid}");
    refused.complains("wrong.csv, line 3: amount: ");
    assert_eq!(operator.shop.dump().await, before);
}

#[tokio::test]
async fn a_setting_changes_its_field_and_no_other() {
    let operator = Operator::new().await;
    let before = product(&operator, MUG).await;
    let set = ["products", "set", MUG, "price=1750", "active=false"];
    let dry = operator.till(&[&set[..], &["--dry-run"]].concat()).await;
    assert!(dry.expect(0).out.contains("15.00 USD → 17.50 USD"));
    assert_eq!(product(&operator, MUG).await, before);

    let done = operator.till(&[&set[..], &["--json"]].concat()).await;
    let done = done.expect(0).json();
    assert_eq!(done["changes"].as_array().unwrap().len(), 2, "{done}");
    let mut expected = before;
    expected["price"]["amount"] = 1750.into();
    expected["active"] = false.into();
    assert_eq!(product(&operator, MUG).await, expected);
    assert_eq!(done["product"], expected);
    let again = operator.till(&set).await.expect(0).out;
    assert_eq!(
        again,
        "sample-mug is like that already; nothing was changed.\n"
    );
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused_by_name() {
    let operator = Operator::new().await;
    let before = operator.shop.dump().await;
    for (settings, code, complaint) in [
        (
            vec!["nothing", "price=1"],
            4,
            "there is no product nothing in the shop",
        ),
        (
            vec![MUG, "price=15.00"],
            2,
            "minor units, such as 1500 for 15.00 USD",
        ),
        (vec![MUG, "prize=15"], 2, "\"prize\" is not a field"),
        (vec![MUG, "price=1505kwd"], 1, "multiple of 10"),
        (vec![MUG, "name="], 1, "name: 1 to 250 characters"),
        (vec![MUG, "stock=+1"], 1, "is unlimited"),
        (vec![MUG], 2, "required"),
    ] {
        let said = operator.till(&[&["products", "set"], &settings[..]].concat());
        said.await.expect(code).complains(complaint);
    }
    assert_eq!(operator.shop.dump().await, before);
}

#[tokio::test]
async fn how_many_are_left_changes_only_where_it_is_asked_for() {
    let operator = Operator::new().await;
    let set = async |setting: &str| {
        let said = operator
            .till(&["products", "set", MUG, setting, "--json"])
            .await;
        said.expect(0).json()["product"]["stock"].clone()
    };
    assert_eq!(set("stock=20").await, 20);
    assert_eq!(set("stock=+5").await, 25);
    assert_eq!(set("stock=-4").await, 21);
    let too_many = operator.till(&["products", "set", MUG, "stock=-22"]).await;
    too_many
        .expect(1)
        .complains("only 21 of sample-mug are left, so 22 cannot be taken away");

    let file = operator.file("mugs.jsonl");
    let file = file.to_str().unwrap();
    operator.till(&["products", "export", file]).await.expect(0);
    assert_eq!(set("stock=3").await, 3, "some were sold since");
    let import = async |options: &[&str]| {
        let command = [&["products", "import", file, "--yes", "--json"], options].concat();
        operator.till(&command).await.expect(0)
    };
    let kept = import(&[]).await;
    kept.complains("--stock sets it");
    assert_eq!(kept.json()["changed"], json!([]));
    assert_eq!(product(&operator, MUG).await["stock"], 3);
    let asked_for = import(&["--stock"]).await.json();
    let difference = json!([{ "field": "stock", "from": 3, "to": 21 }]);
    assert_eq!(asked_for["changed"][0]["changes"], difference);
    assert_eq!(product(&operator, MUG).await["stock"], 21);
    assert!(set("stock=none").await.is_null());
    assert!(product(&operator, MUG).await.get("stock").is_none());
}

#[tokio::test]
async fn changing_a_product_while_it_sells_undoes_no_reservation() {
    let operator = Operator::new().await;
    operator
        .till(&["products", "set", MUG, "stock=20"])
        .await
        .expect(0);
    let set = |settings: &[&str]| operator.till(&[&["products", "set", MUG], settings].concat());
    let (name, price, more) = (
        set(&["name=Mug"]),
        set(&["price=1600", "active=true"]),
        set(&["stock=+5"]),
    );
    let buy = async || {
        for _ in 0..6 {
            operator.shop.checkout(&cart(&[(MUG, 1)])).await.expect(201);
        }
    };
    let (name, price, more, ()) = tokio::join!(name, price, more, buy());
    for set in [name, price, more] {
        set.expect(0);
    }
    let mug = product(&operator, MUG).await;
    assert_eq!(mug["stock"], 20 + 5 - 6, "{mug}");
    assert_eq!(
        (&mug["name"], &mug["price"]["amount"]),
        (&json!("Mug"), &json!(1600))
    );
}

#[tokio::test]
async fn a_table_comes_in_as_a_spreadsheet_writes_it() {
    let operator = Operator::new().await;
    let file = operator.write(
        "spreadsheet.csv",
        "\u{feff}id,name,amount,currency,,\r\n\
         hat,\"Felt hat, green\",2500,usd,,\r\n\
         ,,,,,\r\n\
         ,,,,,\r\n",
    );
    let import = ["products", "import", &file, "--yes", "--json"];
    let imported = operator.till(&import).await.expect(0).json();
    assert_eq!(imported["added"].as_array().unwrap().len(), 1, "{imported}");
    assert_eq!(product(&operator, "hat").await["name"], "Felt hat, green");

    let file = operator.write("semicolons.csv", "id;name\r\nhat;Hat\r\n");
    let import = ["products", "import", &file, "--yes"];
    let refused = operator.till(&import).await.expect(1);
    refused.complains("separated by semicolons");
}

#[tokio::test]
async fn dot_env_is_read_as_other_programs_write_it_and_its_faults_have_a_place() {
    let operator = Operator::new().await;
    let [.., aws] = operator.shop.ports();
    let dot_env = |text: &str| {
        let till = operator.bare();
        let folder = till.as_std().get_current_dir().unwrap();
        std::fs::write(folder.join(".env"), text).unwrap();
    };
    let list = || {
        let mut till = operator.bare();
        till.args(["products", "list", "--json"]);
        crate::operator::run(till, "")
    };
    dot_env(&format!(
        "\u{feff}# here\r\nSHOP_NAME=Mugs & More\r\n\
         AWS_ENDPOINT_URL = 'http://127.0.0.1:{aws}' # the local one\r\n"
    ));
    let listed = list().await.expect(0).json();
    let api = operator.shop.products("").await.json();
    assert_eq!(listed["products"], api["products"]);

    dot_env("SHOP_NAME=Mugs\nSTRIPE_SECRET_KEY=\"sk_test_secret\n");
    let refused = list().await.expect(1);
    refused.complains(".env: line 2: STRIPE_SECRET_KEY has no closing \"");
    assert!(!refused.err.contains("sk_test_secret"), "{}", refused.err);
}

#[tokio::test]
async fn without_a_shop_the_way_to_one_is_named() {
    let operator = Operator::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port().to_string();
    drop(free);
    let mut till = operator.bare();
    till.args(["products", "list", "--aws-port", &port]);
    let said = crate::operator::run(till, "").await.expect(1);
    said.complains(&format!("no shop is open at http://127.0.0.1:{port}"));
    said.complains("cargo run");
    assert_eq!(said.out, "");
}

#[tokio::test]
async fn an_endpoint_in_the_environment_leads_to_the_shop_as_well() {
    let operator = Operator::new().await;
    let [.., aws] = operator.shop.ports();
    let mut till = operator.bare();
    till.args(["products", "list", "--json"])
        .env("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{aws}"));
    let listed = crate::operator::run(till, "").await.expect(0).json();
    let api = operator.shop.products("").await.json();
    assert_eq!(listed["products"], api["products"]);
    operator.shop.checkout(&cart(&[(MUG, 1)])).await.expect(201);
}

#[tokio::test]
async fn what_a_terminal_would_obey_is_shown_and_not_obeyed() {
    let operator = Operator::new().await;
    let name = "Mug\\u001b[2J\\r\\u202e\\u200b\\u2028x";
    let file = format!(
        r#"{{"id":"evil","name":"{name}","description":"{name}","price":{{"amount":100,"currency":"usd"}}}}"#
    );
    let file = operator.write("evil.jsonl", &file);
    let import = ["products", "import", &file];
    let dry = operator.till(&[&import[..], &["--dry-run"]].concat()).await;
    let done = operator.till(&import).await;
    let set = operator
        .till(&["products", "set", "evil", "description=a\u{9b}2J"])
        .await;
    let list = operator.till(&["products", "list"]).await;
    for words in [dry, done, set, list] {
        let words = words.expect(0).out;
        let shown = |c: char| c == '\n' || shared::plain::is_plain(c);
        assert!(words.chars().all(shown), "{words:?}");
    }
    // As JSON it is what it is, and no terminal obeys it either.
    let json = operator
        .till(&["products", "list", "--json"])
        .await
        .expect(0);
    assert!(
        json.out.contains("Mug\\u001b[2J\\r\\u202e\\u200b\\u2028x"),
        "{}",
        json.out
    );
    // A file that cannot be taken in is quoted with the same care.
    let bad = operator.write("bad.jsonl", "{\"id\":\"a\",\"\\u001b[2J\\n\\u202e\":1}");
    let refused = operator.till(&["products", "import", &bad]).await.expect(3);
    assert!(
        !refused.err.contains(['\u{1b}', '\u{202e}']),
        "{:?}",
        refused.err
    );
}

#[tokio::test]
async fn a_picture_that_no_page_would_show_is_refused_when_it_comes_in() {
    let operator = Operator::new().await;
    for (image, complaint) in [
        ("http://img.example.com/hat.png", "must be https"),
        (
            "https://exa<mple.com/hat.png",
            "is not the address of a picture",
        ),
        ("hat.png", "is not the address of a picture"),
    ] {
        let set = operator
            .till(&["products", "set", MUG, &format!("images={image}")])
            .await;
        set.expect(1).complains(complaint);
    }
    let fine = "images=https://img.example.com/hat.png http://127.0.0.1:3000/images/hat.svg";
    operator
        .till(&["products", "set", MUG, fine])
        .await
        .expect(0);
    let twice = r#"[{"id":"hat","name":"Felt hat","name":"Top hat","price":{"amount":2500,"currency":"usd"}}]"#;
    let twice = operator.write("twice.json", twice);
    let refused = operator
        .till(&["products", "import", &twice])
        .await
        .expect(1);
    refused.complains("\"name\" is there twice");
}
