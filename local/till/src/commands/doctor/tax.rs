//! Whether products are taxed as they say: that is up to a setting made elsewhere.

use futures::FutureExt as _;
use serde::Deserialize;
use shared::mode::Mode;
use shared::product::{Product, TaxBehavior};

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;
use crate::commands::console::count;
use crate::commands::products::all;

const TAX: &str = "tax";

pub(super) const CHECK: Check = Check {
    title: TAX,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

/// Stripe's `tax.settings`.
#[derive(Deserialize)]
struct Settings {
    status: String,
    status_details: StatusDetails,
}

#[derive(Deserialize)]
struct StatusDetails {
    pending: Option<Pending>,
}

#[derive(Deserialize)]
struct Pending {
    #[serde(default)]
    missing_fields: Vec<String>,
}

async fn check(patient: &Patient) -> Vec<Finding> {
    let billing = match &patient.billing {
        Ok(billing) => *billing,
        Err(wrong) => {
            let says = format!("checkout cannot start: {wrong}");
            let remedy = "set it to true or false, or leave it out";
            return vec![Finding::fail(TAX, says, remedy)];
        }
    };
    if billing.automatic_tax {
        return vec![set_up(patient).await];
    }
    match all(&patient.shelf).await {
        Ok(mut products) => {
            products.retain(|product| product.active);
            judge(&products, remedy(patient))
        }
        Err(error) => vec![Finding::not_checked(TAX, error.to_string())],
    }
}

fn remedy(patient: &Patient) -> String {
    let turn_on = match &patient.deployed {
        Some(_) => "deploy with AutomaticTax=true",
        None => "set AUTOMATIC_TAX=true in .env",
    };
    format!("{turn_on}, or `till products set … tax_behavior=none`")
}

/// Whether Stripe Tax knows what it needs to: until then, Stripe refuses each session.
async fn set_up(patient: &Patient) -> Finding {
    let Some(account) = patient.account() else {
        return Finding::not_checked(TAX, "there is no key to ask Stripe with");
    };
    match account.get("/tax/settings", &[]).await {
        Ok(settings) => judge_settings(&settings, patient.mode),
        Err(refusal) => Finding::not_checked(TAX, refusal.to_string()),
    }
}

fn judge_settings(settings: &Settings, mode: Mode) -> Finding {
    if settings.status == "active" {
        return Finding::ok(TAX, "Stripe reckons it for each purchase");
    }
    let pending = settings.status_details.pending.as_ref();
    let missing = pending.map(|pending| pending.missing_fields.join(", "));
    let missing = missing.filter(|names| !names.is_empty());
    let test = match mode {
        Mode::Test => "test/",
        Mode::Live => "",
    };
    Finding::fail(
        TAX,
        format!(
            "AutomaticTax is on, but Stripe Tax is not set up, so Stripe refuses every checkout; it does not \
             know: {}",
            missing.as_deref().unwrap_or("what is not said")
        ),
        format!("set it up: https://dashboard.stripe.com/{test}settings/tax"),
    )
}

/// Nothing if no product says that it is taxed.
fn judge(products: &[Product], remedy: String) -> Vec<Finding> {
    let plus = |product: &&Product| product.tax_behavior == Some(TaxBehavior::Exclusive);
    let named: Vec<_> = products.iter().filter(plus).collect();
    let Some(first) = named.first() else {
        return Vec::new();
    };
    let says = format!(
        "the site says \"plus tax\" of {}, such as {}, but none is charged: AutomaticTax is off",
        count(named.len(), "product"),
        first.id
    );
    vec![Finding::warn(TAX, says, remedy)]
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    fn mug(tax_behavior: &str) -> Product {
        let text = format!(
            r#"{{"id":"mug","name":"Mug","price":{{"amount":1500,"currency":"usd"}},
            "active":true{tax_behavior}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_price_that_promises_a_tax_which_nobody_charges_is_named() {
        let exclusive = [mug(r#","tax_behavior":"exclusive""#)];
        let found = judge(&exclusive, "the remedy".to_owned()).remove(0);
        assert_eq!(found.verdict, Verdict::Warn);
        assert!(
            found.says.contains("of 1 product, such as mug"),
            "{}",
            found.says
        );
        for quiet in ["", r#","tax_behavior":"inclusive""#] {
            assert!(judge(&[mug(quiet)], String::new()).is_empty());
        }
    }

    #[test]
    fn a_tax_that_stripe_is_not_set_up_for_is_a_fault_because_nobody_can_buy() {
        let settings = |text: &str| serde_json::from_str::<Settings>(text).unwrap();
        let active = settings(r#"{"status":"active","status_details":{"active":{}}}"#);
        assert_eq!(judge_settings(&active, Mode::Live).verdict, Verdict::Ok);
        let pending = settings(
            r#"{"status":"pending","status_details":{"pending":{"missing_fields":["head_office"]}}}"#,
        );
        let found = judge_settings(&pending, Mode::Test);
        assert_eq!(found.verdict, Verdict::Fail);
        assert!(found.says.ends_with("know: head_office"), "{}", found.says);
        let remedy = found.remedy.unwrap();
        assert!(remedy.contains("/test/settings/tax"), "{remedy}");
    }
}
