//! `till setup`: makes or mends the webhook endpoint at Stripe and keeps its secret where the
//! functions read it. It may be run as often as one likes.

mod protection;

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use shared::mode::Mode;
use shared::stripe::client::{LONGEST_PAGE, api_version};
use shared::stripe::event::handled;
use shared::stripe::key::StripeKey;

use super::console::{Consent, Console};
use super::exit::Exit;
use super::shop::Where;
use crate::account::aws::AwsAccount;
use crate::account::secrets::{Held, Owner, SecretStore};
use crate::account::stripe::{
    Account, Endpoint, Refusal, SECRET_TAG, STACK_TAG, api_base, fingerprint,
};
use crate::account::stripe_key;
use crate::account::web::Web;

const KEY: &str = "STRIPE_SECRET_KEY";
const SECRETS: &str = "STRIPE_WEBHOOK_SECRETS";

/// `till setup`.
#[derive(Args)]
pub(super) struct Setup {
    #[command(flatten)]
    place: Where,
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Ask for another Stripe key and store it in place of the present one
    #[arg(long)]
    new_key: bool,
    /// Make a second endpoint, with a new secret; the present one goes on beside it
    #[arg(long)]
    rotate: bool,
    /// Remove the older endpoints and their secrets, so that only the newest is left
    #[arg(long, conflicts_with = "rotate")]
    retire: bool,
    /// The API version of the endpoint's events [default: the one the code is written for]
    #[arg(long, value_name = "VERSION")]
    api_version: Option<String>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    console: Console,
}

/// Something to do at Stripe.
#[derive(Debug, PartialEq, Eq)]
enum Step {
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
    fn says(&self, wanted: &Wanted) -> String {
        match self {
            Self::Create { why } => format!(
                "create a webhook endpoint at {} for {}, {} event types ({why}), and store its secret",
                wanted.version,
                wanted.url,
                handled().len()
            ),
            Self::Update { id, says, .. } => format!("change {id}: {says}"),
            Self::Remove { id, why } => format!("remove {id}: {why}"),
        }
    }
}

/// The endpoint as it should be.
struct Wanted {
    /// The stack's name.
    stack: String,
    /// What tells its endpoints from those of others.
    tag: String,
    url: String,
    version: String,
}

/// What to do, in words.
#[derive(Serialize)]
struct Told {
    shop: String,
    /// Whether it was done.
    done: bool,
    steps: Vec<String>,
}

impl Setup {
    /// Plans, asks and does.
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        if !self.place.is_deployed() {
            bail!(
                "the shop on this machine needs no setting up: the stand-in knows its webhook, and \
                 with a key of your own `stripe listen` delivers. For a deployed shop say --stack NAME"
            );
        }
        let shop = self.place.open().await?;
        let stack = shop.stack.as_ref().context("the shop is no stack")?;
        let environment = &shop.environment;
        let aws = self.place.aws().await?;
        let web = Web::new(aws.endpoint_url())?;
        let aws = AwsAccount::new(web.clone(), aws);
        let own = environment.stack()?;
        let tag = own.tag().to_owned();
        let store = SecretStore::new(aws, stack.parameter("SecretsStore").ok(), own)?;
        let key_name = environment.required("STRIPE_SECRET_KEY_PARAMETER")?;
        let secrets_name = environment.required("STRIPE_WEBHOOK_SECRETS_PARAMETER")?;
        let (key, secrets) =
            futures::join!(store.read(key_name, KEY), store.read(secrets_name, SECRETS),);
        let key = key.with_context(|| format!("{} cannot be read", store.place(key_name)))?;
        let secrets =
            secrets.with_context(|| format!("{} cannot be read", store.place(secrets_name)))?;
        let there = [(key_name, &key), (secrets_name, &secrets)];
        let there = there.iter().filter(|(_, held)| held.is_some());
        let there: Vec<&str> = there.map(|(name, _)| *name).collect();
        let unclaimed = unclaimed(&store, &there, &tag).await?;

        let usable = key.as_ref().filter(|_| !self.new_key);
        let usable = usable.and_then(|key| stripe_key::judge(&key.text, shop.mode).ok());
        let operator_key = stripe_key::operators(shop.mode)?;
        let new_key = match (&usable, &operator_key) {
            (Some(_), _) => None,
            (None, Some(given)) => Some(given.clone()),
            (None, None) => Some(self.ask_for_key(shop.mode)?),
        };
        let own = new_key.as_ref().or(usable.as_ref());
        let asking = operator_key.as_ref().or(own);
        let asking = asking.context("there is no Stripe key")?;
        let base = api_base(environment.optional("STRIPE_API_BASE"))?;
        let account = Account::new(&web, &base, asking.clone());

        let wanted = Wanted {
            stack: stack.name.clone(),
            tag,
            url: stack.output("WebhookUrl")?.to_owned(),
            version: self
                .api_version
                .clone()
                .unwrap_or_else(|| api_version().to_owned()),
        };
        let endpoints = account.endpoints().await;
        let endpoints = endpoints.map_err(|error| explain(error, "read"))?;
        let stored = list(secrets.as_ref());
        let steps = if self.retire {
            retire(&endpoints, &stored, &wanted)?
        } else {
            plan(&endpoints, &stored, &wanted, self.rotate)
        };

        let unprotected = protection::unprotected(environment).await?;
        let mut says: Vec<String> = steps.iter().map(|step| step.says(&wanted)).collect();
        let protect = |table: &String| format!("protect the table {table} from being deleted");
        says.extend(unprotected.iter().map(protect));
        if new_key.is_some() {
            let place = store.place(key_name);
            let verb = if key.is_some() {
                "replace the Stripe key in"
            } else {
                "store the Stripe key as"
            };
            says.insert(0, format!("{verb} {place}"));
        }
        let claims = unclaimed.iter();
        says.extend(claims.map(|name| format!("tag {} as this stack's", store.place(name))));
        let mut told = Told {
            shop: shop.name().to_owned(),
            done: false,
            steps: says,
        };
        if told.steps.is_empty() || self.dry_run {
            self.console.show(&told, || told.words("Would"))?;
            return Ok(Exit::Done);
        }
        self.console.note(&told.words("Will"));
        if self.retire {
            self.note_undelivered(&account).await;
        }
        self.consent.ask("Go ahead?")?;

        for name in unclaimed {
            store.claim(name).await?;
        }
        if let Some(new_key) = &new_key {
            let text = new_key.reveal();
            store.write(key_name, KEY, text, key.as_ref()).await?;
        }
        let work = Work {
            account: &account,
            store: &store,
            name: secrets_name,
            wanted: &wanted,
        };
        let mut held = secrets;
        for step in &steps {
            work.take(step, &mut held).await?;
        }
        for table in &unprotected {
            protection::protect(environment, table).await?;
        }
        if self.retire {
            work.forget(&endpoints, &steps, held.as_ref()).await?;
        }
        told.done = true;
        self.console.show(&told, || {
            format!(
                "Done. `till doctor --stack {}{}` checks it.\n",
                wanted.stack,
                self.place.options()
            )
        })?;
        Ok(Exit::Done)
    }

    /// From standard input: unseen if a person types it, else the first line.
    fn ask_for_key(&self, mode: Mode) -> anyhow::Result<StripeKey> {
        let stdin = std::io::stdin();
        let text = if stdin.is_terminal() {
            self.console.note("The Stripe key (sk_… or rk_…) from https://dashboard.stripe.com/apikeys; it does not show:");
            let line = console::Term::stderr().read_secure_line();
            line.context("cannot read the key from the terminal")?
        } else {
            let mut text = String::new();
            // No more than that: the next line may be the answer to what is asked next.
            let read = stdin.lock().take(4096).read_line(&mut text);
            read.context("cannot read the key from standard input")?;
            text
        };
        let key = text.trim();
        if key.is_empty() {
            bail!("a Stripe key is needed: type it when asked, pipe it in, or set {KEY}");
        }
        match stripe_key::judge(key, mode) {
            Ok(key) => Ok(key),
            Err((says, remedy)) => bail!("that is no key for this shop: {says}; {remedy}"),
        }
    }

    /// Whoever removes an endpoint ends what it still had to deliver.
    async fn note_undelivered(&self, account: &Account) {
        #[derive(Deserialize)]
        struct Events {
            data: Vec<Event>,
        }
        #[derive(Deserialize)]
        struct Event {
            id: String,
            #[serde(rename = "type")]
            kind: String,
        }
        let undelivered = [("delivery_success", "false"), ("limit", LONGEST_PAGE)];
        let Ok(events) = account.get::<Events>("/events", &undelivered).await else {
            return;
        };
        let ours = events
            .data
            .iter()
            .filter(|event| handled().any(|kind| kind == event.kind));
        let ids: Vec<&str> = ours.map(|event| event.id.as_str()).collect();
        if !ids.is_empty() {
            self.console.note(&format!(
                "Not delivered yet: {}. They end with the endpoint that still tries; \
                 `till events replay` records them.",
                ids.join(", ")
            ));
        }
    }
}

/// Those of some secrets that carry no stack's tag. Refuses to go on with another stack's.
async fn unclaimed<'n>(
    store: &SecretStore,
    names: &[&'n str],
    tag: &str,
) -> anyhow::Result<Vec<&'n str>> {
    let mut unclaimed = Vec::new();
    for name in names {
        let place = store.place(name);
        let owner = store.owner(name).await;
        match owner.with_context(|| format!("whose {place} is cannot be read"))? {
            Owner::Us => {}
            Owner::Nobody => unclaimed.push(*name),
            Owner::Other(other) => bail!(
                "{place} belongs to another stack, {other}; this one is {tag}. Leave it out of the \
                 stack's parameters, or name another there, and deploy; if that was this shop's tag \
                 once, deploy with FormerStackTags={other}"
            ),
        }
    }
    Ok(unclaimed)
}

fn explain(error: Refusal, access: &str) -> anyhow::Error {
    match error {
        Refusal::Forbidden(_) => anyhow::anyhow!(
            "{error}: to {access} webhook endpoints, give a key that may in {KEY}; it is not stored"
        ),
        error => error.into(),
    }
}

impl Told {
    fn words(&self, will: &str) -> String {
        if self.steps.is_empty() {
            return format!("{}: nothing to do.\n", self.shop);
        }
        let steps = self.steps.iter().map(|step| format!("  - {step}\n"));
        format!(
            "{will}, for the {}:\n{}",
            self.shop,
            steps.collect::<String>()
        )
    }
}

/// The secrets in a comma-separated list.
fn list(held: Option<&Held>) -> Vec<String> {
    let texts = held.iter().flat_map(|held| held.text.split(','));
    let texts = texts.map(|text| text.trim().to_owned());
    texts.filter(|text| !text.is_empty()).collect()
}

/// What has to change until the newest endpoint is right.
fn plan(all: &[Endpoint], stored: &[String], wanted: &Wanted, rotate: bool) -> Vec<Step> {
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
            None => create("there is none"),
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
                why: "nothing it sends is believed".into(),
            },
        ];
    }
    let mut steps: Vec<Step> = wanted.update(current).into_iter().collect();
    if rotate {
        steps.push(create(&format!("beside {}", current.id)));
    }
    steps
}

/// What is superfluous beside the newest endpoint.
fn retire(all: &[Endpoint], stored: &[String], wanted: &Wanted) -> anyhow::Result<Vec<Step>> {
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
            "none of the stack's endpoints is enabled, at {} and known to have its secret stored, so \
             none can be spared; run `till setup --rotate` first",
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
    fn is_served_by(&self, endpoint: &Endpoint) -> bool {
        endpoint.delivers_to(&self.url) || endpoint.serves(&self.tag)
    }

    /// What is wrong with an endpoint that can be put right.
    fn update(&self, endpoint: &Endpoint) -> Option<Step> {
        let mut form = Vec::new();
        let mut says = Vec::new();
        let sent: std::collections::BTreeSet<&str> =
            endpoint.enabled_events.iter().map(String::as_str).collect();
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

fn event_form() -> impl Iterator<Item = (String, String)> {
    let events = handled().enumerate();
    events.map(|(index, event)| (format!("enabled_events[{index}]"), event.to_owned()))
}

/// Where the steps are taken.
struct Work<'w> {
    account: &'w Account,
    store: &'w SecretStore,
    name: &'w str,
    wanted: &'w Wanted,
}

impl Work<'_> {
    async fn take(&self, step: &Step, held: &mut Option<Held>) -> anyhow::Result<()> {
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
            bail!("Stripe's answer shows no secret");
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
    async fn forget(
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

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
    fn an_endpoint_that_was_tagged_otherwise_but_delivers_here_is_tagged_anew() {
        let named = endpoint("we_1", 1, json!({ "metadata": { STACK_TAG: "shop" } }));
        let steps = planned(&[named], &["whsec_a"]);
        assert_eq!(steps, ["change we_1: tag it till_stack=shop-1"]);
    }

    #[test]
    fn what_can_be_put_right_is_put_right_in_one_step() {
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
        for change in [
            "send the 13 event types",
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
    fn endpoints_of_others_are_none_of_our_business() {
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
