//! Invoices as the API shows them.

use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;
use crate::invoice::discount::Discount;
use crate::invoice::line::{Line, Proration, Source};
use crate::invoice::object::{Invoice, Parent, Status};
use crate::invoice::totals::{LineSums, Totals};

/// How many lines an invoice shows without being asked for more.
const SHOWN_LINES: usize = 10;

impl Invoice {
    /// Its lines as the API shows them.
    pub(crate) fn lines_shown(&self, totals: &Totals) -> Vec<Value> {
        let lines = self.lines.iter().zip(&totals.lines);
        let shown = lines.map(|(line, sums)| line.shown(&self.id, self.currency, sums));
        shown.collect()
    }

    /// Where its lines are listed.
    pub(crate) fn lines_url(&self) -> String {
        format!("/v1/invoices/{}/lines", self.id)
    }

    fn parent_shown(&self) -> Value {
        match &self.parent {
            Parent::Nothing => Value::Null,
            Parent::Subscription { id, metadata } => json!({
                "quote_details": null,
                "subscription_details": { "metadata": metadata, "subscription": id },
                "type": "subscription_details",
            }),
            Parent::Quote(quote) => json!({
                "quote_details": { "quote": quote },
                "subscription_details": null,
                "type": "quote_details",
            }),
        }
    }

    fn automatic_tax_shown(&self) -> Value {
        let enabled = self.terms.automatic_tax;
        let status = match self.billed.country {
            _ if !enabled => None,
            Some(_) => Some("complete"),
            None => Some("requires_location_inputs"),
        };
        json!({
            "disabled_reason": null,
            "enabled": enabled,
            "liability": enabled.then(|| json!({ "type": "self" })),
            "provider": enabled.then_some("stripe"),
            "status": status,
        })
    }

    /// What it comes to, as the API shows it.
    fn sums_shown(&self, totals: &Totals) -> Value {
        let (starting, ending) = match &self.finalized {
            Some(it) => (it.starting_balance, Some(it.ending_balance)),
            None => (self.billed.balance, None),
        };
        let off_stripe = match self.paid_out_of_band {
            true => self.amount_paid,
            false => Amount::ZERO,
        };
        json!({
            "amount_due": self.amount_due(),
            "amount_overpaid": 0,
            "amount_paid": self.amount_paid,
            "amount_paid_off_stripe": off_stripe,
            "amount_remaining": self.amount_remaining(),
            "amount_shipping": self.amount_shipping(),
            "ending_balance": ending,
            "post_payment_credit_notes_amount": self.credited.post_payment,
            "pre_payment_credit_notes_amount": self.credited.pre_payment,
            "starting_balance": starting,
            "subtotal": totals.subtotal,
            "subtotal_excluding_tax": totals.subtotal_excluding_tax,
            "total": totals.total,
            "total_discount_amounts": totals.discounts_shown(),
            "total_excluding_tax": totals.total_excluding_tax,
            "total_pretax_credit_amounts": totals.pretax_credits_shown(),
            "total_taxes": totals.taxes_shown(),
        })
    }

    /// What the shop has said of it, as the API shows it.
    fn terms_shown(&self) -> Map<String, Value> {
        let terms = &self.terms;
        let rates: Vec<_> = terms.default_tax_rates.iter().map(|it| &it.shown).collect();
        let effective_at = self.transitions.finalized_at;
        let mut shown = Map::from_iter(
            [
                ("account_tax_ids", Value::Null),
                ("custom_fields", Value::Null),
                ("effective_at", json!(effective_at)),
                (
                    "payment_settings",
                    json!({
                        "default_mandate": null,
                        "payment_method_options": null,
                        "payment_method_types": null,
                    }),
                ),
                ("rendering", Value::Null),
                ("shipping_details", Value::Null),
                ("collection_method", json!(terms.collection.as_str())),
                (
                    "default_payment_method",
                    json!(terms.default_payment_method),
                ),
                ("default_source", json!(terms.default_source)),
                ("default_tax_rates", json!(rates)),
                ("description", json!(terms.description)),
                ("footer", json!(terms.footer)),
                ("metadata", json!(terms.metadata)),
                ("statement_descriptor", json!(terms.statement_descriptor)),
            ]
            .map(|(field, value)| (field.to_owned(), value)),
        );
        let held = terms.held.iter().filter(|(_, value)| !value.is_null());
        shown.extend(held.map(|(field, value)| (field.clone(), value.clone())));
        shown
    }
}

impl Object for Invoice {
    const KIND: &'static str = "invoice";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        let by_itself = match self.status {
            Status::Draft { finalizes_at } => finalizes_at,
            Status::Open { next_attempt } => next_attempt,
            _ => None,
        };
        let reminder = self.reminder().map(|(at, _)| at);
        by_itself.into_iter().chain(reminder).min()
    }

    fn answer(&self) -> Value {
        let totals = self.totals();
        let mut lines = self.lines_shown(&totals);
        let has_more = lines.len() > SHOWN_LINES;
        lines.truncate(SHOWN_LINES);
        let discounts: Vec<_> = self.discounts.iter().map(Discount::id).collect();
        let url = self.finalized.as_ref().map(|finalized| &finalized.url);
        let mut answer = json!({
            "id": self.id,
            "object": Self::KIND,
            "account_country": "US",
            "account_name": null,
            "application": null,
            "attempt_count": self.attempts.count,
            "attempted": self.attempts.attempted,
            "auto_advance": self.advances(),
            "automatic_tax": self.automatic_tax_shown(),
            "automatically_finalizes_at": match self.status {
                Status::Draft { finalizes_at } => finalizes_at,
                _ => None,
            },
            "billing_reason": self.billing_reason,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "discounts": discounts,
            "due_date": self.due_date(),
            "from_invoice": null,
            "hosted_invoice_url": url,
            "invoice_pdf": url.map(|url| format!("{url}/pdf")),
            "issuer": { "type": "self" },
            "last_finalization_error": self.finalization_error,
            "latest_revision": null,
            "lines": {
                "object": "list",
                "data": lines,
                "has_more": has_more,
                "url": self.lines_url(),
            },
            "livemode": false,
            "next_payment_attempt": self.next_attempt(),
            "number": self.number,
            "on_behalf_of": null,
            "parent": self.parent_shown(),
            "period_end": self.period.end,
            "period_start": self.period.start,
            "receipt_number": null,
            "shipping_cost": self.shipping.as_ref().map(|it| it.shown(&totals.shipping_taxes)),
            "status": self.status.as_str(),
            "status_transitions": self.transitions,
            "test_clock": self.billed.test_clock,
            "webhooks_delivered_at": null,
        });
        if let (Value::Object(answer), Value::Object(sums)) =
            (&mut answer, self.sums_shown(&totals))
        {
            answer.extend(sums);
            answer.extend(self.terms_shown());
            answer.extend(self.billed.shown.clone());
        }
        answer
    }
}

impl Line {
    /// As the API shows it in this invoice.
    fn shown(&self, invoice: &str, currency: Currency, sums: &LineSums) -> Value {
        let content = &self.content;
        let discounts: Vec<_> = content.discounts.iter().map(Discount::id).collect();
        json!({
            "id": self.id,
            "object": "line_item",
            "amount": content.amount,
            "currency": currency,
            "description": content.description,
            "discount_amounts": sums.discounts_shown(),
            "discountable": content.discountable,
            "discounts": discounts,
            "invoice": invoice,
            "livemode": false,
            "metadata": content.metadata,
            "parent": self.parent(),
            "period": content.period,
            "pretax_credit_amounts": sums.pretax_credits_shown(),
            "pricing": content.pricing.shown(),
            "quantity": content.quantity,
            "quantity_decimal": content.quantity.to_string(),
            "subscription": self.subscription().map(|it| &it.subscription),
            "subtotal": content.amount,
            "taxes": sums.taxes_shown(),
        })
    }

    fn parent(&self) -> Value {
        match &self.source {
            Source::Item {
                item,
                subscription,
                proration,
            } => json!({
                "invoice_item_details": {
                    "invoice_item": item,
                    "proration": proration.is_some(),
                    "proration_details": proration.as_ref().map(Proration::shown),
                    "subscription": subscription.as_ref().map(|it| &it.subscription),
                },
                "subscription_item_details": null,
                "type": "invoice_item_details",
            }),
            Source::Subscription(subscription) => json!({
                "invoice_item_details": null,
                "subscription_item_details": {
                    "invoice_item": null,
                    "proration": false,
                    "proration_details": { "credited_items": null },
                    "subscription": subscription.subscription,
                    "subscription_item": subscription.item,
                },
                "type": "subscription_item_details",
            }),
        }
    }
}
