//! Credit notes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::amount::Amount;
use crate::account::currency::Currency;
use crate::credit_note::line::{NoteLine, NoteSums};
use crate::engine::ids::{CustomerId, InvoiceId};
use crate::engine::resource::{Metadata, Object};
use crate::engine::time::Timestamp;
use crate::invoice::totals::{discounts_shown, pretax_credits_shown, tax_shown};

/// How many lines a note shows without being asked for more.
const SHOWN_LINES: usize = 10;

/// What a shop takes back of an invoice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CreditNote {
    pub(crate) id: String,
    pub(crate) created: Timestamp,
    pub(crate) invoice: InvoiceId,
    pub(crate) customer: CustomerId,
    pub(crate) currency: Currency,
    pub(crate) number: String,
    pub(crate) lines: Vec<NoteLine>,
    pub(crate) memo: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) reason: Option<String>,
    pub(crate) effective_at: Option<Timestamp>,
    /// Where its page is.
    pub(crate) pdf: String,
    pub(crate) way: Way,
    pub(crate) voided_at: Option<Timestamp>,
}

/// How the customer gets it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// They have less to pay.
    PrePayment,
    PostPayment(Returned),
}

/// What a customer gets of what they have paid.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Returned {
    pub(crate) refunds: Vec<(String, Amount)>,
    /// What their balance is credited with, and the transaction that shows it.
    pub(crate) credit: Amount,
    pub(crate) balance_transaction: Option<String>,
    /// What they get past Stripe.
    pub(crate) out_of_band: Amount,
}

impl CreditNote {
    pub(crate) fn sums(&self) -> NoteSums {
        NoteSums::of(&self.lines)
    }

    pub(crate) fn total(&self) -> Amount {
        self.sums().total
    }

    /// Where its lines are listed.
    pub(crate) fn lines_url(&self) -> String {
        format!("/v1/credit_notes/{}/lines", self.id)
    }
}

impl Object for CreditNote {
    const KIND: &'static str = "credit_note";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn answer(&self) -> Value {
        let sums = self.sums();
        let nothing = Returned::default();
        let (kind, returned) = match &self.way {
            Way::PrePayment => ("pre_payment", &nothing),
            Way::PostPayment(returned) => ("post_payment", returned),
        };
        let (before, after) = match self.way {
            Way::PrePayment => (sums.total, Amount::ZERO),
            Way::PostPayment(_) => (Amount::ZERO, sums.total),
        };
        let mut lines: Vec<_> = self.lines.iter().map(NoteLine::shown).collect();
        let has_more = lines.len() > SHOWN_LINES;
        lines.truncate(SHOWN_LINES);
        let refunds = returned.refunds.iter().map(|(refund, amount)| {
            json!({
                "amount_refunded": amount,
                "payment_record_refund": null,
                "refund": refund,
                "type": "refund",
            })
        });
        let refunds: Vec<_> = refunds.collect();
        let out_of_band = returned.out_of_band;
        json!({
            "id": self.id,
            "object": Self::KIND,
            "amount": sums.total,
            "amount_shipping": 0,
            "created": self.created,
            "currency": self.currency,
            "customer": self.customer,
            "customer_account": null,
            "customer_balance_transaction": returned.balance_transaction,
            "discount_amount": sums.discount(),
            "discount_amounts": discounts_shown(&sums.discounts),
            "effective_at": self.effective_at,
            "invoice": self.invoice,
            "lines": {
                "object": "list",
                "data": lines,
                "has_more": has_more,
                "url": self.lines_url(),
            },
            "livemode": false,
            "memo": self.memo,
            "metadata": self.metadata,
            "number": self.number,
            "out_of_band_amount": (out_of_band > Amount::ZERO).then_some(out_of_band),
            "pdf": self.pdf,
            "post_payment_amount": after,
            "pre_payment_amount": before,
            "pretax_credit_amounts": pretax_credits_shown(&sums.discounts),
            "reason": self.reason,
            "refunds": refunds,
            "shipping_cost": null,
            "status": match self.voided_at {
                Some(_) => "void",
                None => "issued",
            },
            "subtotal": sums.subtotal,
            "subtotal_excluding_tax": sums.subtotal.minus(sums.included),
            "total": sums.total,
            "total_excluding_tax": sums.total.minus(sums.tax()),
            "total_taxes": sums.taxes.iter().map(tax_shown).collect::<Vec<_>>(),
            "type": kind,
            "voided_at": self.voided_at,
        })
    }
}
