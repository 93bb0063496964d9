//! Where a rehearsal takes place: the shop with its doors, its Stripe, and what has come about so far.

use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use shared::product::Product;
use shared::purchase::{PurchaseId, SubscriptionId};
use shared::shipping::{Country, ShippingError};
use shared::view::SellerView;
use time::OffsetDateTime;
use uuid::Uuid;
use window::story::Story;

use super::api::{Api, Checkout, Purchase};
use super::buyer::{Accounts, Buyer};
use super::payer::{Means, Page, Payer};
use super::waiting::{Seen, wait_for};
use crate::account::stripe::Account;
use crate::account::web::Web;
use crate::commands::purchases::not_found;
use crate::commands::shop::Shop;

/// How often the mailer looks for what the outbox's stream has not told it.
const SCHEDULE: Duration = Duration::from_mins(1);

/// What a rehearsal is to be like.
pub(super) struct Wishes {
    /// What to buy once, if not what suits best.
    pub(super) product: Option<String>,
    /// What to subscribe to, if not what suits best.
    pub(super) recurring: Option<String>,
    /// How long an event, a mail, or anything that follows may take.
    pub(super) patience: Duration,
}

pub(super) struct Stage {
    pub(super) shop: Shop,
    pub(super) wishes: Wishes,
    pub(super) api: Api,
    /// By the operator's own key if there is one, else by the shop's.
    pub(super) stripe: Account,
    pub(super) payer: Payer,
    pub(super) began: OffsetDateTime,
    pub(super) accounts: Accounts,
    pub(super) buyer: Option<Buyer>,
    /// What is bought once.
    pub(super) product: Option<Product>,
    /// What is subscribed to.
    pub(super) recurring: Option<Product>,
    /// All that was opened, in this order.
    pub(super) opened: Vec<PurchaseId>,
    /// What was paid, and has not been given back or contested yet.
    pub(super) paid: Option<PurchaseId>,
    /// The subscription that was begun.
    pub(super) subscription: Option<SubscriptionId>,
    /// The clock at Stripe by which it goes.
    pub(super) clock: Option<String>,
}

impl Stage {
    pub(super) async fn of(shop: Shop, wishes: Wishes) -> anyhow::Result<Self> {
        let (aws, api) = match &shop.stack {
            Some(stack) => (stack.aws.endpoint_url(), stack.output("ApiUrl")?.to_owned()),
            None => (None, shop.environment.site_url()?),
        };
        let web = Web::new(aws)?;
        let stripe = Account::by(shop.stripe().await?);
        Ok(Self {
            api: Api::at(&web, &api),
            payer: Payer::of(&shop, &web).await?,
            accounts: Accounts::of(&shop, &web)?,
            began: OffsetDateTime::now_utc(),
            stripe,
            shop,
            wishes,
            buyer: None,
            product: None,
            recurring: None,
            opened: Vec::new(),
            paid: None,
            subscription: None,
            clock: None,
        })
    }

    pub(super) fn buyer(&self) -> anyhow::Result<&Buyer> {
        self.buyer.as_ref().context("nobody is signed in to buy")
    }

    /// The buyer's token.
    pub(super) fn token(&self) -> anyhow::Result<&str> {
        Ok(&self.buyer()?.token)
    }

    pub(super) fn product(&self) -> anyhow::Result<&Product> {
        self.product.as_ref().context("there is nothing to buy")
    }

    /// The buyer wants one of these, and pays for it, or is asked to.
    pub(super) async fn buy(
        &mut self,
        product: &Product,
        means: Means,
    ) -> anyhow::Result<PurchaseId> {
        let checkout = self.open(product, &Uuid::now_v7().to_string()).await?;
        self.pay(&checkout, product, means).await?;
        Ok(checkout.purchase_id)
    }

    pub(super) async fn open(&mut self, product: &Product, key: &str) -> anyhow::Result<Checkout> {
        let sent = (product, self.destination(product)?);
        let checkout = self.api.checkout(self.token()?, sent, key).await?;
        if !self.opened.contains(&checkout.purchase_id) {
            self.opened.push(checkout.purchase_id);
        }
        Ok(checkout)
    }

    /// Has the page of a purchase of this product paid.
    pub(super) async fn pay(
        &self,
        checkout: &Checkout,
        product: &Product,
        means: Means,
    ) -> anyhow::Result<()> {
        let purchase = self.purchase(checkout.purchase_id).await?;
        let page = Page {
            url: &checkout.url,
            email: &self.buyer()?.email,
            total: purchase.total,
            destination: self.destination(product)?,
        };
        self.payer.pay(&page, means).await
    }

    /// Where a product is sent, if it is: the first of the countries to which the shop delivers.
    fn destination(&self, product: &Product) -> anyhow::Result<Option<Country>> {
        if !product.shipped {
            return Ok(None);
        }
        let shipping = self.shop.environment.shipping()?;
        let countries = match shipping.offer(product.price, None) {
            Ok(offer) => offer.countries,
            Err(ShippingError::WhichCountry(countries)) => countries,
            Err(error) => return Err(error.into()),
        };
        Ok(countries.first().copied())
    }

    /// A purchase as its buyer sees it.
    pub(super) async fn purchase(&self, id: PurchaseId) -> anyhow::Result<Purchase> {
        self.api.purchase(self.token()?, id).await
    }

    /// Waits until a purchase that is being paid for has one of these statuses.
    pub(super) async fn paid_as(&self, id: PurchaseId, hoped: &[&str]) -> anyhow::Result<Purchase> {
        let longest = self.wishes.patience.saturating_add(self.payer.time());
        self.until(longest, id, hoped).await
    }

    /// Waits until an event has brought a purchase to this status.
    pub(super) async fn becomes(&self, id: PurchaseId, hoped: &str) -> anyhow::Result<Purchase> {
        self.until(self.wishes.patience, id, &[hoped]).await
    }

    async fn until(
        &self,
        longest: Duration,
        id: PurchaseId,
        hoped: &[&str],
    ) -> anyhow::Result<Purchase> {
        let seen = wait_for(longest, async || {
            let purchase = self.purchase(id).await?;
            Ok(match hoped.contains(&purchase.status.as_str()) {
                true => Seen::There(purchase),
                false => {
                    let (status, hoped) = (&purchase.status, hoped.join(" or "));
                    Seen::Not(format!("the purchase {id} is {status}, not {hoped}"))
                }
            })
        });
        seen.await.map_err(|error| self.no_event(&error))
    }

    /// What to do where something did not follow.
    pub(super) fn no_event(&self, error: &anyhow::Error) -> anyhow::Error {
        let place = self.place();
        anyhow!("{error:#}: `till doctor{place}` says whether Stripe's events arrive")
    }

    /// What a command line needs to find the shop again.
    pub(super) fn place(&self) -> String {
        let stack = self.shop.stack.as_ref();
        stack.map_or_else(String::new, |stack| format!(" {}", stack.flags()))
    }

    /// A purchase as the seller sees it.
    pub(super) async fn as_seller(&self, id: PurchaseId) -> anyhow::Result<Value> {
        let stored = self.shop.purchases()?.get(id).await?;
        let stored = stored.ok_or_else(|| not_found(id, &self.shop))?;
        Ok(serde_json::to_value(SellerView::of(&stored.purchase))?)
    }

    /// The sessions of a purchase at Stripe.
    pub(super) async fn sessions(&self, id: PurchaseId) -> anyhow::Result<Vec<String>> {
        let purchase = self.as_seller(id).await?;
        let sessions = purchase.get("sessions").and_then(Value::as_array);
        let ids = sessions.into_iter().flatten();
        let ids = ids.filter_map(|session| session.get("id")?.as_str().map(str::to_owned));
        Ok(ids.collect())
    }

    /// The payment of a purchase at Stripe, made or tried.
    pub(super) async fn intent(&self, id: PurchaseId) -> anyhow::Result<String> {
        for session in self.sessions(id).await? {
            let path = format!("/checkout/sessions/{session}");
            let session: Value = self.stripe.get(&path, &[]).await?;
            if let Some(intent) = session.get("payment_intent").and_then(Value::as_str) {
                return Ok(intent.to_owned());
            }
        }
        bail!("no session of the purchase {id} has a payment at Stripe")
    }

    /// How long what is in the outbox may take.
    pub(super) fn until_scheduled(&self) -> Duration {
        self.wishes.patience.saturating_add(SCHEDULE)
    }

    /// All that is recorded of a purchase.
    pub(super) async fn story(&self, id: PurchaseId) -> anyhow::Result<Story> {
        let outbox = (&self.shop.mails()?, &self.shop.events()?);
        let story = Story::read(&self.shop.all_purchases()?, outbox, id).await?;
        story.ok_or_else(|| not_found(id, &self.shop))
    }
}
