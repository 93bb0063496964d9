//! `/v1/tax/settings`: where the account pays taxes from, and how its products are taxed if they do not say it
//! themselves. Everybody's account has an office already, so that tax can be reckoned at once; at Stripe that
//! takes a visit to the Dashboard.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::engine::resource::Object;
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::webhook::record::record_change;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::params::Params;

/// It is kept under an id that the API does not show.
const ID: &str = "tax_settings";

/// What an address has beside its country.
const PARTS: [&str; 5] = ["city", "line1", "line2", "postal_code", "state"];

/// What an account has set.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TaxSettings {
    created: Timestamp,
    tax_behavior: Option<String>,
    tax_code: String,
    /// As the API shows it.
    head_office: Value,
}

impl TaxSettings {
    fn of(transaction: &Transaction<'_>) -> anyhow::Result<Self> {
        Ok(transaction.get(ID)?.unwrap_or_else(|| Self {
            created: Timestamp::default(),
            tax_behavior: None,
            tax_code: "txcd_10000000".to_owned(),
            head_office: json!({
                "city": null, "country": "US", "line1": null, "line2": null, "postal_code": null, "state": "CA",
            }),
        }))
    }
}

impl Object for TaxSettings {
    const KIND: &'static str = "tax.settings";

    fn id(&self) -> &str {
        ID
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        json!({
            "object": Self::KIND,
            "defaults": {
                "provider": "stripe",
                "tax_behavior": self.tax_behavior,
                "tax_code": self.tax_code,
            },
            "head_office": { "address": self.head_office },
            "livemode": false,
            "status": "active",
            "status_details": { "active": {} },
        })
    }
}

/// The requests answered here.
pub(super) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("GET", ["tax", "settings"]) => Box::new(show),
        ("POST", ["tax", "settings"]) => Box::new(set),
        _ => return None,
    })
}

fn show<'r>(params: Params) -> Result<Work<'r>, ApiError> {
    params.finish()?;
    Ok(Box::new(|transaction| {
        Ok(TaxSettings::of(transaction)?.answer())
    }))
}

fn set<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let mut defaults = params.object("defaults")?;
    let choices = ["exclusive", "inclusive", "inferred_by_currency"];
    let behavior = defaults.choice("tax_behavior", &choices)?;
    let code = defaults.short_text("tax_code", 5_000)?;
    defaults.finish()?;
    let head_office = match params.optional_object("head_office")? {
        Some(office) => Some(address(office)?),
        None => None,
    };
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut settings = TaxSettings::of(transaction)?;
        let before = settings.answer();
        settings.tax_behavior = behavior.or(settings.tax_behavior);
        settings.tax_code = code.unwrap_or(settings.tax_code);
        settings.head_office = head_office.unwrap_or(settings.head_office);
        if settings.answer() != before {
            transaction.put(&settings)?;
            record_change(transaction, "tax.settings.updated", &before, &settings)?;
        }
        Ok(settings.answer())
    }))
}

/// An office's address replaces the former one as a whole.
fn address(mut office: Params) -> Result<Value, ApiError> {
    let mut address = office.object("address")?;
    office.finish()?;
    let field = "country";
    let Some(country) = address.short_text(field, 2)? else {
        return Err(ApiError::missing(&address.name(field)));
    };
    let mut shown = json!({ field: country });
    if let Value::Object(shown) = &mut shown {
        for part in PARTS {
            shown.insert(part.to_owned(), json!(address.short_text(part, 5_000)?));
        }
    }
    address.finish()?;
    Ok(shown)
}
