//! A Stripe with scripted answers, so that a test can decide how a call ends.

// Helpers of tests may panic like tests; clippy.toml exempts only the test functions themselves.
#![allow(clippy::unwrap_used)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread::JoinHandle,
};

use super::client::Client;
use crate::config::Environment;

/// A client, and what Stripe is asked while it gives these answers; `None` hangs up.
pub(crate) async fn stripe(
    answers: impl IntoIterator<Item = Option<String>> + Send + 'static,
) -> (Client, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for answer in answers {
            let (mut connection, _) = listener.accept().unwrap();
            seen.push(request(&connection));
            if let Some(answer) = answer {
                connection.write_all(answer.as_bytes()).unwrap();
            }
        }
        seen
    });
    let environment = Environment::of([
        ("STRIPE_SECRET_KEY", "sk_test_1"),
        ("STRIPE_API_BASE", &format!("http://{address}")),
        ("TILL_MODE", "test"),
    ]);
    (Client::new(&environment).unwrap(), server)
}

/// An answer with this status line and body.
#[expect(
    clippy::unnecessary_wraps,
    reason = "`stripe` takes None for no answer"
)]
pub(crate) fn answer(status: &str, body: &str) -> Option<String> {
    let length = body.len();
    Some(format!(
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    ))
}

/// The whole of a request.
fn request(connection: &TcpStream) -> String {
    let mut reader = BufReader::new(connection);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "cut off: {head}");
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}
