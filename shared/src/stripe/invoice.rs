//! An invoice of a subscription, with all of its lines.

use http::StatusCode;

use super::{
    client::{Client, StripeError},
    object::InvoiceStatement,
};

/// What an invoice says, completed by the lines that it does not show.
pub(crate) async fn with_all_lines(
    stripe: &Client,
    statement: InvoiceStatement,
) -> Result<InvoiceStatement, StripeError> {
    if !statement.has_more_lines {
        return Ok(statement);
    }
    let path = format!("/invoices/{}/lines", statement.id);
    match stripe.list_whole(&path, &[]).await {
        Ok(lines) => statement
            .with_all_lines(lines)
            .map_err(|error| StripeError::Unreadable(error.to_string())),
        // A draft may have been deleted.
        Err(StripeError::Refused { status, .. }) if status == StatusCode::NOT_FOUND => {
            Ok(statement)
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        config::Environment,
        invoice::Period,
        stripe::scripted::{answer, stripe},
    };

    const DELETED: &str = r#"{"error": {"type": "invalid_request_error", "message": "No such"}}"#;

    fn line(id: &str, of_subscription: bool) -> Value {
        let details = match of_subscription {
            true => json!({ "subscription_item_details": { "proration": false } }),
            false => json!({ "invoice_item_details": { "proration": false } }),
        };
        json!({
            "id": id,
            "amount": 500,
            "description": null,
            "period": { "start": 100, "end": if of_subscription { 200 } else { 300 } },
            "parent": details,
        })
    }

    /// The statement of an invoice that shows ten lines, of which none is the subscription's own.
    fn cut_off() -> InvoiceStatement {
        let shown: Vec<_> = (0..10).map(|n| line(&format!("il_{n}"), false)).collect();
        let object = json!({
            "id": "in_1",
            "status": "paid",
            "currency": "eur",
            "total": 6000,
            "amount_due": 6000,
            "amount_paid": 6000,
            "attempt_count": 1,
            "created": 100,
            "lines": { "data": shown, "has_more": true },
            "parent": { "subscription_details": { "subscription": "sub_1" } },
        });
        let stack = Environment::of([("TILL_STACK", "till")]).stack().unwrap();
        InvoiceStatement::of(object, None, &stack).unwrap().unwrap()
    }

    #[tokio::test]
    async fn an_invoice_of_many_lines_pays_for_the_period_of_the_line_it_does_not_show() {
        let page = |lines: &[Value], has_more| {
            answer(
                "200 OK",
                &json!({ "data": lines, "has_more": has_more }).to_string(),
            )
        };
        let first: Vec<_> = (0..10).map(|n| line(&format!("il_{n}"), false)).collect();
        let pages = [page(&first, true), page(&[line("il_10", true)], false)];
        let (client, server) = stripe(pages).await;
        let statement = with_all_lines(&client, cut_off()).await.unwrap();
        let period = Period {
            start: 100,
            end: 200,
        };
        assert_eq!(statement.report.bill.period, Some(period));
        let asked = server.join().unwrap();
        assert!(
            asked[0].starts_with("GET /v1/invoices/in_1/lines?limit=100 "),
            "{}",
            asked[0]
        );
        assert!(asked[1].contains("starting_after=il_9"), "{}", asked[1]);
    }

    #[tokio::test]
    async fn an_invoice_that_was_deleted_meanwhile_has_no_more_lines() {
        let (client, server) = stripe([answer("404 Not Found", DELETED)]).await;
        let statement = with_all_lines(&client, cut_off()).await.unwrap();
        assert_eq!(statement.report.bill.period, None);
        server.join().unwrap();
    }
}
