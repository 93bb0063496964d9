//! What a payment belongs to: refunds and disputes name nothing but the payment.

use crate::{
    config::{ConfigError, Stack},
    invoice::InvoiceReport,
    money::Money,
    purchase::{
        Buyer, ChargeId, Document, InvoiceId, PaymentIntentId, PurchaseId, Subject, SubscriptionId,
    },
    readings::ReadingError,
    store::{Tables, pointers::Pointers},
    stripe::{
        client::{Client as Stripe, List, StripeError},
        object::{Charge, InvoiceObject, InvoiceStatement, PaidInvoice, PaymentIntent},
    },
};

/// Finds what payments belong to.
#[derive(Clone)]
pub(super) struct Owners {
    pointers: Pointers,
    stripe: Stripe,
    stack: Stack,
}

/// What a payment belongs to.
pub(super) enum Owner {
    /// A purchase.
    Purchase {
        id: PurchaseId,
        /// What it can be rebuilt from if it was lost.
        origin: Option<(Buyer, Money)>,
    },
    /// An invoice that was recorded.
    Invoice {
        subscription: SubscriptionId,
        id: InvoiceId,
    },
    /// An invoice, as Stripe shows it.
    NewInvoice(Box<InvoiceStatement>),
}

impl Owners {
    pub(super) fn of(stripe: Stripe, tables: &Tables, stack: Stack) -> Result<Self, ConfigError> {
        Ok(Self {
            pointers: Pointers::of(tables)?,
            stripe,
            stack,
        })
    }

    /// What a payment intent belongs to: as recorded, or else as Stripe says. `None` if it is not
    /// ours.
    pub(super) async fn of_payment(
        &self,
        intent: &PaymentIntentId,
    ) -> Result<Option<Owner>, ReadingError> {
        match self.pointers.owner_of(intent).await? {
            Some(Subject::Purchase(id)) => {
                return Ok(Some(Owner::Purchase { id, origin: None }));
            }
            Some(Subject::Invoice(subscription, id)) => {
                return Ok(Some(Owner::Invoice { subscription, id }));
            }
            // Nobody pays for one but through its invoices.
            Some(Subject::Subscription(_)) | None => {}
        }
        let Some(fetched) = self.fetch(intent).await? else {
            return Ok(None);
        };
        if let Some(id) = fetched.metadata.purchase(&self.stack)? {
            let origin = Some(fetched.origin());
            return Ok(Some(Owner::Purchase { id, origin }));
        }
        if fetched.metadata.is_tagged() || !fetched.may_pay_invoice() {
            return Ok(None);
        }
        self.invoice_of(intent).await
    }

    /// The invoice that a payment intent pays.
    async fn invoice_of(&self, intent: &PaymentIntentId) -> Result<Option<Owner>, ReadingError> {
        let query = PaidInvoice::query(intent.as_str());
        let page: List<PaidInvoice> = self.stripe.list("/invoice_payments", &query).await?;
        let Some(paid) = page.data.into_iter().next() else {
            return Ok(None);
        };
        let statement = InvoiceStatement::of(paid.invoice, None, &self.stack)?;
        Ok(statement.map(|mut statement| {
            statement.report.intent = Some(intent.clone());
            Owner::NewInvoice(Box::new(statement))
        }))
    }

    /// An invoice, with what its events leave out.
    pub(super) async fn invoice(
        &self,
        id: &InvoiceId,
    ) -> Result<Option<InvoiceReport>, ReadingError> {
        let path = format!("/invoices/{id}");
        let object: Option<InvoiceObject> = self.stripe.get(&path, &InvoiceObject::EXPAND).await?;
        let report = object.map(|object| object.report(None)).transpose()?;
        Ok(report)
    }

    /// What an invoice is to whoever bought something once; `None` if it is not paid yet.
    pub(super) async fn document(&self, id: &InvoiceId) -> Result<Option<Document>, ReadingError> {
        let object: Option<InvoiceObject> =
            self.stripe.get(&format!("/invoices/{id}"), &[]).await?;
        Ok(object.and_then(|object| object.document()))
    }

    pub(super) async fn fetch(
        &self,
        intent: &PaymentIntentId,
    ) -> Result<Option<PaymentIntent>, StripeError> {
        let path = format!("/payment_intents/{intent}");
        self.stripe.get(&path, &[]).await
    }

    pub(super) async fn payment_intent_of(
        &self,
        charge: &ChargeId,
    ) -> Result<Option<PaymentIntentId>, StripeError> {
        let charge: Option<Charge> = self.stripe.get(&format!("/charges/{charge}"), &[]).await?;
        Ok(charge.and_then(|charge| charge.payment_intent()))
    }
}
