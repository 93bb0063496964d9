//! Whether buyers can look after what they subscribe to, if the shop sells anything that recurs.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use futures::FutureExt as _;
use serde::Deserialize;
use shared::mode::Mode;

use super::check::{Ask, Check};
use super::patient::{Deployed, Patient};
use super::report::Finding;
use crate::account::aws::aws_error;

const PORTAL: &str = "billing portal";

/// Of a laptop it is not asked: the stand-in needs no settings.
pub(super) const CHECK: Check = Check {
    title: PORTAL,
    ask: Ask::Deployed(|patient, deployed| check(patient, deployed).boxed()),
};

#[derive(Deserialize)]
struct Configurations {
    data: Vec<Configuration>,
}

#[derive(Deserialize)]
struct Configuration {
    features: Features,
}

#[derive(Deserialize)]
struct Features {
    payment_method_update: Feature,
    subscription_cancel: Feature,
}

#[derive(Deserialize)]
struct Feature {
    enabled: bool,
}

async fn check(patient: &Patient, _: &Deployed) -> Vec<Finding> {
    match something_recurs(patient).await {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(why) => return vec![Finding::not_checked(PORTAL, why)],
    }
    let Some(account) = patient.account() else {
        return vec![Finding::not_checked(
            PORTAL,
            "there is no key to ask Stripe with",
        )];
    };
    let default = [("is_default", "true"), ("active", "true"), ("limit", "1")];
    let found = account
        .get("/billing_portal/configurations", &default)
        .await;
    vec![match found {
        Ok(Configurations { data }) => judge(data.first(), patient.mode),
        Err(refusal) => Finding::not_checked(PORTAL, refusal.to_string()),
    }]
}

fn judge(settings: Option<&Configuration>, mode: Mode) -> Finding {
    let test = match mode {
        Mode::Test => "test/",
        Mode::Live => "",
    };
    let page = |name: &str| format!("https://dashboard.stripe.com/{test}settings/billing/{name}");
    let Some(Configuration { features }) = settings else {
        return Finding::fail(
            PORTAL,
            "it has no settings, so Stripe does not open it, and buyers can neither cancel nor \
             change how they pay",
            format!(
                "choose what buyers may do there, and save it: {}",
                page("portal")
            ),
        );
    };
    let wanted = [
        (&features.payment_method_update, "change how they pay"),
        (&features.subscription_cancel, "cancel"),
    ];
    let missing = wanted.iter().filter(|(feature, _)| !feature.enabled);
    let missing: Vec<_> = missing.map(|(_, what)| *what).collect();
    if missing.is_empty() {
        return Finding::ok(
            PORTAL,
            format!(
                "buyers can change how they pay, and cancel. What becomes of a renewal that fails \
                 only you can see: {}",
                page("automatic")
            ),
        );
    }
    Finding::warn(
        PORTAL,
        format!("buyers cannot {} there", missing.join(", or ")),
        format!("allow it: {}", page("portal")),
    )
}

/// Whether a listed product recurs.
async fn something_recurs(patient: &Patient) -> Result<bool, String> {
    let Some(table) = patient.tables.get("ProductsTable") else {
        return Ok(false);
    };
    let mut pages = patient
        .dynamodb
        .query()
        .table_name(table)
        .index_name("catalog")
        .key_condition_expression("#catalog = :catalog")
        .filter_expression("attribute_exists(recurring)")
        .expression_attribute_names("#catalog", "catalog")
        .expression_attribute_values(":catalog", AttributeValue::S("catalog".to_owned()))
        .select(Select::Count)
        .into_paginator()
        .send();
    while let Some(page) = pages.next().await {
        if page.map_err(|error| aws_error(&error))?.count > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    fn settings(payment_method_update: bool, subscription_cancel: bool) -> Configuration {
        Configuration {
            features: Features {
                payment_method_update: Feature {
                    enabled: payment_method_update,
                },
                subscription_cancel: Feature {
                    enabled: subscription_cancel,
                },
            },
        }
    }

    #[test]
    fn a_portal_without_settings_does_not_open_and_one_that_allows_too_little_is_named() {
        let none = judge(None, Mode::Test);
        assert_eq!(none.verdict, Verdict::Fail);
        let remedy = none.remedy.unwrap();
        assert!(remedy.contains("/test/settings/billing/portal"), "{remedy}");
        let live = judge(None, Mode::Live).remedy.unwrap();
        assert!(live.contains("com/settings/billing/portal"), "{live}");
        let finding = judge(Some(&settings(false, true)), Mode::Live);
        assert_eq!(finding.verdict, Verdict::Warn);
        assert_eq!(finding.says, "buyers cannot change how they pay there");
        let finding = judge(Some(&settings(true, true)), Mode::Live);
        assert_eq!(finding.verdict, Verdict::Ok);
    }
}
