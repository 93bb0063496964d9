//! A function's instances, each of which takes one invocation at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use checkout::Checkout;
use mailer::Mailer;
use purchases::PurchaseHistory;
use reconcile::Reconcile;
use shared::config::Environment;
use webhook::Webhook;

use crate::process::Process;

/// A function, by its logical id in the template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Function {
    Checkout,
    Purchases,
    Webhook,
    Mailer,
    Reconcile,
}

/// A started function.
pub(crate) enum Code {
    Checkout(Checkout),
    Purchases(PurchaseHistory),
    Webhook(Webhook),
    Mailer(Mailer),
    Reconcile(Box<Reconcile>),
}

/// Instances that have nothing to do.
#[derive(Default)]
pub(crate) struct Pools(Mutex<BTreeMap<Function, Vec<Instance>>>);

pub(crate) struct Instance {
    pub(crate) code: Code,
    pub(crate) process: Arc<Process>,
}

impl Function {
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Checkout => "CheckoutFunction",
            Self::Purchases => "PurchasesFunction",
            Self::Webhook => "WebhookFunction",
            Self::Mailer => "MailerFunction",
            Self::Reconcile => "ReconcileFunction",
        }
    }

    pub(crate) async fn start(self, environment: &Environment) -> Code {
        match self {
            Self::Checkout => Checkout::new(environment).await.map(Code::Checkout),
            Self::Purchases => PurchaseHistory::new(environment).await.map(Code::Purchases),
            Self::Webhook => Webhook::new(environment, environment.clock())
                .await
                .map(Code::Webhook),
            Self::Mailer => Mailer::new(environment).await.map(Code::Mailer),
            Self::Reconcile => Reconcile::new(environment)
                .await
                .map(|code| Code::Reconcile(Box::new(code))),
        }
        .expect("an environment that a function starts with")
    }
}

impl Pools {
    /// An instance that has nothing to do.
    pub(crate) fn take(&self, function: Function) -> Option<Instance> {
        self.0.lock().unwrap().entry(function).or_default().pop()
    }

    /// An instance has nothing to do any more.
    pub(crate) fn put_back(&self, function: Function, instance: Instance) {
        let mut pools = self.0.lock().unwrap();
        pools.entry(function).or_default().push(instance);
    }
}
