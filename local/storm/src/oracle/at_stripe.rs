//! Purchases as Stripe has them, read from its lists and reckoned without the shop's code.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::world::World;

/// All that Stripe has of this shop.
pub(crate) struct AtStripe {
    pub(crate) purchases: BTreeMap<String, Purchase>,
}

/// What Stripe has of one purchase.
#[derive(Default)]
pub(crate) struct Purchase {
    sessions: Vec<Value>,
    /// The payment intents of its sessions.
    intents: Vec<Value>,
    pub(crate) refunds: Vec<Value>,
    pub(crate) disputes: Vec<Value>,
}

impl AtStripe {
    pub(crate) async fn read(world: &World) -> Self {
        let mut purchases: BTreeMap<String, Purchase> = BTreeMap::new();
        let mut owners = BTreeMap::new();
        for session in world.stripe.all("/v1/checkout/sessions").await {
            let Some(id) = session["metadata"]["purchase_id"].as_str() else {
                continue;
            };
            let purchase = purchases.entry(id.to_owned()).or_default();
            if let Some(intent) = session["payment_intent"].as_str() {
                owners.insert(intent.to_owned(), id.to_owned());
                let path = format!("/v1/payment_intents/{intent}");
                purchase.intents.push(world.stripe.get(&path).await);
            }
            purchase.sessions.push(session);
        }
        for (path, is_refund) in [("/v1/refunds", true), ("/v1/disputes", false)] {
            for one in world.stripe.all(path).await {
                let intent = one["payment_intent"].as_str().unwrap_or_default();
                let owner = owners.get(intent).and_then(|id| purchases.get_mut(id));
                let Some(owner) = owner else { continue };
                match is_refund {
                    true => owner.refunds.push(one),
                    false => owner.disputes.push(one),
                }
            }
        }
        Self { purchases }
    }
}

impl Purchase {
    fn settled(&self) -> impl Iterator<Item = &Value> {
        let is_settled = |session: &&Value| {
            session["status"] == "complete" && session["payment_status"] != "unpaid"
        };
        self.sessions.iter().filter(is_settled)
    }

    pub(crate) fn paid(&self) -> i64 {
        let amounts = self
            .settled()
            .map(|session| session["amount_total"].as_i64());
        amounts.flatten().sum()
    }

    pub(crate) fn refunded(&self) -> i64 {
        let succeeded = self
            .refunds
            .iter()
            .filter(|one| one["status"] == "succeeded");
        succeeded.filter_map(|one| one["amount"].as_i64()).sum()
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

    /// In the words of the HTTP API.
    pub(crate) fn status(&self) -> &'static str {
        let dispute = |status: &str| self.disputes.iter().any(|one| one["status"] == status);
        if dispute("lost") {
            return "charged_back";
        }
        if dispute("needs_response") || dispute("under_review") {
            return "disputed";
        }
        if self.settled().next().is_some() {
            return match self.refunded() {
                0 => "paid",
                refunded if refunded < self.paid() => "partially_refunded",
                _ => "refunded",
            };
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

    /// The mails that somebody must have got.
    pub(crate) fn mails(&self) -> Vec<String> {
        let mut mails = Vec::new();
        if self.settled().next().is_some() {
            mails.push("paid".to_owned());
        }
        let id = |one: &Value| one["id"].as_str().unwrap_or_default().to_owned();
        for refund in &self.refunds {
            match refund["status"].as_str() {
                Some("succeeded") => mails.push(format!("refund#{}", id(refund))),
                Some("failed") => mails.push(format!("refund_failed#{}", id(refund))),
                _ => {}
            }
        }
        for dispute in &self.disputes {
            let status = dispute["status"].as_str().unwrap_or_default();
            let is_over = ["won", "lost", "warning_closed"].contains(&status);
            if is_over {
                mails.push(format!("dispute_closed#{}#{status}", id(dispute)));
            }
        }
        mails
    }
}
