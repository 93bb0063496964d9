//! A database with scripted answers, so that a test can decide how a transaction ends.

// Helpers of tests may panic like tests; clippy.toml exempts only the test functions themselves.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::JoinHandle,
};

use serde_json::{Value, json};

use super::Tables;
use crate::config::Environment;

/// DynamoDB's answer to a transaction that it wrote.
pub(crate) const WRITTEN: &str = "{}";

/// DynamoDB's refusal of a transaction, with a reason for each of its items.
pub(crate) fn refused(reasons: &[&str]) -> String {
    let reasons: Vec<_> = reasons.iter().map(|code| json!({ "Code": code })).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    json!({ "__type": kind, "CancellationReasons": reasons }).to_string()
}

/// A database that gives these answers one after the other, and then returns what it was asked.
pub(crate) fn database(answers: Vec<String>) -> (Tables, JoinHandle<Vec<Value>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let answers = answers.into_iter();
        answers
            .map(|answer| answer_one(&listener, &answer))
            .collect()
    });
    let environment = Environment::of([
        ("AWS_REGION", "eu-central-1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_ENDPOINT_URL", &url),
        ("PURCHASES_TABLE", "purchases"),
        ("PRODUCTS_TABLE", "products"),
        ("OUTBOX_TABLE", "outbox"),
    ]);
    (Tables::of(&environment).unwrap(), server)
}

fn answer_one(listener: &TcpListener, answer: &str) -> Value {
    let mut stream = BufReader::new(listener.accept().unwrap().0);
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).unwrap();
        if let Some(value) = header.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let status = if answer.contains("__type") { 400 } else { 200 };
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        answer.len()
    );
    let answered = stream.get_mut().write_all((head + answer).as_bytes());
    answered.unwrap();
    serde_json::from_slice(&body).unwrap()
}
