//! Somebody to buy: made for the rehearsal where that is possible, and gone after it.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, header};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::aws::call::Service;
use url::form_urlencoded;
use uuid::Uuid;

use crate::account::aws::{AwsAccount, AwsError, text};
use crate::account::web::Web;
use crate::commands::shop::{Shop, Stack};

/// The variable with the ID token of a buyer of another issuer's.
const TOKEN: &str = "BUYER_TOKEN";

/// Where buyers come from.
pub(super) enum Accounts {
    /// The sign-in of a shop on this machine, which knows everybody.
    Here { web: Web, url: String },
    /// The stack's user pool, and the site's client, for which the API takes tokens.
    Pool {
        aws: Box<AwsAccount>,
        pool: String,
        client: String,
    },
    /// Somebody who has signed in elsewhere.
    Given(String),
}

/// A buyer who is signed in.
pub(super) struct Buyer {
    /// What the site would send with each call.
    pub(super) token: String,
    pub(super) subject: String,
    pub(super) email: String,
}

/// What the shop reads of a token.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    email: String,
}

impl Buyer {
    fn of(token: &str) -> anyhow::Result<Self> {
        let claims = token.split('.').nth(1).unwrap_or_default();
        let claims = URL_SAFE_NO_PAD.decode(claims).ok();
        let claims: Option<Claims> = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
        let claims = claims.context("the buyer's token is not an ID token")?;
        Ok(Self {
            token: token.to_owned(),
            subject: claims.sub,
            email: claims.email,
        })
    }
}

impl Accounts {
    pub(super) fn of(shop: &Shop, web: &Web) -> anyhow::Result<Self> {
        let given = std::env::var(TOKEN).unwrap_or_default();
        if !given.trim().is_empty() {
            return Ok(Self::Given(given.trim().to_owned()));
        }
        match &shop.stack {
            None => Ok(Self::Here {
                web: web.clone(),
                url: shop.environment.site_url()?,
            }),
            Some(stack) => Self::of_stack(stack, web),
        }
    }

    fn of_stack(stack: &Stack, web: &Web) -> anyhow::Result<Self> {
        let Ok(pool) = stack.output("BuyerPool") else {
            bail!(
                "the stack {} has no user pool in which to make a buyer: sign in to the site as one \
                 for testing, and set {TOKEN} to their ID token",
                stack.name
            );
        };
        let site: Value = serde_json::from_str(stack.output("SiteConfig")?).unwrap_or_default();
        Ok(Self::Pool {
            aws: Box::new(AwsAccount::new(web.clone(), stack.aws.clone())),
            pool: pool.to_owned(),
            client: text(&site, "client_id").to_owned(),
        })
    }

    /// A buyer whom nobody has seen before, unless one was given.
    pub(super) async fn sign_up(&self) -> anyhow::Result<Buyer> {
        match self {
            Self::Here { web, url } => Buyer::of(&token_here(web, url).await?),
            Self::Pool { aws, pool, client } => Buyer::of(&sign_up(aws, pool, client).await?),
            Self::Given(token) => Buyer::of(token),
        }
    }

    /// How they came to be signed in.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Here { .. } => "signed in to this machine's shop",
            Self::Pool { .. } => "signed up in the stack's user pool",
            Self::Given(_) => "signed in by the token in BUYER_TOKEN",
        }
    }

    /// Whether there is an account that has to go again.
    pub(super) fn keeps_one(&self) -> bool {
        matches!(self, Self::Pool { .. })
    }

    /// Takes the buyer's account away, if it was made for the rehearsal.
    pub(super) async fn remove(&self, buyer: &Buyer) -> anyhow::Result<()> {
        let Self::Pool { aws, pool, .. } = self else {
            return Ok(());
        };
        let whom = json!({ "UserPoolId": pool, "Username": buyer.email });
        ask(aws, "AdminDeleteUser", &whom).await?;
        Ok(())
    }
}

/// An address at which nobody gets mail (RFC 2606).
fn address() -> String {
    format!("rehearsal-{}@example.com", Uuid::now_v7().simple())
}

async fn token_here(web: &Web, url: &str) -> anyhow::Result<String> {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("email", &address())
        .finish();
    let request = Request::post(format!("{url}/_local/token"))
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(form))?;
    let answer = web.send(request).await;
    let answer = answer.with_context(|| format!("no shop answers at {url}"))?;
    let token: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match text(&token, "access_token") {
        "" => bail!(
            "{url}/_local/token answers {}, without a token",
            answer.status()
        ),
        token => Ok(token.to_owned()),
    }
}

/// An account that only this rehearsal knows the password of, and a token for it.
async fn sign_up(aws: &AwsAccount, pool: &str, client: &str) -> anyhow::Result<String> {
    let (email, password) = (address(), format!("Aa1-{}", Uuid::now_v7()));
    let attribute = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    let attributes = json!([
        attribute("email", &email),
        attribute("email_verified", "true")
    ]);
    // SUPPRESS: nobody is to be told a first password.
    let account = json!({
        "UserPoolId": pool, "Username": email, "MessageAction": "SUPPRESS",
        "UserAttributes": attributes,
    });
    ask(aws, "AdminCreateUser", &account).await?;
    let password_set = json!({
        "UserPoolId": pool, "Username": email, "Password": password, "Permanent": true,
    });
    ask(aws, "AdminSetUserPassword", &password_set).await?;
    let signing_in = json!({
        "UserPoolId": pool, "ClientId": client, "AuthFlow": "ADMIN_USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": email, "PASSWORD": password },
    });
    let answer = ask(aws, "AdminInitiateAuth", &signing_in).await;
    let answer = answer.context(
        "the buyer is not signed in: a stack that was deployed before the rehearsal came to be does \
         not allow it, so deploy this version",
    )?;
    let token = answer.pointer("/AuthenticationResult/IdToken");
    let token = token.and_then(Value::as_str);
    Ok(token
        .context("Cognito answers without an ID token")?
        .to_owned())
}

async fn ask(aws: &AwsAccount, operation: &str, input: &Value) -> anyhow::Result<Value> {
    let target = format!("AWSCognitoIdentityProviderService.{operation}");
    let answer = aws.ask(Service::Cognito, &target, input).await;
    answer.map_err(|error: AwsError| anyhow::anyhow!("{operation}: {error}"))
}
