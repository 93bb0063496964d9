//! Quotes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;
use crate::invoice::discount::Discount;
use crate::invoice::line::Line;
use crate::invoice::totals::{Bill, Totals};
use crate::quote::line::QuoteLine;
use crate::quote::terms::Terms;
use crate::subscription::terms::billing_mode;

/// What a shop offers a customer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Quote {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) status: Status,
    pub(crate) currency: Option<Currency>,
    pub(crate) lines: Vec<QuoteLine>,
    pub(crate) discounts: Vec<Discount>,
    pub(crate) terms: Terms,
    pub(crate) number: Option<String>,
    pub(crate) expires_at: Timestamp,
    pub(crate) transitions: Transitions,
    /// What it has become.
    pub(crate) invoice: Option<String>,
    pub(crate) subscription: Option<String>,
    pub(crate) test_clock: Option<String>,
}

/// How a quote stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    Draft,
    Open,
    Accepted,
    Canceled,
}

impl Status {
    /// Stripe's word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Open => "open",
            Self::Accepted => "accepted",
            Self::Canceled => "canceled",
        }
    }
}

/// When a quote became what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transitions {
    pub(crate) accepted_at: Option<Timestamp>,
    pub(crate) canceled_at: Option<Timestamp>,
    pub(crate) finalized_at: Option<Timestamp>,
}

impl Quote {
    /// What these of its lines come to.
    fn totals(&self, which: impl Fn(&QuoteLine) -> bool) -> Totals {
        let lines = self.lines.iter().filter(|line| which(line));
        let lines: Vec<Line> = lines.map(|it| it.line.clone()).collect();
        Totals::of(&Bill {
            lines: &lines,
            currency: self.currency.unwrap_or(Currency::SETTLEMENT),
            discounts: &self.discounts,
            rates: &self.terms.default_tax_rates,
            automatic: None,
            exempt: false,
            shipping: None,
        })
    }

    /// What is billed at first, as the API shows it line by line.
    pub(crate) fn lines_shown(&self) -> Vec<Value> {
        let totals = self.totals(|_| true);
        let currency = self.currency.unwrap_or(Currency::SETTLEMENT);
        let lines = self.lines.iter().zip(&totals.lines);
        lines
            .map(|(line, sums)| line.shown(currency, sums))
            .collect()
    }

    /// Where its lines are listed.
    pub(crate) fn lines_url(&self) -> String {
        format!("/v1/quotes/{}/line_items", self.id)
    }

    /// Whether it becomes a subscription.
    pub(crate) fn is_recurring(&self) -> bool {
        self.lines.iter().any(|line| line.interval().is_some())
    }

    fn recurring_shown(&self) -> Value {
        let first = self.lines.iter().find_map(QuoteLine::interval);
        let Some((interval, count)) = first else {
            return Value::Null;
        };
        let totals = self.totals(|line| line.interval().is_some());
        json!({
            "amount_subtotal": totals.subtotal,
            "amount_total": totals.total,
            "interval": interval,
            "interval_count": count,
            "total_details": details(&totals),
        })
    }
}

fn details(totals: &Totals) -> Value {
    let discount: Amount = totals.discounts.iter().map(|(_, amount)| *amount).sum();
    let tax: Amount = totals.taxes.iter().map(|tax| tax.amount).sum();
    json!({ "amount_discount": discount, "amount_shipping": 0, "amount_tax": tax })
}

impl Object for Quote {
    const KIND: &'static str = "quote";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        let is_live = matches!(self.status, Status::Draft | Status::Open);
        is_live.then_some(self.expires_at)
    }

    fn answer(&self) -> Value {
        let terms = &self.terms;
        let totals = self.totals(|_| true);
        let discounts: Vec<_> = self.discounts.iter().map(Discount::id).collect();
        let rates = terms.default_tax_rates.iter();
        let rates: Vec<_> = rates.map(|rate| rate.id().to_owned()).collect();
        json!({
            "id": self.id,
            "object": Self::KIND,
            "amount_subtotal": totals.subtotal,
            "amount_total": totals.total,
            "application": null,
            "application_fee_amount": null,
            "application_fee_percent": null,
            "automatic_tax": {
                "enabled": false,
                "liability": null,
                "provider": null,
                "status": null,
            },
            "collection_method": terms.collection_method,
            "computed": {
                "recurring": self.recurring_shown(),
                "upfront": {
                    "amount_subtotal": totals.subtotal,
                    "amount_total": totals.total,
                    "total_details": details(&totals),
                },
            },
            "created": self.created,
            "currency": self.currency,
            "customer": terms.customer,
            "customer_account": null,
            "default_tax_rates": rates,
            "description": terms.description,
            "discounts": discounts,
            "expires_at": self.expires_at,
            "footer": terms.footer,
            "from_quote": null,
            "header": terms.header,
            "invoice": self.invoice,
            "invoice_settings": {
                "custom_fields": null,
                "days_until_due": terms.days_until_due,
                "description": null,
                "footer": null,
                "issuer": { "type": "self" },
            },
            "livemode": false,
            "metadata": terms.metadata,
            "number": self.number,
            "on_behalf_of": null,
            "status": self.status.as_str(),
            "status_transitions": self.transitions,
            "subscription": self.subscription,
            "subscription_data": {
                "billing_mode": billing_mode(None),
                "description": terms.subscription.description,
                "effective_date": null,
                "metadata": terms.subscription.metadata,
                "trial_period_days": terms.subscription.trial_period_days,
            },
            "subscription_schedule": null,
            "test_clock": self.test_clock,
            "total_details": details(&totals),
            "transfer_data": null,
        })
    }
}
