//! The tag by which the shop on this machine recognizes its own objects in a Stripe account that
//! others may share. It is created once and kept beside the purchases, so another data folder is
//! another shop.

use crate::environment::Variables;
use crate::environment::said;
use anyhow::Context as _;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use shared::config;
use uuid::Uuid;

/// The variable that every function reads it from.
const NAME: &str = "TILL_STACK";

/// Writes the shop's tag into the environments of its functions: the one that the developer sets,
/// or else the one in the purchases table, or else a new one, which is then kept there.
pub async fn tell<'e>(
    environments: impl Iterator<Item = &'e mut Variables>,
    given: &Variables,
) -> anyhow::Result<()> {
    let mut environments: Vec<_> = environments
        .filter(|environment| environment.contains_key(NAME))
        .collect();
    let books = environments
        .iter()
        .find(|environment| environment.contains_key("PURCHASES_TABLE"));
    let tag = match (said(given, NAME), books) {
        (Some(tag), _) => tag.to_owned(),
        (None, Some(books)) => kept((**books).clone()).await?,
        (None, None) => return Ok(()),
    };
    for environment in &mut environments {
        environment.insert(NAME.to_owned(), tag.clone());
    }
    Ok(())
}

/// The tag in the purchases table.
async fn kept(environment: Variables) -> anyhow::Result<String> {
    let environment = config::Environment::from(environment);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let call = shared::store::client(&environment)?
        .update_item()
        .table_name(environment.required("PURCHASES_TABLE")?)
        .key("pk", text("stack"))
        .key("sk", text("tag"))
        .update_expression("SET tag = if_not_exists(tag, :new)")
        .expression_attribute_values(":new", text(&format!("local-{}", Uuid::now_v7())))
        .return_values(ReturnValue::AllNew);
    let answer = call.send().await;
    let answer = answer.context("cannot keep the shop's tag in the purchases table")?;
    let tag = answer.attributes.and_then(|mut row| row.remove("tag"));
    let tag = tag.and_then(|tag| tag.as_s().ok().cloned());
    tag.context("the purchases table returned no tag")
}
