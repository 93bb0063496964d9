//! Whether products are taxed as they say: that is up to a setting made elsewhere.

use futures::FutureExt as _;
use shared::product::{Product, TaxBehavior};
use shared::purchase::Billing;

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

async fn check(patient: &Patient) -> Vec<Finding> {
    let billing = match &patient.billing {
        Ok(billing) => *billing,
        Err(wrong) => {
            let says = format!("checkout cannot start: {wrong}");
            let remedy = "set it to true or false, or leave it out";
            return vec![Finding::fail(TAX, says, remedy)];
        }
    };
    match all(&patient.shelf).await {
        Ok(mut products) => {
            products.retain(|product| product.active);
            judge(billing, &products, remedy(patient))
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

/// Nothing if no tax is reckoned and no product says that it is.
fn judge(billing: Billing, products: &[Product], remedy: String) -> Vec<Finding> {
    if billing.automatic_tax {
        return vec![Finding::ok(TAX, "Stripe reckons it for each purchase")];
    }
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
        let off = Billing::default();
        let on = Billing {
            automatic_tax: true,
            ..off
        };
        let found = judge(off, &exclusive, "the remedy".to_owned()).remove(0);
        assert_eq!(found.verdict, Verdict::Warn);
        assert!(
            found.says.contains("of 1 product, such as mug"),
            "{}",
            found.says
        );
        let found = judge(on, &exclusive, String::new()).remove(0);
        assert_eq!(found.verdict, Verdict::Ok);
        for quiet in ["", r#","tax_behavior":"inclusive""#] {
            assert!(judge(off, &[mug(quiet)], String::new()).is_empty());
        }
    }
}
