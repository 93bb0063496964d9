//! What of Stripe's API the stand-in does, asked of what answers calls.

use std::collections::BTreeMap;

use url::Url;

use crate::call;
use crate::cli::listeners::Listeners;
use crate::description::Description;
use crate::engine::ids::AccountId;
use crate::wire::answer::Settings;

/// The operations of one resource, as in `GET /v1/customers`.
#[derive(Default)]
struct Resource {
    work: Vec<String>,
    rest: Vec<String>,
}

/// A page in Markdown that says of each operation whether it works.
pub fn coverage() -> anyhow::Result<String> {
    let account = AccountId::of_key("sk_test_local");
    let settings = Settings {
        public_url: Url::parse("http://127.0.0.1")?,
        listeners: Listeners::of(&account)?,
        account,
        business_name: String::new(),
    };
    let description = Description::newest();
    let mut resources: BTreeMap<&str, Resource> = BTreeMap::new();
    for operation in description.operations() {
        let name = operation.template.split('/').nth(2).unwrap_or_default();
        let resource = resources.entry(name).or_default();
        let list = match call::works(&operation, &settings) {
            true => &mut resource.work,
            false => &mut resource.rest,
        };
        list.push(format!("`{} {}`", operation.method, operation.template));
    }
    let works: usize = resources.values().map(|it| it.work.len()).sum();
    let rest: usize = resources.values().map(|it| it.rest.len()).sum();
    let rows: Vec<_> = resources
        .iter()
        .map(|(name, Resource { work, rest })| {
            format!(
                "| `{name}` | {} | {} |\n",
                work.join("<br>"),
                rest.join("<br>")
            )
        })
        .collect();
    Ok(format!(
        "# What of Stripe's API the stand-in does\n\n\
         Made by `cargo run -p stand-in -- api`; a test holds it against the code.\n\n\
         Of {total} operations of Stripe {version}, {works} work. The other {rest} check their \
         parameters and answer 501.\n\n\
         | resource | works | answers 501 |\n| --- | --- | --- |\n{rows}",
        total = works.saturating_add(rest),
        version = description.version(),
        rows = rows.concat(),
    ))
}
