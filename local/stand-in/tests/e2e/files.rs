use reqwest::RequestBuilder;
use serde_json::{Value, json};

use crate::bench::{Answer, Bench, KEY, id, ids};

const FILES: &str = "/v1/files";
const LINKS: &str = "/v1/file_links";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\r\n--\r\nreceipt";

/// A form with a file, as libraries send it.
struct Form(Vec<u8>);

impl Form {
    fn new() -> Self {
        Self(Vec::new())
    }

    fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    fn part(mut self, attributes: &str, content: &[u8]) -> Self {
        let head = format!("--b0\r\nContent-Disposition: form-data; {attributes}\r\n\r\n");
        self.0.extend([head.as_bytes(), content, b"\r\n"].concat());
        self
    }
}

fn file(purpose: &str, name: &str, bytes: &[u8]) -> Form {
    let attributes = format!("name=\"file\"; filename=\"{name}\"");
    Form::new()
        .text("purpose", purpose)
        .part(&attributes, bytes)
}

fn request(bench: &Bench, key: &str, Form(parts): Form) -> RequestBuilder {
    let request = bench.request("POST", FILES).bearer_auth(key);
    let request = request.header("Content-Type", "multipart/form-data; boundary=b0");
    request.body([parts, b"--b0--\r\n".to_vec()].concat())
}

async fn upload_as(bench: &Bench, key: &str, form: Form) -> Answer {
    bench.send(request(bench, key, form)).await
}

async fn upload(bench: &Bench, form: Form) -> Answer {
    upload_as(bench, KEY, form).await
}

/// A picture of a receipt, uploaded.
async fn receipt(bench: &Bench) -> Value {
    let form = file("dispute_evidence", "receipt.png", PNG);
    upload(bench, form).await.expect(200).json()
}

#[tokio::test]
async fn a_file_is_what_was_uploaded() {
    let bench = Bench::start().await;
    let file = receipt(&bench).await;
    let url = format!("{}{FILES}/{}/contents", bench.url, id(&file));
    let nine_months = file["expires_at"].as_i64().unwrap() - file["created"].as_i64().unwrap();
    assert_eq!(nine_months, 270 * 86_400);
    for (field, expected) in [
        ("object", json!("file")),
        ("filename", json!("receipt.png")),
        ("purpose", json!("dispute_evidence")),
        ("size", json!(PNG.len())),
        ("type", json!("png")),
        ("title", json!(null)),
        ("url", json!(url)),
    ] {
        assert_eq!(file[field], expected, "{field}");
    }
    assert_eq!(file["links"]["data"], json!([]));
    assert_eq!(bench.fetch("files", &id(&file)).await, file);
    assert_eq!(bench.latest("file.created").await["data"]["object"], file);

    let other = upload(&bench, self::file("business_logo", "logo.png", PNG)).await;
    let other = id(&other.expect(200).json());
    let found = async |query: &str| ids(&bench.get(&format!("{FILES}{query}")).await.json());
    assert_eq!(found("").await, [other.clone(), id(&file)]);
    assert_eq!(found("?purpose=business_logo").await, [other]);
}

#[tokio::test]
async fn its_content_comes_back_as_it_was_for_the_shop_alone() {
    let bench = Bench::start().await;
    let path = format!("{FILES}/{}/contents", id(&receipt(&bench).await));
    let request = bench.request("GET", &path).bearer_auth(KEY);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert_eq!(answer.bytes().await.unwrap(), PNG);

    let account = id(&bench.get("/v1/account").await.json());
    let log = format!("/_stripe/window/{account}/requests");
    let log = bench.send(bench.request("GET", &log)).await.text;
    assert!(log.contains(&path), "a download is a call like any other");

    bench.send(bench.request("GET", &path)).await.expect(401);
    bench.get_as("pk_test_local", &path).await.expect(401);
    bench.get_as("sk_test_other", &path).await.expect(404);

    bench.advance(270 * 86_400).await;
    bench.get(&path).await.expect(400);
}

#[tokio::test]
async fn what_a_purpose_does_not_take_is_refused() {
    let bench = Bench::start().await;
    let large = [PNG, &vec![0; 5 << 20]].concat();
    for (purpose, name, bytes, says) in [
        (
            "dispute_evidence",
            "a.png",
            &b""[..],
            "application/pdf, image/jpeg, image/png.",
        ),
        ("dispute_evidence", "a.png", b"not a picture", "file type"),
        ("dispute_evidence", "a.gif", b"GIF89a", "file type"),
        ("dispute_evidence", "a.png", &large, "at most 5 MB"),
        ("business_logo", "a.png", &large, "at most 512 KB"),
        ("pci_document", "a.png", PNG, "application/pdf."),
        (
            "issuing_regulatory_reporting",
            "a.json",
            b"{",
            "application/json.",
        ),
    ] {
        let refused = upload(&bench, file(purpose, name, bytes)).await.expect(400);
        let message = refused.error()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(says), "{purpose} {name}: {message}");
        assert_eq!(refused.error()["param"], "file");
    }
    let without = Form::new().text("purpose", "dispute_evidence");
    let refused = upload(&bench, without).await.expect(400);
    assert_eq!(refused.error()["param"], "file");
    let refused = upload(&bench, file("fun", "a.png", PNG)).await.expect(400);
    assert_eq!(refused.error()["param"], "purpose");
    let form = vec![("purpose", "dispute_evidence"), ("file", "a.png")];
    bench.post(FILES, &form).await.expect(400);
    assert_eq!(bench.get(FILES).await.json()["data"], json!([]));
}

#[tokio::test]
async fn an_upload_that_is_repeated_under_its_key_is_made_once() {
    let bench = Bench::start().await;
    let send = async |bytes: &[u8]| {
        let form = file("dispute_evidence", "receipt.png", bytes);
        let request = request(&bench, KEY, form);
        bench
            .send(request.header("Idempotency-Key", "upload-1"))
            .await
    };
    let first = send(PNG).await.expect(200).json();
    assert_eq!(send(PNG).await.expect(200).json(), first);
    let other = [PNG, b"!"].concat();
    let refused = send(&other).await.expect(400);
    assert_eq!(refused.error()["type"], "idempotency_error");
}

#[tokio::test]
async fn whoever_has_a_link_sees_the_file_until_it_expires() {
    let bench = Bench::start().await;
    let file = receipt(&bench).await;
    let expires_at = (file["created"].as_i64().unwrap() + 3_600).to_string();
    let form = vec![
        ("file", file["id"].as_str().unwrap()),
        ("expires_at", &expires_at),
        ("metadata[order]", "7"),
    ];
    let link = bench.post(LINKS, &form).await.expect(200).json();
    assert_eq!(link["metadata"], json!({ "order": "7" }));
    assert_eq!(link["expired"], false);
    let url = link["url"].as_str().unwrap().to_owned();
    let path = url.strip_prefix(&bench.url).unwrap();
    let seen = bench.request("GET", path).send().await.unwrap();
    assert_eq!(seen.headers()["content-type"], "image/png");
    assert_eq!(
        seen.headers()["content-security-policy"],
        "sandbox; default-src 'none'"
    );
    assert_eq!(seen.bytes().await.unwrap(), PNG);
    let known = bench.fetch("files", &id(&file)).await;
    assert_eq!(known["links"]["data"], json!([link]));

    let update = format!("{LINKS}/{}", id(&link));
    let never = vec![("expires_at", "")];
    let link = bench.post(&update, &never).await.expect(200).json();
    assert_eq!(link["expires_at"], json!(null));
    let past = vec![("expires_at", "1000")];
    bench.post(&update, &past).await.expect(400);
    bench
        .post(&update, &vec![("expires_at", &expires_at)])
        .await
        .expect(200);

    bench.advance(3_601).await;
    let gone = bench.fetch("file_links", &id(&link)).await;
    assert_eq!(gone["expired"], true);
    assert_eq!(gone["url"], json!(null));
    bench.send(bench.request("GET", path)).await.expect(404);
    let expired = format!("{LINKS}?expired=true&file={}", id(&file));
    assert_eq!(ids(&bench.get(&expired).await.json()), [id(&link)]);
}

#[tokio::test]
async fn a_link_can_come_with_its_file_and_end_at_once() {
    let bench = Bench::start().await;
    let form = file("business_logo", "logo.png", PNG).text("file_link_data[create]", "true");
    let file = upload(&bench, form).await.expect(200).json();
    let link = &file["links"]["data"][0];
    assert_eq!(link["file"], file["id"]);
    let update = format!("{LINKS}/{}", id(link));
    let ended = bench.post(&update, &vec![("expires_at", "now")]).await;
    assert_eq!(ended.expect(200).json()["expired"], true);

    let secret = self::file("identity_document", "id.png", PNG);
    let secret = upload(&bench, secret).await.expect(200).json();
    assert_eq!(secret["url"], json!(null));
    let form = vec![("file", secret["id"].as_str().unwrap())];
    let refused = bench.post(LINKS, &form).await.expect(400);
    assert_eq!(refused.error()["param"], "file");
    bench
        .post(LINKS, &vec![("file", "file_nope")])
        .await
        .expect(400);
}

#[tokio::test]
async fn a_browser_may_upload_and_make_no_link() {
    let bench = Bench::start().await;
    let key = "pk_test_local";
    let form = file("dispute_evidence", "receipt.png", PNG);
    upload_as(&bench, key, form).await.expect(200);
    let form = file("dispute_evidence", "receipt.png", PNG).text("file_link_data[create]", "true");
    let refused = upload_as(&bench, key, form).await.expect(400);
    assert_eq!(refused.error()["param"], "file_link_data");
    bench.get_as(key, FILES).await.expect(401);
}

#[tokio::test]
async fn evidence_in_a_dispute_is_a_file_that_is_there() {
    let bench = Bench::start().await;
    let charge = bench.charge("4000000000000259").await;
    let disputes = format!("/v1/disputes?charge={}", id(&charge));
    let dispute = ids(&bench.get(&disputes).await.json()).remove(0);
    let dispute = format!("/v1/disputes/{dispute}");
    let logo = upload(&bench, file("business_logo", "logo.png", PNG)).await;
    let logo = id(&logo.expect(200).json());
    for other in ["file_nope", &logo] {
        let form = vec![("evidence[receipt]", other), ("submit", "false")];
        let refused = bench.post(&dispute, &form).await.expect(400);
        assert_eq!(refused.error()["param"], "evidence[receipt]");
    }
    let receipt = id(&receipt(&bench).await);
    let form = vec![("evidence[receipt]", receipt.as_str()), ("submit", "false")];
    bench.post(&dispute, &form).await.expect(200);
    let expanded = format!("{dispute}?expand[]=evidence.receipt");
    let seen = bench.get(&expanded).await.expect(200).json();
    assert_eq!(seen["evidence"]["receipt"]["filename"], "receipt.png");

    let large = [PNG, &vec![0; 9 << 19]].concat();
    let large = upload(&bench, file("dispute_evidence", "large.png", &large)).await;
    let large = id(&large.expect(200).json());
    let form = vec![("evidence[uncategorized_file]", large.as_str())];
    let refused = bench.post(&dispute, &form).await.expect(400);
    assert_eq!(refused.error()["param"], "evidence[uncategorized_file]");
}
