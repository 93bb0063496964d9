//! A subscription, with all of its items.

use super::{
    client::{Client, StripeError},
    object::SubscriptionObject,
};
use crate::purchase::SubscriptionId;

/// Reads a subscription; `None` if there is none.
pub(crate) async fn read(
    stripe: &Client,
    id: &SubscriptionId,
) -> Result<Option<SubscriptionObject>, StripeError> {
    let path = format!("/subscriptions/{id}");
    let found: Option<SubscriptionObject> = stripe.get(&path, &SubscriptionObject::EXPAND).await?;
    match found {
        Some(object) if object.has_more_items() => {
            let query = SubscriptionObject::items_query(id);
            let items = stripe.list_whole("/subscription_items", &query).await?;
            let whole = object.with_all_items(items);
            whole
                .map(Some)
                .map_err(|error| StripeError::Unreadable(error.to_string()))
        }
        found => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::stripe::scripted::{answer, stripe};

    fn item(number: usize) -> Value {
        json!({
            "id": format!("si_{number}"),
            "quantity": 1,
            "price": {
                "unit_amount": 900,
                "recurring": { "interval": "month", "interval_count": 1 },
                "product": { "id": "prod_1", "name": "Coffee box", "metadata": {} },
            },
            "current_period_start": 100,
            "current_period_end": 200,
        })
    }

    fn subscription(items: &[Value], has_more: bool) -> Option<String> {
        let object = json!({
            "id": "sub_1",
            "status": "active",
            "currency": "usd",
            "items": { "data": items, "has_more": has_more },
            "start_date": 100,
            "cancel_at_period_end": false,
        });
        answer("200 OK", &object.to_string())
    }

    async fn read_from(answers: Vec<Option<String>>) -> (usize, Vec<String>) {
        let (client, server) = stripe(answers).await;
        let id = "sub_1".to_owned().try_into().unwrap();
        let whole = read(&client, &id).await.unwrap().unwrap();
        (whole.reading().unwrap().items.len(), server.join().unwrap())
    }

    #[tokio::test]
    async fn a_subscription_has_all_of_its_items_even_those_it_does_not_show() {
        let items: Vec<_> = (0..20).map(item).collect();
        let all = json!({ "data": items, "has_more": false }).to_string();
        let answers = vec![subscription(&items[..10], true), answer("200 OK", &all)];
        let (count, asked) = read_from(answers).await;
        assert_eq!(count, 20);
        let path = "GET /v1/subscription_items?subscription=sub_1&";
        assert!(asked[1].starts_with(path), "{}", asked[1]);
    }

    #[tokio::test]
    async fn one_that_shows_all_of_its_items_is_read_by_one_call() {
        let items: Vec<_> = (0..10).map(item).collect();
        let (count, asked) = read_from(vec![subscription(&items, false)]).await;
        assert_eq!((count, asked.len()), (10, 1));
    }
}
