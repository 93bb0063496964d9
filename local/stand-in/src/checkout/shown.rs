//! A Checkout session as the API shows it.

use serde_json::{Map, Value, json};

use crate::account::amount::Amount;
use crate::checkout::object::{Mode, Session, SessionStatus};
use crate::description::{Description, blank, filled};
use crate::engine::ids;
use crate::engine::links::Links;
use crate::engine::resource::Object;
use crate::engine::time::Timestamp;

impl Object for Session {
    const KIND: &'static str = "checkout.session";

    fn id(&self) -> &str {
        &self.id
    }

    fn created(&self) -> Timestamp {
        self.created
    }

    fn expires_at(&self) -> Option<Timestamp> {
        (self.status == SessionStatus::Open).then_some(self.expires_at)
    }

    fn shown(&self) -> anyhow::Result<(String, Links)> {
        let answer = self.answer();
        let links = Links::of(&answer).paid_by(self.payment_intent.as_deref());
        Ok((serde_json::to_string(&answer)?, links))
    }

    fn answer(&self) -> Value {
        let described = Description::newest().object(Self::KIND);
        let mut answer = described.map(blank).unwrap_or_default();
        let known = match self.known() {
            Value::Object(known) => known,
            _ => Map::new(),
        };
        answer.extend(defaults(self.mode));
        answer.extend(self.asked.clone());
        answer.extend(known);
        answer.insert("automatic_tax".to_owned(), self.automatic_tax());
        Value::Object(answer)
    }
}

impl Session {
    /// How the total came about, for whoever asks.
    pub(crate) fn breakdown(&self) -> Value {
        let discounts = self.discount.iter().map(
            |discount| json!({ "amount": discount.amount, "discount": self.discount_shown() }),
        );
        let totals = self.totals();
        json!({
            "discounts": Vec::from_iter(discounts),
            "taxes": Vec::from_iter(totals.taxes().iter().map(super::tax::Tax::shown)),
        })
    }

    fn discount_shown(&self) -> Option<Value> {
        let discount = self.discount.as_ref()?;
        let object = filled(
            "discount",
            [
                ("id", json!(ids::discount(&self.id))),
                ("checkout_session", json!(self.id)),
                ("customer", json!(self.customer)),
                ("promotion_code", json!(discount.promotion_code)),
                (
                    "source",
                    json!({ "coupon": discount.coupon, "type": "coupon" }),
                ),
                ("start", json!(self.created)),
            ],
        );
        Some(Value::Object(object))
    }

    /// The line items as the API shows them.
    pub(crate) fn lines(&self) -> impl DoubleEndedIterator<Item = Value> {
        let totals = self.totals();
        let lines = self.line_items.iter().zip(totals.lines);
        let shown = lines.map(|(line, sums)| {
            let object = filled(
                "item",
                [
                    ("id", json!(line.id)),
                    (
                        "adjustable_quantity",
                        json!(line.adjustable.map(|(minimum, maximum)| json!({
                            "enabled": true, "maximum": maximum, "minimum": minimum,
                        }))),
                    ),
                    ("amount_discount", json!(sums.discount)),
                    ("amount_subtotal", json!(line.amount())),
                    ("amount_tax", json!(sums.tax())),
                    ("amount_total", json!(sums.total)),
                    ("currency", json!(self.currency)),
                    ("description", json!(line.name)),
                    ("metadata", json!(line.metadata)),
                    ("price", Value::Object(line.price.clone())),
                    ("quantity", json!(line.quantity)),
                ],
            );
            Value::Object(object)
        });
        shown.collect::<Vec<_>>().into_iter()
    }

    fn customer_details(&self) -> Option<Value> {
        let told = &self.collected;
        let knows_more = told.name.is_some() || told.address.is_some() || told.phone.is_some();
        if self.email().is_none() && !knows_more {
            return None;
        }
        Some(json!({
            "address": told.address,
            "business_name": told.business_name,
            "email": self.email(),
            "individual_name": told.individual_name,
            "name": told.name,
            "phone": told.phone,
            "tax_exempt": "none",
            "tax_ids": (self.status == SessionStatus::Complete).then_some(json!([])),
        }))
    }

    fn custom_fields(&self) -> Value {
        let fields = self.asked.get("custom_fields").and_then(Value::as_array);
        let with_values = fields.into_iter().flatten().map(|field| {
            let mut field = field.clone();
            let kind = field.get("type").and_then(Value::as_str).map(str::to_owned);
            let key = field.get("key").and_then(Value::as_str);
            let told = key.and_then(|key| self.collected.fields.get(key)).cloned();
            if let Some(details) = kind.and_then(|kind| field.get_mut(kind)) {
                details["value"] = json!(told);
            }
            field
        });
        with_values.collect()
    }

    fn consent(&self) -> Option<Value> {
        self.asked
            .get("consent_collection")
            .filter(|it| it.is_object())?;
        let told = &self.collected;
        let news = told
            .wants_news
            .map(|wants| if wants { "opt_in" } else { "opt_out" });
        Some(json!({
            "promotions": news,
            "terms_of_service": told.accepts_terms.then_some("accepted"),
        }))
    }

    /// What is known of the session itself.
    fn known(&self) -> Value {
        let (open, totals) = (self.status == SessionStatus::Open, self.totals());
        let amount = |amount: Amount| (!self.is_for_setup()).then_some(amount);
        let currency = self.asked.get("currency").is_some() || !self.is_for_setup();
        let told = &self.collected;
        let ship_to = told.ship_to.as_ref();
        json!({
            "id": self.id,
            "amount_subtotal": amount(self.subtotal()),
            "amount_total": amount(totals.total),
            "collected_information": json!({
                "business_name": told.business_name,
                "individual_name": told.individual_name,
                "shipping_details": ship_to,
            }),
            "consent": self.consent(),
            "created": self.created,
            "currency": currency.then_some(self.currency),
            "custom_fields": self.custom_fields(),
            "customer": self.customer,
            "customer_details": self.customer_details(),
            "discounts": Vec::from_iter(self.discount.iter().map(|discount| json!({
                "coupon": match discount.promotion_code {
                    Some(_) => None,
                    None => Some(&discount.coupon),
                },
                "promotion_code": discount.promotion_code,
            }))),
            "expires_at": self.expires_at,
            "invoice": self.invoice,
            "mode": self.mode,
            // The invoice of a subscription names it.
            "payment_intent": self.payment_intent.as_ref().filter(|_| !self.is_for_subscription()),
            "payment_link": self.payment_link,
            "payment_method_types": self.methods,
            "payment_status": self.payment_status,
            "recovered_from": self.recovered_from,
            "setup_intent": self.setup_intent,
            "shipping_cost": self.chosen_shipping().map(|option| json!({
                "amount_subtotal": option.amount,
                "amount_tax": totals.shipping_taxes.iter().map(|it| it.amount).sum::<Amount>(),
                "amount_total": totals
                    .shipping_taxes
                    .iter()
                    .fold(option.amount, |amount, tax| amount.plus(tax.on_top())),
                "shipping_rate": option.rate,
            })),
            "shipping_options": Vec::from_iter(self.shipping_options.iter().map(|option| json!({
                "shipping_amount": option.amount, "shipping_rate": option.rate,
            }))),
            "status": self.status,
            "subscription": self.subscription,
            "total_details": amount(Amount::ZERO).map(|_| json!({
                "amount_discount": totals.discount,
                "amount_shipping": totals.shipping,
                "amount_tax": totals.tax,
            })),
            "url": open.then_some(&self.url),
        })
    }

    /// Whether automatic tax knows enough of the buyer.
    fn automatic_tax(&self) -> Value {
        let enabled = self.asks_for("/automatic_tax/enabled");
        let status = match self.tax_country() {
            _ if !enabled => None,
            Some(_) => Some("complete"),
            None => Some("requires_location_inputs"),
        };
        json!({
            "enabled": enabled,
            "liability": enabled.then(|| json!({ "type": "self" })),
            "provider": enabled.then_some("stripe"),
            "status": status,
        })
    }
}

/// What Stripe shows where the shop has not said otherwise, and null is not it.
fn defaults(mode: Mode) -> Map<String, Value> {
    let saves_customer = match mode {
        Mode::Payment => Value::from("if_required"),
        Mode::Setup | Mode::Subscription => Value::Null,
    };
    let defaults = [
        (
            "adaptive_pricing",
            json!({ "enabled": mode != Mode::Setup }),
        ),
        ("customer_creation", saves_customer),
        (
            "invoice_creation",
            match mode {
                Mode::Payment => json!({
                    "enabled": false,
                    "invoice_data": {
                        "account_tax_ids": null,
                        "custom_fields": null,
                        "description": null,
                        "footer": null,
                        "issuer": null,
                        "metadata": {},
                        "rendering_options": null,
                    },
                }),
                Mode::Setup | Mode::Subscription => Value::Null,
            },
        ),
        ("managed_payments", json!({ "enabled": false })),
        ("metadata", json!({})),
        (
            "payment_method_collection",
            match mode {
                Mode::Payment => json!("if_required"),
                Mode::Setup | Mode::Subscription => json!("always"),
            },
        ),
        ("payment_method_options", json!({})),
        ("phone_number_collection", json!({ "enabled": false })),
        ("ui_mode", json!("hosted_page")),
    ];
    Map::from_iter(defaults.map(|(field, value)| (field.to_owned(), value)))
}
