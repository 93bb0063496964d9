use proptest::prelude::*;
use shared::product::Site;

use super::*;

fn why(text: &str, format: Format) -> Vec<String> {
    let rows = parse(text, format).unwrap().into_iter();
    rows.map(|row| match row.patch {
        Ok(patch) => format!("{}: {}", row.at, patch.id),
        Err(why) => format!("{}: {why}", row.at),
    })
    .collect()
}

fn products() -> Vec<Product> {
    let text = r#"[
        {"id":"mug","name":"A \"fine\" mug, big","description":"Two\nlines",
         "images":["https://a.example/1","https://a.example/2"],
         "price":{"amount":1500,"currency":"usd"},"shipped":true,"tax_code":"txcd_99999999",
         "tax_behavior":"exclusive","active":true,"stock":3,"low_stock":2},
        {"id":"yen","name":"Poster","price":{"amount":1800,"currency":"jpy"},"active":false,
         "group":"poster","options":{"size":"A2","paper":"brown, thick"},"category":"Walls",
         "file":{"name":"Poster, A2; \"new\".pdf","size":12}},
        {"id":"beans","name":"Beans","price":{"amount":900,"currency":"eur"},"active":true,
         "recurring":{"interval":"month","interval_count":3,"trial_days":14}}
    ]"#;
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_was_written_reads_the_same_in_every_format() {
    for format in [Format::Csv, Format::Jsonl, Format::Json] {
        let text = write(&products(), format).unwrap();
        let read: Vec<Product> = parse(&text, format)
            .unwrap()
            .into_iter()
            .map(|row| row.patch.unwrap().apply(None, Site::Local).unwrap())
            .collect();
        assert_eq!(read, products(), "{text}");
    }
}

#[test]
fn every_row_that_cannot_be_read_is_named_with_its_line() {
    let text = "id,name,amount,currency\n\
                mug,\"Mug\nwith a handle\",15.00,usd\n\
                no id,x,1,usd\n\
                cap,Cap,1500,dollars\n\
                hat,Hat,1500\n\
                ok,Fine,1500,usd\n";
    assert_eq!(
        why(text, Format::Csv),
        [
            "line 2: amount: \"15.00\" is not a whole number: amounts are in minor units, such \
             as 1500 for 15.00 USD",
            "line 4: id: a product id is 1 to 64 letters, digits, -, _ or .",
            "line 5: currency: \"dollars\" is not a currency: use a three-letter ISO 4217 \
             code such as usd",
            "line 6: 3 cells in 4 columns",
            "line 7: ok",
        ]
    );
    let text = "{\"id\":\"a\",\"price\":{\"amount\":15.5,\"currency\":\"usd\"}}\n\
                \n\
                {\"id\":\"b\",\"prize\":1}\n\
                {\"id\":\"c\"}\n";
    let rows = why(text, Format::Jsonl);
    assert!(rows[0].starts_with("line 1: "), "{rows:?}");
    assert!(rows[0].contains("floating point"), "{rows:?}");
    assert!(
        rows[1].starts_with("line 3: unknown field `prize`"),
        "{rows:?}"
    );
    assert_eq!(rows[2], "line 4: c");
}

#[test]
fn how_often_a_product_is_paid_for_needs_an_interval() {
    let text = "id,interval,interval_count,trial_days\n\
                beans,month,,14\n\
                mug,,,\n\
                club,,2,\n\
                tea,,,7\n\
                box,monthly,1,\n";
    assert_eq!(
        why(text, Format::Csv),
        [
            "line 2: beans",
            "line 3: mug",
            "line 4: interval: it is needed beside interval_count and trial_days",
            "line 5: interval: it is needed beside interval_count and trial_days",
            "line 6: interval: \"monthly\" is not day, week, month or year",
        ]
    );
    let text = r#"{"id":"beans","recurring":{"interval":"month","trial_period_days":14}}"#;
    let refused = why(text, Format::Jsonl).concat();
    assert!(
        refused.contains("unknown field `trial_period_days`"),
        "{refused}"
    );
}

#[test]
fn a_member_that_means_nothing_is_refused_at_any_depth() {
    for (written, unknown) in [
        (r#"{"id":"mug","colour":"red"}"#, "colour"),
        (r#"{"id":"mug","price":{"amount":1500,"tax":1}}"#, "tax"),
        (
            r#"{"id":"mug","recurring":{"interval":"month","count":2}}"#,
            "count",
        ),
        (
            r#"{"id":"mug","file":{"name":"a.pdf","bytes":12}}"#,
            "bytes",
        ),
    ] {
        let refused = why(written, Format::Jsonl).concat();
        assert!(
            refused.contains(&format!("unknown field `{unknown}`")),
            "{refused}"
        );
    }
}

#[test]
fn a_product_is_taxed_in_stripes_words_or_as_the_account_says() {
    let text = "id,tax_code,tax_behavior\n\
                mug,txcd_99999999,inclusive\n\
                cap,,\n\
                book,books,exclusive\n\
                pen,txcd_99999999,included\n";
    assert_eq!(
        why(text, Format::Csv),
        [
            "line 2: mug",
            "line 3: cap",
            "line 4: tax_code: \"books\" is not a tax code: it is txcd_ and eight digits, such as \
             txcd_99999999 for general goods",
            "line 5: tax_behavior: \"included\" is not a tax behavior: it is inclusive or exclusive",
        ]
    );
    let text = r#"{"id":"book","tax_code":"books"}"#;
    let refused = why(text, Format::Jsonl).concat();
    assert!(refused.contains("txcd_ and eight digits"), "{refused}");
    // What a file says nothing of stays; `null` takes it away.
    let mug = &products()[0];
    for (said, left) in [("", true), (r#","tax_code":null"#, false)] {
        let text = format!(r#"{{"id":"mug"{said}}}"#);
        let patch = parse(&text, Format::Jsonl)
            .unwrap()
            .remove(0)
            .patch
            .unwrap();
        let after = patch.apply(Some(mug), Site::Local).unwrap();
        assert_eq!(after.tax_code.is_some(), left, "{text}");
        assert_eq!(after.tax_behavior, mug.tax_behavior);
    }
}

#[test]
fn rows_and_columns_that_a_spreadsheet_leaves_empty_are_passed_over() {
    let text = "id,name,amount,currency,,\r\n\
                mug,Mug,1500,usd,,\r\n\
                ,,,,,\r\n\
                cap,Cap,900,usd,,to check\r\n\
                hat,Hat,2500,usd\r\n\
                ,, ,,,\r\n\
                \r\n\
                ,,,,,\r\n";
    assert_eq!(
        why(text, Format::Csv),
        ["line 2: mug", "line 4: 6 cells in 4 columns", "line 5: hat"]
    );
}

#[test]
fn a_table_with_columns_nobody_knows_is_refused_whole() {
    for (text, complaint) in [
        (
            "id;name\nmug;Mug\n",
            "separated by semicolons (';'); save it with commas",
        ),
        (
            "id\tname\nmug\tMug\n",
            "separated by tabs ('\\t'); save it with commas",
        ),
        ("id,price\nmug,15\n", "names a column \"price\""),
        ("name\nMug\n", "does not name the column id"),
    ] {
        let error = parse(text, Format::Csv).unwrap_err().to_string();
        assert!(error.contains(complaint), "{error}");
    }
}

proptest! {
    /// Spreadsheets write strange things, and so do people.
    #[test]
    fn any_file_is_read_row_by_row_or_refused(
        titles in prop::collection::vec(prop::sample::select(COLUMNS.to_vec()), 0..8),
        cells in prop::collection::vec(
            prop_oneof![
                4 => r#"[,;\n\t"'.\-\r]|\r\n|"""#,
                2 => "mug|15\\.00|1e9|usd|jpy|month|3|true|null|\\{\\}|\\[\\]",
                1 => any::<String>(),
            ],
            0..60,
        ),
    ) {
        let text = format!("id,{}\n{}", titles.join(","), cells.concat());
        for format in [Format::Csv, Format::Jsonl, Format::Json] {
            for row in parse(&text, format).unwrap_or_default() {
                if let Ok(patch) = row.patch {
                    let _ = patch.apply(None, Site::Local);
                }
            }
        }
    }
}
