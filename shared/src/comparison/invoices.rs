//! Compares an invoice of a subscription with what Stripe says about it.

use serde_json::Value;

use super::{ComparisonError, News, what_went_back};
use crate::{
    config::Stack,
    invoice::{Invoice, InvoiceChange, InvoiceState},
    ledger::{InvoiceLedger, InvoiceReceived, Outcome, Source},
    purchase::{Buyer, PaymentIntentId, PurchaseId},
    stripe::{
        client::Client as Stripe,
        invoice::with_all_lines,
        object::{AboutCharge, InvoiceObject, InvoiceStatement},
    },
};

/// Compares one invoice, and collects what was new.
pub struct InvoiceComparison<'a> {
    invoice: &'a Invoice,
    ledger: &'a InvoiceLedger,
    stripe: &'a Stripe,
    now: i64,
    news: Vec<News>,
}

impl<'a> InvoiceComparison<'a> {
    /// Begins comparing `invoice`.
    pub fn of(
        invoice: &'a Invoice,
        ledger: &'a InvoiceLedger,
        stripe: &'a Stripe,
        now: i64,
    ) -> Self {
        Self {
            invoice,
            ledger,
            stripe,
            now,
            news: Vec::new(),
        }
    }

    /// What was new, up to the first comparison that failed.
    pub fn news(self) -> Vec<News> {
        self.news
    }

    /// Compares what is unfinished about it or, if it has doubts, everything. If its payment was
    /// missed, its refunds and disputes may have been, too.
    pub async fn run(&mut self, stack: &Stack) -> Result<(), ComparisonError> {
        let doubts = self.invoice.payment().doubts() > 0;
        let unfinished = matches!(
            self.invoice.state(),
            InvoiceState::Draft | InvoiceState::Open
        );
        if doubts || unfinished {
            self.itself(stack).await?;
        }
        self.returns().await
    }

    /// Compares the invoice and, if it is paid, all that went back.
    async fn itself(&mut self, stack: &Stack) -> Result<(), ComparisonError> {
        let path = format!("/invoices/{}", self.invoice.id());
        let object: Option<Value> = self.stripe.get(&path, &InvoiceObject::EXPAND).await?;
        let statement = match object {
            Some(object) => InvoiceStatement::of(object, None, stack)?,
            // A draft may have been deleted.
            None => None,
        };
        let Some(statement) = statement else {
            return Ok(());
        };
        let statement = with_all_lines(self.stripe, statement).await?;
        let InvoiceStatement { report, tagged, .. } = statement;
        let is_paid = report.state == InvoiceState::Paid;
        let intent = report.intent.clone().filter(|_| is_paid);
        let id = self.invoice.id().to_string();
        self.record(&id, InvoiceChange::Seen(report), tagged)
            .await?;
        let Some(intent) = intent else {
            return Ok(());
        };
        for about in what_went_back(self.stripe, &intent).await? {
            self.record_return(&intent, about).await?;
        }
        Ok(())
    }

    /// Compares the refunds and disputes that are not over yet.
    async fn returns(&mut self) -> Result<(), ComparisonError> {
        let payment = self.invoice.payment();
        let refunds = payment.refunds().iter();
        let refunds = refunds.filter(|(_, refund)| refund.state.is_unfinished());
        let disputes = payment.disputes().iter();
        let disputes = disputes.filter(|(_, dispute)| dispute.is_unfinished());
        for path in refunds.map(|(id, _)| format!("/refunds/{id}")) {
            if let Some(object) = self.stripe.get(&path, &[]).await? {
                self.found(AboutCharge::refund(object)?).await?;
            }
        }
        for path in disputes.map(|(id, _)| format!("/disputes/{id}")) {
            if let Some(object) = self.stripe.get(&path, &[]).await? {
                self.found(AboutCharge::dispute(object)?).await?;
            }
        }
        Ok(())
    }

    async fn found(&mut self, about: AboutCharge) -> Result<(), ComparisonError> {
        match about.payment_intent.clone() {
            Some(intent) => self.record_return(&intent, about).await,
            // It would not be known to be this invoice's without one.
            None => Ok(()),
        }
    }

    async fn record_return(
        &mut self,
        intent: &PaymentIntentId,
        about: AboutCharge,
    ) -> Result<(), ComparisonError> {
        let object = about.id().to_owned();
        let change = InvoiceChange::Payment(intent.clone(), about.change);
        self.record(&object, change, None).await
    }

    async fn record(
        &mut self,
        object: &str,
        change: InvoiceChange,
        tagged: Option<(PurchaseId, Buyer)>,
    ) -> Result<(), ComparisonError> {
        let received = InvoiceReceived {
            source: Source::Fetched {
                object: object.to_owned(),
                at: self.now,
            },
            subscription: self.invoice.subscription().clone(),
            id: self.invoice.id().clone(),
            change,
            tagged,
        };
        if let Outcome::Recorded(status, _) = self.ledger.record(&received, self.now).await? {
            self.news.push(News {
                object: object.to_owned(),
                status,
            });
        }
        Ok(())
    }
}
