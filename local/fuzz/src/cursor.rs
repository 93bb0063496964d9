//! The cursors of lists, `GET /products?cursor=…` and `GET /purchases?cursor=…`: the input is what the query says.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use lambda_http::Request;
use serde_json::json;
use shared::http;
use shared::product::ProductId;
use shared::purchase::PurchaseId;

/// Whatever a query says, it is one page's end or refused; and each id has one cursor, which leads back to it.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    leads_back::<ProductId>(text);
    leads_back::<PurchaseId>(text);
}

fn leads_back<Id: FromStr + Display + Debug + PartialEq>(text: &str) {
    if let Ok(Some(id)) = http::page_cursor::<Id>(&asked(text)) {
        // Digits of hexadecimal numbers may be written large.
        let cursor = http::next_cursor(Some(&id)).expect("a page ends with it");
        assert_eq!(read::<Id>(&cursor), Some(id));
    }
    if let Ok(id) = text.parse::<Id>() {
        assert_eq!(id.to_string(), text, "an id is written in one way");
        let cursor = http::next_cursor(Some(&id)).expect("a page ends with it");
        assert_eq!(read::<Id>(&cursor), Some(id));
    }
}

fn read<Id: FromStr>(cursor: &str) -> Option<Id> {
    let read = http::page_cursor(&asked(&format!("cursor={cursor}")));
    read.ok().flatten()
}

fn asked(query: &str) -> Request {
    let event = json!({
        "version": "2.0",
        "rawQueryString": query,
        "requestContext": { "http": { "method": "GET" } },
    });
    http::request(&event.to_string()).unwrap_or_else(|_| panic!("{event} is an HTTP event"))
}
