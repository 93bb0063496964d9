//! Purchases and subscriptions as Stripe has them, read from its lists and reckoned without the shop's code.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::member::intents;
use crate::world::World;

/// All that Stripe has of this shop.
#[derive(Default)]
pub(crate) struct AtStripe {
    pub(crate) purchases: BTreeMap<String, Purchase>,
    pub(crate) subscriptions: BTreeMap<String, Subscription>,
}

/// What Stripe has of one subscription.
pub(crate) struct Subscription {
    pub(crate) object: Value,
    pub(crate) invoices: Vec<Invoice>,
}

/// What Stripe has of one invoice.
pub(crate) struct Invoice {
    pub(crate) object: Value,
    intents: Vec<String>,
    pub(crate) returns: Returns,
}

/// What went back of a payment, or may.
#[derive(Default)]
pub(crate) struct Returns {
    pub(crate) refunds: Vec<Value>,
    pub(crate) disputes: Vec<Value>,
}

/// What Stripe has of one purchase.
#[derive(Default)]
pub(crate) struct Purchase {
    sessions: Vec<Value>,
    /// The payment intents of its sessions.
    intents: Vec<Value>,
    /// The invoices that were written of them.
    invoices: Vec<Value>,
    pub(crate) returns: Returns,
}

impl AtStripe {
    pub(crate) async fn read(world: &World) -> Self {
        let mut all = Self::default();
        for subscription in world.stripe.all("/v1/subscriptions?status=all").await {
            let id = text(&subscription, "id");
            let read = Subscription::read(world, subscription).await;
            all.subscriptions.insert(id, read);
        }
        for session in world.stripe.all("/v1/checkout/sessions").await {
            let Some(id) = session["metadata"]["purchase_id"].as_str() else {
                continue;
            };
            let purchase = all.purchases.entry(id.to_owned()).or_default();
            if let Some(intent) = session["payment_intent"].as_str() {
                let path = format!("/v1/payment_intents/{intent}");
                purchase.intents.push(world.stripe.get(&path).await);
            }
            if let (Some(invoice), None) = (
                session["invoice"].as_str(),
                session["subscription"].as_str(),
            ) {
                let path = format!("/v1/invoices/{invoice}");
                purchase.invoices.push(world.stripe.get(&path).await);
            }
            purchase.sessions.push(session);
        }
        for refund in world.stripe.all("/v1/refunds").await {
            all.add_return(&refund, |returns| returns.refunds.push(refund.clone()));
        }
        for dispute in world.stripe.all("/v1/disputes").await {
            all.add_return(&dispute, |returns| returns.disputes.push(dispute.clone()));
        }
        all
    }

    /// Adds a refund or dispute to the payment that it is of: that of a purchase, or of an invoice, and then of
    /// the purchase that began with it, too.
    fn add_return(&mut self, one: &Value, add: impl Fn(&mut Returns)) {
        let intent = text(one, "payment_intent");
        let invoices = self.subscriptions.values_mut();
        let invoice = invoices
            .flat_map(|subscription| &mut subscription.invoices)
            .find(|invoice| invoice.intents.contains(&intent));
        let invoice = invoice.map(|invoice| {
            add(&mut invoice.returns);
            text(&invoice.object, "id")
        });
        let is_of = |purchase: &&mut Purchase| {
            let of_intent = purchase.intents.iter().any(|it| it["id"] == *intent);
            let mut sessions = purchase.sessions.iter();
            of_intent
                || invoice
                    .as_ref()
                    .is_some_and(|id| sessions.any(|it| it["invoice"] == **id))
        };
        if let Some(purchase) = self.purchases.values_mut().find(is_of) {
            add(&mut purchase.returns);
        }
    }
}

impl Subscription {
    async fn read(world: &World, object: Value) -> Self {
        let mut invoices = Vec::new();
        let path = format!("/v1/invoices?subscription={}", text(&object, "id"));
        for object in world.stripe.all(&path).await {
            invoices.push(Invoice {
                intents: intents(world, &text(&object, "id")).await,
                object,
                returns: Returns::default(),
            });
        }
        Self { object, invoices }
    }

    /// Whether it is certain that its buyer may use it: it is on trial, or everything that was ever billed is paid,
    /// and none of that went back.
    pub(crate) fn is_served(&self) -> bool {
        let is_kept = |one: &Invoice| one.object["status"] == "draft" || one.status() == "paid";
        let status = &self.object["status"];
        status == "trialing" || (status == "active" && self.invoices.iter().all(is_kept))
    }

    /// What other systems must have been told of its invoices.
    pub(crate) fn news(&self) -> Vec<String> {
        let id = text(&self.object, "id");
        let of = |invoice: &Invoice| {
            let about = format!("{id}/{}", text(&invoice.object, "id"));
            let paid = (invoice.object["status"] == "paid").then(|| "paid".to_owned());
            let news = paid.into_iter().chain(invoice.returns.news());
            news.map(|news| format!("{about}#{news}"))
                .collect::<Vec<_>>()
        };
        self.invoices.iter().flat_map(of).collect()
    }

    /// The mails that somebody must have got about it and its invoices.
    pub(crate) fn mails(&self) -> Vec<String> {
        let id = text(&self.object, "id");
        let of = |invoice: &Invoice| {
            let about = format!("{id}/{}", text(&invoice.object, "id"));
            let is_renewal = invoice.object["billing_reason"] != "subscription_create";
            let is_paid = invoice.object["status"] == "paid" && invoice.paid() > 0;
            let receipt = (is_renewal && is_paid).then(|| "paid".to_owned());
            let returned = invoice.returns.mails();
            let mails = receipt.into_iter().chain(returned);
            mails
                .map(|mail| format!("{about}#{mail}"))
                .collect::<Vec<_>>()
        };
        self.invoices.iter().flat_map(of).collect()
    }
}

impl Invoice {
    /// What was paid, and not by credit.
    pub(crate) fn paid(&self) -> i64 {
        self.object["amount_paid"].as_i64().unwrap_or_default()
    }

    /// In the words of the HTTP API.
    pub(crate) fn status(&self) -> &str {
        match self.object["status"].as_str() {
            Some("paid") => self.returns.status(self.paid()),
            status => status.unwrap_or_default(),
        }
    }
}

impl Returns {
    pub(crate) fn refunded(&self) -> i64 {
        let succeeded = self
            .refunds
            .iter()
            .filter(|one| one["status"] == "succeeded");
        succeeded.filter_map(|one| one["amount"].as_i64()).sum()
    }

    /// What reaches the buyer, or will.
    pub(crate) fn leaving(&self) -> i64 {
        let came_back = ["failed", "canceled"];
        let leaving = self
            .refunds
            .iter()
            .filter(|one| came_back.iter().all(|status| one["status"] != *status));
        leaving.filter_map(|one| one["amount"].as_i64()).sum()
    }

    /// What banks hold or have taken.
    pub(crate) fn disputed(&self) -> i64 {
        let taken = ["needs_response", "under_review", "lost"];
        let taken = self
            .disputes
            .iter()
            .filter(|one| taken.iter().any(|status| one["status"] == *status));
        taken.filter_map(|one| one["amount"].as_i64()).sum()
    }

    fn has_dispute(&self, status: &str) -> bool {
        self.disputes.iter().any(|one| one["status"] == status)
    }

    /// How a payment of so much stands, in the words of the HTTP API.
    fn status(&self, paid: i64) -> &'static str {
        if self.has_dispute("lost") {
            return "charged_back";
        }
        if self.has_dispute("needs_response") || self.has_dispute("under_review") {
            return "disputed";
        }
        match self.refunded() {
            0 => "paid",
            refunded if refunded < paid => "partially_refunded",
            _ => "refunded",
        }
    }

    /// What other systems must have been told of them.
    fn news(&self) -> Vec<String> {
        let mut news = Vec::new();
        for refund in &self.refunds {
            match refund["status"].as_str() {
                Some("succeeded") => news.push(format!("refunded#{}", text(refund, "id"))),
                Some("failed") => news.push(format!("refund_failed#{}", text(refund, "id"))),
                _ => {}
            }
        }
        for dispute in &self.disputes {
            if let Some(status @ ("won" | "lost")) = dispute["status"].as_str() {
                news.push(format!("dispute_closed#{}#{status}", text(dispute, "id")));
            }
        }
        news
    }

    /// The mails that somebody must have got about them.
    fn mails(&self) -> Vec<String> {
        let mut mails = Vec::new();
        for refund in &self.refunds {
            match refund["status"].as_str() {
                Some("succeeded") => mails.push(format!("refund#{}", text(refund, "id"))),
                Some("failed") => mails.push(format!("refund_failed#{}", text(refund, "id"))),
                _ => {}
            }
        }
        for dispute in &self.disputes {
            let status = text(dispute, "status");
            if ["won", "lost", "warning_closed"].contains(&status.as_str()) {
                mails.push(format!("dispute_closed#{}#{status}", text(dispute, "id")));
            }
        }
        mails
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

impl Purchase {
    fn settled(&self) -> impl Iterator<Item = &Value> {
        let is_settled = |session: &&Value| {
            session["status"] == "complete" && session["payment_status"] != "unpaid"
        };
        self.sessions.iter().filter(is_settled)
    }

    /// The session that was paid, or had nothing to pay.
    pub(crate) fn session_paid(&self) -> Option<&Value> {
        self.settled().next()
    }

    /// The number of the invoice that was written of it.
    pub(crate) fn invoice_number(&self) -> Option<&Value> {
        self.invoices.first().map(|invoice| &invoice["number"])
    }

    pub(crate) fn paid(&self) -> i64 {
        let amounts = self
            .settled()
            .map(|session| session["amount_total"].as_i64());
        amounts.flatten().sum()
    }

    /// In the words of the HTTP API.
    pub(crate) fn status(&self) -> &'static str {
        if self.settled().next().is_some() {
            return self.returns.status(self.paid());
        }
        let unpaid = self
            .sessions
            .iter()
            .filter(|one| one["status"] == "complete");
        match (unpaid.count() > 0, self.is_on_its_way()) {
            (true, true) => "pending",
            (true, false) => "failed",
            (false, _) if self.sessions.iter().any(|one| one["status"] == "open") => "open",
            (false, _) => "expired",
        }
    }

    fn is_on_its_way(&self) -> bool {
        self.intents
            .iter()
            .any(|intent| intent["status"] == "processing" || intent["status"] == "requires_action")
    }

    /// What other systems must have been told: of refunds and disputes as its payment's, or as its first
    /// invoice's.
    pub(crate) fn news(&self) -> Vec<String> {
        let Some(session) = self.session_paid() else {
            return Vec::new();
        };
        let mut news = vec!["paid".to_owned()];
        if !session["subscription"].is_string() {
            news.extend(self.returns.news());
        }
        news
    }

    /// The mails that somebody must have got, which tell of refunds and disputes as its payment's or as its
    /// first invoice's.
    pub(crate) fn mails(&self) -> Vec<String> {
        let settled = self.settled().next();
        let Some(session) = settled else {
            return Vec::new();
        };
        if session["subscription"].is_string() {
            return ["welcome", "sold"].map(str::to_owned).into();
        }
        let mut mails = self.returns.mails();
        mails.extend(["paid", "sold"].map(str::to_owned));
        mails
    }
}
