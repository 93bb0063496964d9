//! `till setup`: creates or fixes the webhook endpoint at Stripe and stores its secret where the
//! functions read it. It may be run as often as you like.

mod plan;
mod protection;
mod work;

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use anyhow::{Context as _, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use shared::config::Environment;
use shared::mode::Mode;
use shared::stripe::client::{LONGEST_PAGE, api_version};
use shared::stripe::event::handled;
use shared::stripe::key::StripeKey;

use self::plan::{Step, Wanted, plan, retire};
use self::work::{SECRETS, Work, explain, list};
use super::console::{Consent, note};
use super::exit::Exit;
use super::operator::Operator;
use super::shop::{Shop, Stack};
use crate::account::aws::AwsAccount;
use crate::account::secrets::{Held, Owner, SecretStore};
use crate::account::stripe::{Account, Endpoint, Refusal, api_base};
use crate::account::stripe_key;
use crate::account::web::Web;

const KEY: &str = "STRIPE_SECRET_KEY";

#[derive(Args)]
pub(super) struct Setup {
    /// Show what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Ask for another Stripe key, and store it in place of the current one
    #[arg(long)]
    new_key: bool,
    /// Create a second endpoint, with a new secret; the current one goes on beside it
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
    operator: Operator,
}

impl Setup {
    /// Plans, asks and does.
    pub(super) async fn run(self) -> anyhow::Result<Exit> {
        if !self.operator.means_a_stack() {
            bail!(
                "the shop on this machine needs no setup: the stand-in knows its webhook, and with a \
                 key of your own `stripe listen` delivers. For a deployed shop, pass --stack NAME"
            );
        }
        let shop = self.operator.shop().await?;
        let stack = shop.stack.as_ref().context("the shop is not a stack")?;
        let found = self.look(&shop, stack).await?;
        let stored = list(found.secrets.as_ref());
        let steps = match &found.endpoints {
            Ok(endpoints) if self.retire => retire(endpoints, &stored, &found.wanted)?,
            Ok(endpoints) => plan(endpoints, &stored, &found.wanted, self.rotate),
            Err(_) => Vec::new(),
        };
        let mut told = Told {
            shop: shop.name().to_owned(),
            done: false,
            steps: found.says(&steps),
        };
        if told.steps.is_empty() || self.dry_run {
            self.operator.show(&told, || told.words("Would do this"))?;
            found.endpoints?;
            return Ok(Exit::Done);
        }
        note(&told.words("Will do this"));
        if self.retire {
            self.note_undelivered(&found.account).await;
        }
        self.consent.ask("Go ahead?")?;
        found.change(&steps, self.retire, &shop.environment).await?;
        found
            .endpoints
            .context("the key is stored, but the webhook endpoint could not be looked at")?;
        told.done = true;
        let flags = stack.flags();
        self.operator.show(&told, || {
            format!("Done. `till doctor {flags}` checks it.\n")
        })?;
        Ok(Exit::Done)
    }

    /// Reads all that a plan depends on, and asks for a key if none is stored.
    async fn look(&self, shop: &Shop, stack: &Stack) -> anyhow::Result<Found> {
        let environment = &shop.environment;
        let web = Web::new(stack.aws.endpoint_url())?;
        let aws = AwsAccount::new(web.clone(), stack.aws.clone());
        let own = environment.stack()?;
        let tag = own.tag().to_owned();
        let store = SecretStore::new(aws, stack.parameter("SecretsStore").ok(), own)?;
        let key_name = environment.required("STRIPE_SECRET_KEY_PARAMETER")?;
        let secrets_name = environment.required("STRIPE_WEBHOOK_SECRETS_PARAMETER")?;
        let (key, secrets) =
            futures::join!(store.read(key_name, KEY), store.read(secrets_name, SECRETS));
        let key = key.with_context(|| format!("cannot read {}", store.place(key_name)))?;
        let secrets =
            secrets.with_context(|| format!("cannot read {}", store.place(secrets_name)))?;
        let there = [(key_name, &key), (secrets_name, &secrets)];
        let there = there.iter().filter(|(_, held)| held.is_some());
        let there: Vec<&str> = there.map(|(name, _)| *name).collect();
        let unclaimed = unclaimed(&store, &there, &tag).await?;

        let usable = key.as_ref().filter(|_| !self.new_key);
        let usable = usable.and_then(|key| stripe_key::judge(&key.text, shop.mode).ok());
        let operator_key = stripe_key::operators(shop.mode)?;
        let (asking, new_key) = match (operator_key, usable) {
            (Some(operators), Some(_)) => (operators, None),
            (Some(operators), None) => (operators.clone(), Some(operators)),
            (None, Some(usable)) => (usable, None),
            (None, None) => {
                let typed = self.ask_for_key(shop.mode)?;
                (typed.clone(), Some(typed))
            }
        };
        let base = api_base(environment.optional("STRIPE_API_BASE"))?;
        let account = Account::new(&web, &base, asking);
        let endpoints = match account.endpoints().await {
            // A key with all that the functions need may know nothing of webhook endpoints. It is stored,
            // and another sees to them.
            Err(refused @ Refusal::Forbidden(_)) if new_key.is_some() && !self.retire => {
                Err(explain(refused, "read"))
            }
            endpoints => Ok(endpoints.map_err(|error| explain(error, "read"))?),
        };
        let version = self.api_version.as_deref().unwrap_or(api_version());
        Ok(Found {
            endpoints,
            wanted: Wanted {
                stack: stack.name.clone(),
                tag,
                url: stack.output("WebhookUrl")?.to_owned(),
                version: version.to_owned(),
            },
            unprotected: protection::unprotected(environment).await?,
            unclaimed: unclaimed.into_iter().map(str::to_owned).collect(),
            key_name: key_name.to_owned(),
            secrets_name: secrets_name.to_owned(),
            account,
            store,
            key,
            new_key,
            secrets,
        })
    }

    /// From standard input: unseen if a person types it, else the first line.
    fn ask_for_key(&self, mode: Mode) -> anyhow::Result<StripeKey> {
        let stdin = std::io::stdin();
        let text = if stdin.is_terminal() {
            note(
                "Type or paste the Stripe key (sk_… or rk_…) from \
                 https://dashboard.stripe.com/apikeys. It will not be shown.",
            );
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
            Err((says, remedy)) => bail!("that is not a key for this shop: {says}; {remedy}"),
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
            note(&format!(
                "Not delivered yet: {}. Removing the endpoint ends their delivery; \
                 `till events replay` records them.",
                ids.join(", ")
            ));
        }
    }
}

/// The stack as it is, and its endpoint as it should be.
struct Found {
    account: Account,
    store: SecretStore,
    key_name: String,
    key: Option<Held>,
    /// To be stored in place of `key`.
    new_key: Option<StripeKey>,
    secrets_name: String,
    secrets: Option<Held>,
    /// Names of secrets that carry no stack's tag.
    unclaimed: Vec<String>,
    /// Or why the key that is to be stored cannot read them.
    endpoints: anyhow::Result<Vec<Endpoint>>,
    wanted: Wanted,
    /// Tables that one call would delete.
    unprotected: Vec<String>,
}

impl Found {
    /// All that is to be done, in words.
    fn says(&self, steps: &[Step]) -> Vec<String> {
        let mut says = Vec::new();
        if self.new_key.is_some() {
            let place = self.store.place(&self.key_name);
            says.push(match self.key {
                Some(_) => format!("replace the Stripe key in {place}"),
                None => format!("store the Stripe key as {place}"),
            });
        }
        says.extend(steps.iter().map(|step| step.says(&self.wanted)));
        let tables = self.unprotected.iter();
        says.extend(tables.map(|table| format!("protect the table {table} against deletion")));
        let names = self.unclaimed.iter();
        says.extend(names.map(|name| format!("tag {} as this stack's", self.store.place(name))));
        says
    }

    async fn change(
        &self,
        steps: &[Step],
        retire: bool,
        environment: &Environment,
    ) -> anyhow::Result<()> {
        for name in &self.unclaimed {
            self.store.claim(name).await?;
        }
        if let Some(new_key) = &self.new_key {
            let (text, before) = (new_key.reveal(), self.key.as_ref());
            self.store.write(&self.key_name, KEY, text, before).await?;
        }
        let work = Work {
            account: &self.account,
            store: &self.store,
            name: &self.secrets_name,
            wanted: &self.wanted,
        };
        let mut held = self.secrets.clone();
        for step in steps {
            work.take(step, &mut held).await?;
        }
        for table in &self.unprotected {
            protection::protect(environment, table).await?;
        }
        if let Ok(endpoints) = &self.endpoints
            && retire
        {
            work.forget(endpoints, steps, held.as_ref()).await?;
        }
        Ok(())
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
        match owner.with_context(|| format!("cannot read whose {place} is"))? {
            Owner::Us => {}
            Owner::Nobody => unclaimed.push(*name),
            Owner::Other(other) => bail!(
                "{place} belongs to another stack, {other}; this one is {tag}. Leave it out of the \
                 stack's parameters, or name another there, and deploy; if {other} was once this shop's \
                 own tag, deploy with FormerStackTags={other}"
            ),
        }
    }
    Ok(unclaimed)
}

/// What to do, in words.
#[derive(Serialize)]
struct Told {
    shop: String,
    /// Whether it was done.
    done: bool,
    steps: Vec<String>,
}

impl Told {
    fn words(&self, will: &str) -> String {
        if self.steps.is_empty() {
            return format!("{}: nothing to do.\n", self.shop);
        }
        let steps = self.steps.iter().map(|step| format!("  - {step}\n"));
        format!("{will} for {}:\n{}", self.shop, steps.collect::<String>())
    }
}
