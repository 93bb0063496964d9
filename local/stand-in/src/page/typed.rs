//! What the buyer submits: read, and found wrong where it is.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::checkout::cards::{self, Mistyped};
use crate::checkout::object::{Collected, Session, ShipTo};
use crate::engine::time::Timestamp;
use crate::payment::bank::{BankDebit, Scheme};
use crate::payment::billing::{Address, BillingDetails};
use crate::payment::method::Means;
use crate::payment::typed;
use crate::wire::params::is_email;

/// Countries where letters need no postal code.
const NO_POSTAL_CODES: &[&str] = &[
    "AE", "AG", "AO", "AW", "BF", "BI", "BJ", "BS", "BW", "BZ", "CI", "CM", "DM", "FJ", "GD", "GH",
    "GM", "GY", "HK", "IE", "JM", "KE", "KM", "KN", "LC", "ML", "MO", "MR", "MW", "QA", "RW", "SB",
    "SC", "SL", "SR", "TD", "TG", "TO", "TT", "UG", "VU", "YE", "ZW",
];

/// The fields of the form as they came.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Typed(BTreeMap<String, String>);

/// What is wrong, and in which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) field: String,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl From<Mistyped> for Problem {
    fn from(Mistyped { field, message }: Mistyped) -> Self {
        Self::new(field, message)
    }
}

/// With what the buyer pays.
#[derive(Debug)]
pub(super) enum Payment {
    New(Means),
    /// One that they have used before.
    Saved(String),
    /// Nothing is due.
    Nothing,
}

impl Typed {
    /// What stands in a field, or nothing.
    pub(super) fn get(&self, field: &str) -> &str {
        self.0.get(field).map_or("", |value| value.trim())
    }

    pub(super) fn has(&self, field: &str) -> bool {
        !self.get(field).is_empty()
    }

    pub(super) fn set(&mut self, field: &str, value: impl Into<String>) {
        self.0.insert(field.to_owned(), value.into());
    }

    pub(super) fn clear(&mut self, field: &str) {
        self.0.remove(field);
    }

    fn text(&self, field: &str) -> Option<String> {
        Some(self.get(field).to_owned()).filter(|it| !it.is_empty())
    }

    /// Takes what the buyer has chosen, as far as it decides what they pay: quantities, the way to
    /// ship, and where they are.
    pub(super) fn choose(&self, session: &mut Session) -> Vec<Problem> {
        let mut problems = Vec::new();
        for line in &mut session.line_items {
            let field = format!("quantity[{}]", line.id);
            let (Some((fewest, most)), true) = (line.adjustable, self.has(&field)) else {
                continue;
            };
            match self.get(&field).parse() {
                Ok(quantity) if (fewest..=most).contains(&quantity) => line.quantity = quantity,
                _ => problems.push(Problem::new(
                    field,
                    format!("Enter a quantity from {fewest} to {most}."),
                )),
            }
        }
        let shipping = self.get("shipping_rate");
        let known = session
            .shipping_options
            .iter()
            .any(|it| it.rate == shipping);
        if known {
            session.shipping = Some(shipping.to_owned());
        } else if !shipping.is_empty() {
            problems.push(Problem::new("shipping_rate", "Choose how to ship."));
        }
        if collects_shipping(session) && self.has("shipping_country") {
            session.collected.ship_to = Some(ShipTo {
                name: self.get("shipping_name").to_owned(),
                address: self.address("shipping"),
            });
        }
        if let Some(address) = self.billing(session) {
            session.collected.address = Some(address);
        }
        problems
    }

    /// The billing address, as far as it was typed: where the goods go, unless it is another.
    fn billing(&self, session: &Session) -> Option<Address> {
        if collects_shipping(session) && !self.has("billing_differs") {
            let ship_to = session.collected.ship_to.as_ref();
            return ship_to.map(|it| it.address.clone());
        }
        Some(self.address("billing")).filter(|address| *address != Address::default())
    }

    fn address(&self, which: &str) -> Address {
        let part = |part: &str| self.text(&format!("{which}_{part}"));
        Address {
            city: part("city"),
            country: part("country"),
            line1: part("line1"),
            line2: part("line2"),
            postal_code: part("postal_code"),
            state: part("state"),
        }
    }

    /// What the buyer tells of themselves, or all that is wrong with it.
    pub(super) fn tell(&self, session: &Session) -> Result<Collected, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut told = Collected {
            email: Some(self.get("email").to_owned()),
            name: self.text("name"),
            business_name: self.text("business_name"),
            individual_name: self.text("individual_name"),
            phone: self.text("phone"),
            saves: self.has("save"),
            ..session.collected.clone()
        };
        // The address of a customer who is known is theirs.
        if session.customer.is_some() && session.collected.email.is_some() {
            told.email.clone_from(&session.collected.email);
        } else if let Some(fixed) = session.asked_text("customer_email") {
            let typed = self.text("email");
            told.email = typed.or_else(|| Some(fixed.to_owned()));
        }
        check_email(told.email.as_deref().unwrap_or_default(), &mut problems);
        self.check_names(session, &mut problems);
        if session.asks_for("/phone_number_collection/enabled") {
            check_phone(self.get("phone"), &mut problems);
        } else {
            told.phone = session.collected.phone.clone();
        }
        if collects_shipping(session) {
            self.check_address("shipping", shipping_countries(session), &mut problems);
            if !self.has("shipping_name") {
                problems.push(Problem::new("shipping_name", "Enter the recipient's name."));
            }
        }
        if needs_billing(session) && (!collects_shipping(session) || self.has("billing_differs")) {
            self.check_address("billing", None, &mut problems);
        }
        told.fields = self.custom_fields(session, &mut problems);
        self.consent(session, &mut told, &mut problems);
        match problems.is_empty() {
            true => Ok(told),
            false => Err(problems),
        }
    }

    fn check_names(&self, session: &Session, problems: &mut Vec<Problem>) {
        for (kind, message) in [
            ("business", "Enter the name of your business."),
            ("individual", "Enter your name."),
        ] {
            let asked = session.asks_for(&format!("/name_collection/{kind}/enabled"));
            let optional = session.asks_for(&format!("/name_collection/{kind}/optional"));
            let field = format!("{kind}_name");
            if asked && !optional && !self.has(&field) {
                problems.push(Problem::new(field, message));
            }
        }
    }

    fn check_address(
        &self,
        which: &str,
        countries: Option<Vec<&str>>,
        problems: &mut Vec<Problem>,
    ) {
        let field = |part: &str| format!("{which}_{part}");
        let country = self.get(&field("country")).to_owned();
        let is_known = country.len() == 2 && country.bytes().all(|it| it.is_ascii_uppercase());
        if !is_known {
            problems.push(Problem::new(field("country"), "Choose a country."));
        } else if countries.is_some_and(|it| !it.contains(&country.as_str())) {
            let message = "This shop does not ship to this country.";
            problems.push(Problem::new(field("country"), message));
        }
        for (part, message) in [
            ("line1", "Enter an address."),
            ("city", "Enter a city."),
            ("postal_code", "Enter a postal code."),
        ] {
            let needed = part != "postal_code" || !NO_POSTAL_CODES.contains(&country.as_str());
            if needed && !self.has(&field(part)) {
                problems.push(Problem::new(field(part), message));
            }
        }
    }

    fn custom_fields(
        &self,
        session: &Session,
        problems: &mut Vec<Problem>,
    ) -> BTreeMap<String, String> {
        let fields = session.asked.get("custom_fields").and_then(Value::as_array);
        let mut told = BTreeMap::new();
        for field in fields.into_iter().flatten() {
            let text = |name: &str| field.get(name).and_then(Value::as_str).unwrap_or_default();
            let (key, kind) = (text("key"), text("type"));
            let name = format!("custom_fields[{key}]");
            let value = self.get(&name);
            let mut wrong = |message: String| problems.push(Problem::new(&name, message));
            if value.is_empty() {
                if field.get("optional") != Some(&Value::Bool(true)) {
                    wrong("Fill in this field.".to_owned());
                }
                continue;
            }
            let bound = |end: &str| {
                let bound = field.get(kind).and_then(|it| it.get(end)?.as_u64());
                bound.and_then(|bound| usize::try_from(bound).ok())
            };
            let length = value.chars().count();
            let known = field.pointer("/dropdown/options").and_then(Value::as_array);
            let is_option = |option: &Value| option.get("value").is_some_and(|it| it == value);
            if kind == "numeric" && !value.bytes().all(|byte| byte.is_ascii_digit()) {
                wrong("Enter digits only.".to_owned());
            } else if kind == "dropdown" && !known.is_some_and(|known| known.iter().any(is_option))
            {
                wrong("Choose one of the options.".to_owned());
            } else if let Some(least) = bound("minimum_length").filter(|least| length < *least) {
                wrong(format!("Enter at least {least} characters."));
            } else if let Some(most) = bound("maximum_length").filter(|most| length > *most) {
                wrong(format!("Enter at most {most} characters."));
            } else {
                told.insert(key.to_owned(), value.to_owned());
            }
        }
        told
    }

    fn consent(&self, session: &Session, told: &mut Collected, problems: &mut Vec<Problem>) {
        let asked = |what: &str| {
            let asked = session.asked_at(&format!("/consent_collection/{what}"));
            asked.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        if asked("promotions") == "auto" {
            told.wants_news = Some(self.has("promotions"));
        }
        if asked("terms_of_service") == "required" {
            told.accepts_terms = self.has("terms_of_service");
            if !told.accepts_terms {
                let message = "Agree to the terms to go on.";
                problems.push(Problem::new("terms_of_service", message));
            }
        }
    }

    /// What the buyer pays with.
    pub(super) fn payment(&self, session: &Session, now: Timestamp) -> Result<Payment, Problem> {
        if !session.needs_method() {
            return Ok(Payment::Nothing);
        }
        let method = match self.get("method") {
            "" => "card",
            method => method,
        };
        let debit = session.bank_debit();
        let voucher = session.voucher();
        let is_debit = |it: &Scheme| method == "bank_debit" || method == it.method();
        if method == "card" && session.offers("card") {
            let (number, exp, cvc) = (self.get("card_number"), self.get("exp"), self.get("cvc"));
            let card = cards::read(number, exp, cvc, now)?;
            return Ok(Payment::New(Means::Card(card)));
        }
        if let Some(scheme) = debit.filter(is_debit) {
            return Ok(Payment::New(Means::BankDebit(self.account(scheme)?)));
        }
        if let Some(voucher) = voucher
            && (method == "voucher" || method == voucher.method())
            && !session.is_for_setup()
        {
            return Ok(Payment::New(Means::Voucher(voucher)));
        }
        match method.starts_with("pm_") || method.starts_with("card_") {
            true => Ok(Payment::Saved(method.to_owned())),
            false => Err(Problem::new(
                "method",
                "This payment method is not available here.",
            )),
        }
    }

    /// The account to debit: one of Stripe's, or one of nobody's that whoever tests decides about.
    fn account(&self, scheme: Scheme) -> Result<BankDebit, Problem> {
        let number = self.get("account_number");
        let account = match scheme {
            _ if number.is_empty() => return Ok(BankDebit::by_hand(scheme)),
            Scheme::Sepa => typed::iban(number),
            Scheme::Ach => typed::account(scheme, "110000000", number),
            Scheme::Bacs => typed::account(scheme, "108800", number),
        };
        // The bank itself has told Stripe's page whose the account is.
        let verified = |debit| BankDebit {
            verified: true,
            ..debit
        };
        account
            .map(verified)
            .map_err(|_| Problem::new("account_number", "This account number is invalid."))
    }
}

/// What a bank learns of whoever pays.
pub(super) fn billing_of(told: &Collected) -> BillingDetails {
    BillingDetails {
        address: told.address.clone().unwrap_or_default(),
        email: told.email.clone(),
        name: told.name.clone(),
        phone: told.phone.clone(),
        tax_id: None,
    }
}

pub(super) fn collects_shipping(session: &Session) -> bool {
    shipping_countries(session).is_some()
}

/// Where the shop ships.
pub(super) fn shipping_countries(session: &Session) -> Option<Vec<&str>> {
    let countries = session.asked_at("/shipping_address_collection/allowed_countries")?;
    Some(
        countries
            .as_array()?
            .iter()
            .filter_map(Value::as_str)
            .collect(),
    )
}

/// Whether the shop has to know where the buyer lives.
pub(super) fn needs_billing(session: &Session) -> bool {
    session.asked_text("billing_address_collection") == Some("required")
        || (session.asks_for("/automatic_tax/enabled") && !collects_shipping(session))
}

fn check_email(email: &str, problems: &mut Vec<Problem>) {
    if !is_email(email) {
        let message = match email {
            "" => "Enter an email address.",
            _ => "Your email address is incomplete.",
        };
        problems.push(Problem::new("email", message));
    }
}

fn check_phone(phone: &str, problems: &mut Vec<Problem>) {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    let plain = phone
        .chars()
        .all(|c| c.is_ascii_digit() || "+-() ./".contains(c));
    if !plain || !(6..=15).contains(&digits) {
        let message = match phone {
            "" => "Enter a phone number.",
            _ => "Your phone number is incomplete.",
        };
        problems.push(Problem::new("phone", message));
    }
}
