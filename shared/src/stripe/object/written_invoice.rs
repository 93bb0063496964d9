//! The invoice that Stripe writes of a session in which something is bought once.

use serde::Deserialize;
use serde_json::Value;

use super::{InvoiceObject, Tags, Unreadable, WhoseInvoice};
use crate::{
    config::Stack,
    purchase::{Document, InvoiceId, PurchaseId},
};

/// An invoice that was written of a purchase.
#[derive(Debug)]
pub struct WrittenInvoice {
    /// The purchase.
    pub purchase: PurchaseId,
    /// The invoice.
    pub id: InvoiceId,
    /// What it is to the buyer.
    pub document: Document,
}

impl WrittenInvoice {
    /// What an invoice says that Stripe wrote of a session of the deployment `stack`, which has the
    /// session's tags; `None` if it is of something else, or not paid.
    pub fn of(object: &Value, stack: &Stack) -> Result<Option<Self>, Unreadable> {
        if WhoseInvoice::deserialize(object)?.subscription().is_some() {
            return Ok(None);
        }
        let tags = object.get("metadata").filter(|tags| tags.is_object());
        let tags = tags.map(Tags::deserialize).transpose()?;
        let purchase = tags.map(|tags| tags.purchase(stack)).transpose()?;
        let Some(purchase) = purchase.flatten() else {
            return Ok(None);
        };
        let invoice = InvoiceObject::deserialize(object)?;
        let id = invoice.id()?;
        let written = invoice.document().map(|document| Self {
            purchase,
            id,
            document,
        });
        Ok(written)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Environment;

    const ID: &str = "01936f3c-8a10-7c3e-9a35-0c1de2a3f5b7";

    fn invoice(told: Value) -> Value {
        let mut invoice = json!({
            "id": "in_1", "status": "paid", "currency": "usd", "subtotal": 1500, "total": 1785,
            "amount_due": 1785, "amount_paid": 1785, "attempt_count": 0, "created": 1,
            "number": "A-0001", "hosted_invoice_url": "https://invoice.example/1",
            "invoice_pdf": "javascript:alert(1)", "lines": { "data": [] },
            "metadata": { "till_stack": "till", "purchase_id": ID },
        });
        let known = invoice.as_object_mut().unwrap();
        known.extend(told.as_object().unwrap().clone());
        invoice
    }

    fn of(told: Value) -> Result<Option<WrittenInvoice>, Unreadable> {
        let stack = Environment::of([("TILL_STACK", "till")]).stack().unwrap();
        WrittenInvoice::of(&invoice(told), &stack)
    }

    #[test]
    fn a_paid_invoice_with_the_tags_of_a_session_is_its_purchases() {
        let written = of(json!({})).unwrap().unwrap();
        assert_eq!(written.purchase.to_string(), ID);
        assert_eq!(written.id.as_str(), "in_1");
        let Document { number, page, pdf } = written.document;
        assert_eq!(number.as_deref(), Some("A-0001"));
        assert_eq!(page.as_deref(), Some("https://invoice.example/1"));
        assert_eq!(pdf, None, "it would become a link");
    }

    #[test]
    fn an_invoice_of_a_subscription_or_of_somebody_else_is_not_written_of_a_purchase() {
        for told in [
            json!({ "status": "open" }),
            json!({ "status": "draft", "number": null }),
            json!({ "subscription": "sub_1" }),
            json!({ "parent": { "subscription_details": { "subscription": "sub_1" } } }),
            json!({ "metadata": {} }),
            json!({ "metadata": null }),
            json!({ "metadata": { "till_stack": "other", "purchase_id": "7" } }),
        ] {
            assert!(of(told.clone()).unwrap().is_none(), "{told}");
        }
        // Ours, and not as we know it: it is parked.
        assert!(of(json!({ "metadata": { "till_stack": "till" } })).is_err());
        assert!(of(json!({ "lines": 7 })).is_err());
    }
}
