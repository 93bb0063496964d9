//! Each buyer's one customer at Stripe: made when they first subscribe, and found again ever after.

use crate::{
    config::{ConfigError, Stack},
    mode::Mode,
    purchase::CustomerId,
    store::{
        StoreError, Tables,
        customers::{BuyersCustomers, StoredCustomer},
        transaction::{Part, Step, Writer},
    },
    stripe::{
        client::{Client as Stripe, StripeError},
        customer,
    },
};

/// Finds and makes buyers' customers.
#[derive(Clone, Debug)]
pub struct Customers {
    writer: Writer,
    rows: BuyersCustomers,
    stack: Stack,
}

/// Why a buyer has no customer.
#[derive(Debug, thiserror::Error)]
pub enum CustomerError {
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Stripe failed.
    #[error(transparent)]
    Stripe(#[from] StripeError),
}

/// How many customers may turn out to be deleted before this gives up.
const MOST_DELETED: usize = 3;

impl Customers {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables, mode: Mode, stack: Stack) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            rows: BuyersCustomers::of(tables, mode)?,
            stack,
        })
    }

    /// A buyer's customer; `None` if they never subscribed to anything.
    pub async fn find(
        &self,
        stripe: &Stripe,
        subject: &str,
    ) -> Result<Option<CustomerId>, CustomerError> {
        match self.rows.get(subject).await?.customer {
            Some(customer) => Ok(Some(customer)),
            None => Ok(customer::search(stripe, subject, &self.stack).await?),
        }
    }

    /// A buyer's customer, with their present address: the one that is known here, or else one with
    /// our tags, or else a new one. Should it have been deleted at Stripe, another takes its place.
    pub async fn ensure(
        &self,
        stripe: &Stripe,
        subject: &str,
        email: &str,
    ) -> Result<CustomerId, CustomerError> {
        let known = self.rows.get(subject).await?;
        let mut next = known.customer.clone();
        let mut gone: Option<CustomerId> = None;
        for _ in 0..=MOST_DELETED {
            let candidate = match next.take() {
                Some(customer) => customer,
                None => self.other_than(gone.as_ref(), stripe, subject).await?,
            };
            if customer::set_email(stripe, &candidate, email).await? {
                return self.keep(subject, known, candidate).await;
            }
            gone = Some(candidate);
        }
        let why = "each customer that Stripe made or found for a buyer was gone at once";
        Err(StripeError::Unreadable(why.to_owned()).into())
    }

    async fn other_than(
        &self,
        gone: Option<&CustomerId>,
        stripe: &Stripe,
        subject: &str,
    ) -> Result<CustomerId, StripeError> {
        // A deleted one may still be found for a moment.
        let found = customer::search(stripe, subject, &self.stack).await?;
        match found.filter(|found| Some(found) != gone) {
            Some(found) => Ok(found),
            None => customer::create(stripe, subject, &self.stack, gone).await,
        }
    }

    /// Stores a buyer's customer. If another request of theirs was faster, returns that one's.
    async fn keep(
        &self,
        subject: &str,
        known: StoredCustomer,
        customer: CustomerId,
    ) -> Result<CustomerId, CustomerError> {
        let first = known.clone();
        let decide = |row: StoredCustomer| match &row.customer {
            Some(faster) if *faster == customer || row != first => Ok(Step::Done(faster.clone())),
            _ => {
                let put = self.rows.put(subject, &row, &customer)?;
                Ok(Step::Write(vec![Part::vital(put)], customer.clone()))
            }
        };
        let read = || self.rows.get(subject);
        let kept: Result<_, StoreError> = self.writer.run(Some(known), read, decide).await;
        Ok(kept?.answer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        config::Environment,
        store::scripted::{self as database, WRITTEN, refused},
        stripe::scripted::{answer, stripe},
    };

    fn customers(tables: &Tables) -> Customers {
        let environment = Environment::of([("TILL_STACK", "till-prod")]);
        Customers::of(tables, Mode::Test, environment.stack().unwrap()).unwrap()
    }

    /// DynamoDB's answer with a buyer's row.
    fn row(customer: &str, version: u32) -> String {
        let item = json!({
            "pk": { "S": "buyer#ada" },
            "sk": { "S": "customer#test" },
            "version": { "N": version.to_string() },
            "customer": { "S": customer },
        });
        json!({ "Item": item }).to_string()
    }

    fn customer(id: &str) -> Option<String> {
        answer("200 OK", &json!({ "id": id }).to_string())
    }

    fn found(customers: &[(&str, &str)]) -> Option<String> {
        let all_of_ada = customers.iter().map(|(id, stack)| (*id, *stack, "ada"));
        found_of(all_of_ada.collect())
    }

    /// Customers by their ids, deployments and buyers.
    fn found_of(customers: Vec<(&str, &str, &str)>) -> Option<String> {
        let data = customers.into_iter().map(|(id, stack, buyer)| {
            json!({ "id": id, "metadata": { "buyer": buyer, "till_stack": stack } })
        });
        let data: Vec<_> = data.collect();
        let body = json!({ "object": "search_result", "data": data, "has_more": false });
        answer("200 OK", &body.to_string())
    }

    fn gone() -> Option<String> {
        let body = r#"{"error":{"code":"resource_missing","message":"No such customer: 'cus_1'"}}"#;
        answer("404 Not Found", body)
    }

    /// What came of it, what Stripe was asked, and what the database was.
    async fn ensured(
        rows: Vec<String>,
        answers: Vec<Option<String>>,
    ) -> (Result<CustomerId, CustomerError>, Vec<String>, Vec<Value>) {
        let (tables, database) = database::database(rows);
        let (stripe, server) = stripe(answers).await;
        let customers = customers(&tables);
        let customer = customers.ensure(&stripe, "ada", "ada@buyers.example").await;
        (customer, server.join().unwrap(), database.join().unwrap())
    }

    fn key_of(request: &str) -> &str {
        let line = request
            .lines()
            .find(|line| line.starts_with("idempotency-key: "));
        line.unwrap()
    }

    #[tokio::test]
    async fn a_buyers_first_customer_carries_our_tags_and_their_address() {
        let (made, asked, written) = ensured(
            vec![WRITTEN.to_owned(), WRITTEN.to_owned()],
            vec![found(&[]), customer("cus_1"), customer("cus_1")],
        )
        .await;
        assert_eq!(made.unwrap().as_str(), "cus_1");
        assert!(
            asked[0].starts_with(
                "GET /v1/customers/search?query=metadata%5B%22buyer%22%5D%3A%22ada%22"
            ),
            "{}",
            asked[0]
        );
        assert!(asked[1].starts_with("POST /v1/customers "), "{}", asked[1]);
        let tags = "metadata%5Btill_stack%5D=till-prod&metadata%5Bbuyer%5D=ada";
        assert!(asked[1].ends_with(tags), "{}", asked[1]);
        assert!(
            asked[2].starts_with("POST /v1/customers/cus_1 "),
            "{}",
            asked[2]
        );
        assert!(
            asked[2].ends_with("email=ada%40buyers.example"),
            "{}",
            asked[2]
        );
        let put = &written[1]["TransactItems"][0]["Put"];
        assert_eq!(put["Item"]["pk"]["S"], "buyer#ada");
        assert_eq!(put["Item"]["sk"]["S"], "customer#test");
        assert_eq!(put["Item"]["customer"]["S"], "cus_1");
        assert_eq!(put["ConditionExpression"], "attribute_not_exists(pk)");
    }

    #[tokio::test]
    async fn a_known_customer_only_gets_the_present_address() {
        let (known, asked, written) = ensured(vec![row("cus_1", 1)], vec![customer("cus_1")]).await;
        assert_eq!(known.unwrap().as_str(), "cus_1");
        assert_eq!((asked.len(), written.len()), (1, 1));
    }

    #[tokio::test]
    async fn a_lost_customer_is_found_by_our_tags_and_nobody_elses_is() {
        let others = vec![
            ("cus_3", "till-prod", "ada"),
            ("cus_2", "till-prod", "ada"),
            ("cus_1", "other-shop", "ada"),
            ("cus_0", "till-prod", "Ada"),
        ];
        let (found, _, written) = ensured(
            vec![WRITTEN.to_owned(), WRITTEN.to_owned()],
            vec![found_of(others), customer("cus_2")],
        )
        .await;
        assert_eq!(found.unwrap().as_str(), "cus_2");
        let put = &written[1]["TransactItems"][0]["Put"];
        assert_eq!(put["Item"]["customer"]["S"], "cus_2");
    }

    #[tokio::test]
    async fn where_stripe_has_no_search_a_customer_is_made() {
        let unavailable =
            r#"{"error":{"type":"invalid_request_error","message":"Search is not available"}}"#;
        let (made, ..) = ensured(
            vec![WRITTEN.to_owned(), WRITTEN.to_owned()],
            vec![
                answer("400 Bad Request", unavailable),
                customer("cus_1"),
                customer("cus_1"),
            ],
        )
        .await;
        assert_eq!(made.unwrap().as_str(), "cus_1");
    }

    #[tokio::test]
    async fn a_deleted_customer_is_replaced_under_another_key() {
        let (_, first, _) = ensured(
            vec![WRITTEN.to_owned(), WRITTEN.to_owned()],
            vec![found(&[]), customer("cus_1"), customer("cus_1")],
        )
        .await;
        let (replaced, asked, written) = ensured(
            vec![row("cus_1", 1), WRITTEN.to_owned()],
            vec![
                gone(),
                found(&[("cus_1", "till-prod")]),
                customer("cus_2"),
                customer("cus_2"),
            ],
        )
        .await;
        assert_eq!(replaced.unwrap().as_str(), "cus_2");
        assert_ne!(key_of(&asked[2]), key_of(&first[1]));
        let put = &written[1]["TransactItems"][0]["Put"];
        assert_eq!(put["ExpressionAttributeValues"][":version"]["N"], "1");
        assert_eq!(put["Item"]["version"]["N"], "2");
    }

    #[tokio::test]
    async fn of_two_requests_at_once_the_slower_takes_the_fasters_customer() {
        let (slower, ..) = ensured(
            vec![
                WRITTEN.to_owned(),
                refused(&["ConditionalCheckFailed"]),
                row("cus_1", 1),
            ],
            vec![found(&[]), customer("cus_2"), customer("cus_2")],
        )
        .await;
        assert_eq!(slower.unwrap().as_str(), "cus_1");
    }

    #[tokio::test]
    async fn customers_that_keep_being_deleted_are_given_up() {
        let replaced = |number: usize| [found(&[]), customer(&format!("cus_{number}")), gone()];
        let answers = (2..5).flat_map(replaced);
        let answers = std::iter::once(gone()).chain(answers).collect();
        let (given_up, ..) = ensured(vec![row("cus_1", 1)], answers).await;
        assert!(
            matches!(given_up, Err(CustomerError::Stripe(_))),
            "{given_up:?}"
        );
    }
}
