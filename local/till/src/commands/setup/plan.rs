//! What has to change at Stripe.

use std::collections::BTreeSet;

use anyhow::bail;
use shared::stripe::event::handled;

use crate::account::stripe::{Endpoint, STACK_TAG};

/// Something to do at Stripe.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Create {
        why: String,
    },
    Update {
        id: String,
        form: Vec<(String, String)>,
        says: String,
    },
    Remove {
        id: String,
        why: String,
    },
}

impl Step {
    pub(super) fn says(&self, wanted: &Wanted) -> String {
        match self {
            Self::Create { why } => format!(
                "create a webhook endpoint for {}, API version {}, {} event types ({why}), and store \
                 its secret",
                wanted.url,
                wanted.version,
                handled().len()
            ),
            Self::Update { id, says, .. } => format!("change {id}: {says}"),
            Self::Remove { id, why } => format!("remove {id}: {why}"),
        }
    }
}

/// The endpoint as it should be.
pub(super) struct Wanted {
    /// The stack's name.
    pub(super) stack: String,
    /// What tells its endpoints from those of others.
    pub(super) tag: String,
    pub(super) url: String,
    pub(super) version: String,
}

/// What has to change until the newest endpoint is right.
pub(super) fn plan(
    all: &[Endpoint],
    stored: &[String],
    wanted: &Wanted,
    rotate: bool,
) -> Vec<Step> {
    let ours: Vec<&Endpoint> = all
        .iter()
        .filter(|endpoint| wanted.is_served_by(endpoint))
        .collect();
    let current = ours
        .iter()
        .copied()
        .filter(|endpoint| endpoint.api_version.as_deref() == Some(&wanted.version))
        // Of several, one that works or may; of those the newest.
        .max_by_key(|endpoint| {
            let lost = endpoint.signs_with_one_of(stored) == Some(false);
            (!lost, endpoint.is_enabled(), endpoint.created)
        });
    let create = |why: &str| Step::Create {
        why: why.to_owned(),
    };
    let Some(current) = current else {
        return vec![match ours.first() {
            None => create("there is none yet"),
            Some(other) => create(&format!(
                "beside {}, which is at {}",
                other.id,
                other
                    .api_version
                    .as_deref()
                    .unwrap_or("the account's default version")
            )),
        }];
    };
    if stored.is_empty() || current.signs_with_one_of(stored) == Some(false) {
        return vec![
            create(&format!(
                "the secret of {} is not stored, and Stripe does not show it again",
                current.id
            )),
            Step::Remove {
                id: current.id.clone(),
                why: "what it sends is refused".into(),
            },
        ];
    }
    let mut steps: Vec<Step> = wanted.update(current).into_iter().collect();
    if rotate {
        steps.push(create(&format!("beside {}", current.id)));
    }
    steps
}

/// What is not needed beside the newest endpoint.
pub(super) fn retire(
    all: &[Endpoint],
    stored: &[String],
    wanted: &Wanted,
) -> anyhow::Result<Vec<Step>> {
    let ours: Vec<&Endpoint> = all
        .iter()
        .filter(|endpoint| wanted.is_served_by(endpoint))
        .collect();
    let keep = ours.iter().find(|endpoint| {
        endpoint.is_enabled()
            && endpoint.delivers_to(&wanted.url)
            && endpoint.api_version.as_deref() == Some(&wanted.version)
            && endpoint.signs_with_one_of(stored) == Some(true)
    });
    let Some(keep) = keep else {
        bail!(
            "none of the stack's endpoints is enabled, at API version {} and known to have its secret \
             stored, so none can be removed: run `till setup --rotate` first",
            wanted.version
        );
    };
    let older = ours.iter().filter(|endpoint| endpoint.id != keep.id);
    Ok(older
        .map(|endpoint| Step::Remove {
            id: endpoint.id.clone(),
            why: format!("{} delivers in its place", keep.id),
        })
        .collect())
}

impl Wanted {
    pub(super) fn is_served_by(&self, endpoint: &Endpoint) -> bool {
        endpoint.delivers_to(&self.url) || endpoint.serves(&self.tag)
    }

    /// What is wrong with an endpoint that can be put right.
    fn update(&self, endpoint: &Endpoint) -> Option<Step> {
        let mut form = Vec::new();
        let mut says = Vec::new();
        let sent: BTreeSet<&str> = endpoint.enabled_events.iter().map(String::as_str).collect();
        if sent != handled().collect() {
            form.extend(event_form());
            says.push(format!(
                "send the {} event types that are handled",
                handled().len()
            ));
        }
        if !endpoint.delivers_to(&self.url) {
            form.push(("url".to_owned(), self.url.clone()));
            says.push(format!(
                "deliver to {}, no longer to {}",
                self.url, endpoint.url
            ));
        }
        if !endpoint.is_enabled() {
            form.push(("disabled".to_owned(), "false".to_owned()));
            says.push("enable it".to_owned());
        }
        if !endpoint.serves(&self.tag) {
            form.push((format!("metadata[{STACK_TAG}]"), self.tag.clone()));
            says.push(format!("tag it {STACK_TAG}={}", self.tag));
        }
        let id = endpoint.id.clone();
        (!form.is_empty()).then(|| Step::Update {
            id,
            form,
            says: says.join(", "),
        })
    }
}

/// The events that are handled, as a form has a list.
pub(super) fn event_form() -> impl Iterator<Item = (String, String)> {
    let events = handled().enumerate();
    events.map(|(index, event)| (format!("enabled_events[{index}]"), event.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::stripe::client::api_version;

    use super::*;
    use crate::account::stripe::{SECRET_TAG, fingerprint};

    const URL: &str = "https://x.lambda-url.eu-central-1.on.aws/";

    fn wanted() -> Wanted {
        Wanted {
            stack: "shop".into(),
            tag: "shop-1".into(),
            url: URL.into(),
            version: api_version().into(),
        }
    }

    /// An endpoint as `till setup` leaves it, with some changes.
    fn endpoint(id: &str, created: i64, changes: Value) -> Endpoint {
        let mut endpoint = json!({
            "id": id, "url": URL, "status": "enabled", "enabled_events": handled().collect::<Vec<_>>(),
            "api_version": api_version(), "created": created,
            "metadata": { STACK_TAG: "shop-1", SECRET_TAG: fingerprint(&format!("whsec_{id}")) },
        });
        for (name, value) in changes.as_object().unwrap() {
            endpoint[name] = value.clone();
        }
        serde_json::from_value(endpoint).unwrap()
    }

    fn planned(all: &[Endpoint], stored: &[&str]) -> Vec<String> {
        let stored: Vec<String> = stored.iter().map(|text| (*text).to_owned()).collect();
        let steps = plan(all, &stored, &wanted(), false);
        steps.iter().map(|step| step.says(&wanted())).collect()
    }

    #[test]
    fn an_endpoint_that_is_right_is_left_alone() {
        assert!(planned(&[endpoint("we_1", 1, json!({}))], &["whsec_we_1"]).is_empty());
        let by_hand = endpoint("we_1", 1, json!({ "metadata": { STACK_TAG: "shop-1" } }));
        assert!(planned(&[by_hand], &["whsec_a"]).is_empty());
    }

    #[test]
    fn an_endpoint_that_delivers_here_under_another_tag_gets_the_stacks_tag() {
        let named = endpoint("we_1", 1, json!({ "metadata": { STACK_TAG: "shop" } }));
        let steps = planned(&[named], &["whsec_a"]);
        assert_eq!(steps, ["change we_1: tag it till_stack=shop-1"]);
    }

    #[test]
    fn all_that_can_be_put_right_is_put_right_in_one_step() {
        let wrong = endpoint(
            "we_1",
            1,
            json!({
                "status": "disabled", "enabled_events": ["*"], "url": "https://old.example.com/",
            }),
        );
        let steps = planned(&[wrong], &["whsec_we_1"]);
        let [step] = &steps[..] else {
            panic!("{steps:?}")
        };
        let events = format!("send the {} event types", handled().len());
        for change in [
            events.as_str(),
            "no longer to https://old.example.com/",
            "enable it",
        ] {
            assert!(step.contains(change), "{step}");
        }
    }

    #[test]
    fn an_endpoint_whose_secret_is_lost_is_replaced() {
        for stored in [&["whsec_other"][..], &[]] {
            let steps = planned(&[endpoint("we_1", 1, json!({}))], stored);
            assert!(steps[0].starts_with("create"), "{steps:?}");
            assert!(steps[1].starts_with("remove we_1"), "{steps:?}");
        }
    }

    #[test]
    fn an_endpoint_that_works_makes_up_for_one_whose_secret_is_lost() {
        let works = endpoint("we_1", 1, json!({}));
        let lost = endpoint("we_2", 2, json!({}));
        assert!(planned(&[lost, works], &["whsec_we_1"]).is_empty());
    }

    #[test]
    fn another_version_gets_an_endpoint_beside_the_present_one() {
        for version in [json!(null), json!("2024-06-20")] {
            let present = endpoint("we_1", 1, json!({ "api_version": version }));
            let steps = planned(&[present], &["whsec_we_1"]);
            let [step] = &steps[..] else {
                panic!("{steps:?}")
            };
            assert!(
                step.contains(api_version()) && step.contains("beside we_1"),
                "{step}"
            );
        }
    }

    #[test]
    fn endpoints_of_other_stacks_are_left_alone() {
        let other = endpoint(
            "we_2",
            2,
            json!({ "url": "https://other.example.com", "metadata": { STACK_TAG: "shop-2" } }),
        );
        let steps = planned(std::slice::from_ref(&other), &[]);
        let [step] = &steps[..] else {
            panic!("{steps:?}")
        };
        assert!(step.contains("there is none"), "{step}");
        let ours = endpoint("we_1", 1, json!({}));
        let left = retire(&[other, ours], &["whsec_we_1".into()], &wanted()).unwrap();
        assert_eq!(left, []);
    }

    #[test]
    fn only_an_endpoint_that_is_known_to_work_lets_others_go() {
        let old = endpoint("we_1", 1, json!({}));
        let new = endpoint("we_2", 2, json!({}));
        let all = [new, old];
        let both = ["whsec_we_2".to_owned(), "whsec_we_1".to_owned()];
        let steps = retire(&all, &both, &wanted()).unwrap();
        assert!(
            matches!(&steps[..], [Step::Remove { id, .. }] if id == "we_1"),
            "{steps:?}"
        );
        assert!(retire(&all, &[], &wanted()).is_err());
        let disabled = [endpoint("we_2", 2, json!({ "status": "disabled" }))];
        assert!(retire(&disabled, &both, &wanted()).is_err());
    }
}
