//! Searches.

use serde_json::json;

use crate::bench::{Bench, KEY, id, ids};

const CUSTOMERS: &str = "/v1/customers";

#[tokio::test]
async fn a_search_finds_by_fields_and_metadata() {
    let bench = Bench::start().await;
    let customer = async |email, order| {
        let form = vec![("email", email), ("metadata[order]", order)];
        id(&bench.post(CUSTOMERS, &form).await.expect(200).json())
    };
    let ann = customer("ann@mail.example", "1").await;
    let bob = customer("bob@mail.example", "2").await;
    let found = async |query: &str| {
        let request = bench
            .request("GET", &format!("{CUSTOMERS}/search"))
            .query(&[("query", query)]);
        let answer = bench.send(request.bearer_auth(crate::bench::KEY)).await;
        ids(&answer.expect(200).json())
    };
    assert_eq!(found(r#"email:"ANN@mail.example""#).await, [ann.as_str()]);
    assert_eq!(found(r#"metadata["order"]:"2""#).await, [bob.as_str()]);
    assert_eq!(
        found(r#"email~"mail" AND -metadata["order"]:"2""#).await,
        [ann.as_str()]
    );
    assert_eq!(
        found(r#"email:"ann@mail.example" OR metadata["order"]:"2""#).await,
        [bob.as_str(), ann.as_str()]
    );
    assert_eq!(found("created>0 AND name:null").await.len(), 2);
    assert_eq!(found(r#"metadata["x' OR 1=1 --"]:"2""#).await, [""; 0]);

    let page = |query: &str| {
        bench.request(
            "GET",
            &format!("{CUSTOMERS}/search?limit=1&query=created>0{query}"),
        )
    };
    let send = async |request: reqwest::RequestBuilder| {
        bench.send(request.bearer_auth(crate::bench::KEY)).await
    };
    let first = send(page("")).await.expect(200).json();
    assert_eq!((ids(&first), &first["has_more"]), (vec![bob], &json!(true)));
    let next = first["next_page"].as_str().unwrap();
    let second = send(page(&format!("&page={next}")))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (ids(&second), &second["next_page"]),
        (vec![ann], &json!(null))
    );
}

#[tokio::test]
async fn a_search_that_cannot_be_made_is_refused() {
    let bench = Bench::start().await;
    let too_many = vec!["email:\"a@b.example\""; 1_200].join(" AND ");
    for (list, query) in [
        ("products", "created>null"),
        ("payment_intents", "amount<=null"),
        ("customers", "email~null"),
        ("customers", "metadata[\"a\0b\"]:\"1\""),
        ("customers", "email:\"a\0b\""),
        ("charges", "payment_method_details..card:\"visa\""),
        ("charges", "payment_method_details.card.:\"visa\""),
        ("customers", too_many.as_str()),
    ] {
        let request = bench.request("GET", &format!("/v1/{list}/search"));
        let request = request.bearer_auth(KEY).query(&[("query", query)]);
        bench.send(request).await.expect(400);
    }
    let hundred = vec!["email:\"a@b.example\""; 100].join(" OR ");
    let request = bench.request("GET", "/v1/customers/search");
    let request = request.bearer_auth(KEY).query(&[("query", hundred)]);
    bench.send(request).await.expect(200);
}
