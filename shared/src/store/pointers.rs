//! What each payment intent belongs to, because refunds and disputes name nothing else.

use aws_sdk_dynamodb::types::TransactWriteItem;
use serde::Deserialize;

use super::{
    StoreError, Tables, from_item,
    tables::{Table, put_item},
    text,
};
use crate::{
    config::ConfigError,
    purchase::{PaymentIntentId, Subject},
};

/// The pointers in the purchases table.
#[derive(Clone, Debug)]
pub struct Pointers {
    table: Table,
}

#[derive(Deserialize)]
struct PointerItem {
    /// Stored under the name of the first kind of subject there was.
    #[serde(rename = "purchase_id")]
    owner: Subject,
}

const POINTER: &str = "pointer";

impl Pointers {
    /// Fails if the environment does not name the purchases table.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        let table = tables.purchases()?;
        Ok(Self { table })
    }

    /// What a payment intent belongs to, if that was recorded.
    pub async fn owner_of(&self, intent: &PaymentIntentId) -> Result<Option<Subject>, StoreError> {
        let key = key(intent);
        let item = self.table.read([("pk", &key), ("sk", POINTER)]).await?;
        let pointer = item.map(|item| from_item::<PointerItem>(item, &key));
        Ok(pointer.transpose()?.map(|pointer| pointer.owner))
    }

    /// The payment intent's pointer, on condition that there is none to anything else.
    pub(crate) fn put(
        &self,
        intent: &PaymentIntentId,
        owner: &Subject,
    ) -> Result<TransactWriteItem, StoreError> {
        let owner = text(owner.to_string());
        let item = [
            ("pk".to_owned(), text(key(intent))),
            ("sk".to_owned(), text(POINTER)),
            ("purchase_id".to_owned(), owner.clone()),
        ];
        let put = self.table.put(item.into());
        put_item(
            put.condition_expression("attribute_not_exists(pk) OR purchase_id = :owner")
                .expression_attribute_values(":owner", owner),
        )
    }
}

fn key(intent: &PaymentIntentId) -> String {
    format!("intent#{intent}")
}
