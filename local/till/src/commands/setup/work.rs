//! Taking the steps of a plan: at Stripe, and where the secrets are kept.

use anyhow::{Context as _, bail};

use super::plan::{Step, Wanted, event_form};
use crate::account::secrets::{Held, SecretStore};
use crate::account::stripe::{Account, Endpoint, Refusal, SECRET_TAG, STACK_TAG, fingerprint};

/// The variable that the functions read the webhook's secrets from.
pub(super) const SECRETS: &str = "STRIPE_WEBHOOK_SECRETS";

/// Where the steps are taken.
pub(super) struct Work<'w> {
    pub(super) account: &'w Account,
    pub(super) store: &'w SecretStore,
    /// Of the webhook's secrets in the store.
    pub(super) name: &'w str,
    pub(super) wanted: &'w Wanted,
}

impl Work<'_> {
    pub(super) async fn take(&self, step: &Step, held: &mut Option<Held>) -> anyhow::Result<()> {
        match step {
            Step::Create { .. } => self.create(held).await,
            Step::Update { id, form, .. } => {
                let form: Vec<(&str, &str)> = form
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect();
                let changed = self.account.post::<Endpoint>(&path(id), &form).await;
                changed.map_err(|error| explain(error, "change"))?;
                Ok(())
            }
            Step::Remove { id, .. } => {
                let removed = self.account.delete(&path(id)).await;
                removed.map_err(|error| explain(error, "remove"))
            }
        }
    }

    async fn create(&self, held: &mut Option<Held>) -> anyhow::Result<()> {
        let Wanted {
            stack,
            tag,
            url,
            version,
        } = self.wanted;
        let description = format!("Till, stack {stack}");
        let (stack_tag, secret_tag) = (
            format!("metadata[{STACK_TAG}]"),
            format!("metadata[{SECRET_TAG}]"),
        );
        let events: Vec<(String, String)> = event_form().collect();
        let mut form = vec![
            ("url", url.as_str()),
            ("api_version", version.as_str()),
            ("description", description.as_str()),
            (stack_tag.as_str(), tag.as_str()),
            // Should the answer get lost, nobody takes the secret for a stored one.
            (secret_tag.as_str(), "unknown"),
        ];
        form.extend(
            events
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        let endpoint = self
            .account
            .post::<Endpoint>("/webhook_endpoints", &form)
            .await;
        let endpoint = endpoint.map_err(|error| explain(error, "create"))?;
        let id = &endpoint.id;
        let secret = endpoint.secret.as_deref().unwrap_or_default();
        let stored = self.keep(secret, held).await;
        if let Err(error) = stored {
            // Its secret is not to be had again.
            let removed = self.account.delete(&path(id)).await;
            let left = match removed {
                Ok(()) => format!("{id} was removed again"),
                Err(why) => format!("{id} could not be removed again ({why}); remove it by hand"),
            };
            return Err(error.context(format!("the secret of {id} could not be stored; {left}")));
        }
        let print = fingerprint(secret);
        let tagged = self
            .account
            .post::<Endpoint>(&path(id), &[(&secret_tag, &print)])
            .await;
        tagged.with_context(|| format!("{id} works, but could not be tagged; run this again"))?;
        Ok(())
    }

    /// The newest secret comes first.
    async fn keep(&self, secret: &str, held: &mut Option<Held>) -> anyhow::Result<()> {
        if secret.is_empty() {
            bail!("Stripe's answer has no secret");
        }
        let mut secrets = list(held.as_ref());
        secrets.insert(0, secret.to_owned());
        let text = secrets.join(",");
        self.store
            .write(self.name, SECRETS, &text, held.as_ref())
            .await?;
        *held = self.store.read(self.name, SECRETS).await?;
        Ok(())
    }

    /// Keeps the secrets of the endpoints that are left.
    pub(super) async fn forget(
        &self,
        before: &[Endpoint],
        steps: &[Step],
        held: Option<&Held>,
    ) -> anyhow::Result<()> {
        let is_left = |endpoint: &&Endpoint| {
            let id = &endpoint.id;
            self.wanted.is_served_by(endpoint)
                && !steps
                    .iter()
                    .any(|step| matches!(step, Step::Remove { id: removed, .. } if removed == id))
        };
        let left: Vec<&Endpoint> = before.iter().filter(is_left).collect();
        let mut secrets = list(held);
        let all = secrets.len();
        secrets.retain(|secret| {
            let tag = fingerprint(secret);
            left.iter()
                .any(|endpoint| endpoint.metadata.get(SECRET_TAG) == Some(&tag))
        });
        if secrets.is_empty() || secrets.len() == all {
            return Ok(());
        }
        self.store
            .write(self.name, SECRETS, &secrets.join(","), held)
            .await?;
        Ok(())
    }
}

fn path(id: &str) -> String {
    format!("/webhook_endpoints/{id}")
}

/// The secrets in a comma-separated list.
pub(super) fn list(held: Option<&Held>) -> Vec<String> {
    let texts = held.iter().flat_map(|held| held.text.split(','));
    let texts = texts.map(|text| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

/// What Stripe refused, and what to do about it.
pub(super) fn explain(error: Refusal, access: &str) -> anyhow::Error {
    match error {
        Refusal::Forbidden(_) => anyhow::anyhow!(
            "{error}: to {access} webhook endpoints, run this again with STRIPE_SECRET_KEY set to a key \
             with Webhook Endpoints: Write; that key is not stored"
        ),
        error => error.into(),
    }
}
