//! `/invoices/{invoice}`: where customers see an invoice and pay it, as its `hosted_invoice_url` leads to
//! it; and its print view, to which `invoice_pdf` leads, in HTML.

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use axum::{Form, Router};
use http::StatusCode;
use serde::Deserialize;

use crate::account::amount::Amount;
use crate::billing;
use crate::browser::{self, Owner};
use crate::checkout::cards::{self, Mistyped};
use crate::credit_note::object::CreditNote;
use crate::engine::transaction::Transaction;
use crate::invoice::collect::{self, By, Outcome};
use crate::invoice::object::{Invoice, Status};
use crate::invoice::view::{InvoiceView, day, name_of, sums};
use crate::payment::billing::BillingDetails;
use crate::payment::intent::PaymentIntent;
use crate::payment::method::{Means, PaymentMethod};
use crate::stand_in::StandIn;

#[derive(Template)]
#[template(path = "invoice/page.html", config = "askama.toml")]
struct Page {
    title: String,
    shown: Shown,
}

enum Shown {
    Nothing,
    Invoice(Box<InvoiceView>),
}

#[derive(Template)]
#[template(path = "invoice/print.html", config = "askama.toml")]
struct Print {
    kind: &'static str,
    shop: String,
    number: String,
    facts: Vec<(&'static str, String)>,
    lines: Vec<(String, String, String)>,
    sums: Vec<(String, String)>,
    text: Option<String>,
}

/// What a customer submits.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    /// `card` for a new one, or the id of one that is kept.
    method: String,
    card_number: String,
    exp: String,
    cvc: String,
}

/// What follows a visit.
enum Next {
    To(String),
    Page(StatusCode, Box<Page>),
}

pub(crate) fn routes() -> Router<StandIn> {
    Router::new()
        .route("/invoices/{invoice}", get(show).post(pay))
        .route("/invoices/{invoice}/pdf", get(print))
        .route("/credit_notes/{note}/pdf", get(print_note))
}

/// Lets a visit to an invoice that is final take place.
async fn visit(
    Owner(account, cause): Owner,
    id: String,
    then: impl FnOnce(&Transaction<'_>, &str, Invoice) -> anyhow::Result<Next> + Send + 'static,
) -> Response {
    let shop = account.0.settings.business_name.clone();
    let whose = id.clone();
    let next = account
        .transact_in_time_of(&whose, cause, move |transaction| {
            let invoice = transaction.get::<Invoice>(&id)?;
            match invoice.filter(|invoice| !invoice.is_draft()) {
                Some(invoice) => then(transaction, &shop, invoice),
                None => anyhow::Ok(Next::Page(StatusCode::NOT_FOUND, Box::new(nothing()))),
            }
        })
        .await;
    match next {
        Ok(Next::Page(status, page)) => browser::page(status, &*page),
        Ok(Next::To(url)) => browser::redirect(&url),
        Err(error) => browser::failed(&error),
    }
}

fn nothing() -> Page {
    Page {
        title: "Nothing here".to_owned(),
        shown: Shown::Nothing,
    }
}

fn page(
    transaction: &Transaction<'_>,
    shop: &str,
    invoice: &Invoice,
    refused: Option<(Typed, Mistyped)>,
) -> anyhow::Result<Page> {
    let mut view = InvoiceView::of(transaction, shop, invoice)?;
    if let (Some(form), Some((typed, problem))) = (&mut view.form, refused) {
        for (id, _, chosen) in &mut form.saved {
            *chosen = *id == typed.method;
        }
        form.card_chosen = form.saved.iter().all(|(_, _, chosen)| !chosen);
        form.number = typed.card_number;
        form.expiry = typed.exp;
        form.problem = Some(problem);
    }
    Ok(Page {
        title: format!("Invoice {} from {shop}", view.number),
        shown: Shown::Invoice(Box::new(view)),
    })
}

async fn show(owner: Owner, Path(id): Path<String>) -> Response {
    visit(owner, id, |transaction, shop, invoice| {
        let page = page(transaction, shop, &invoice, None)?;
        Ok(Next::Page(StatusCode::OK, Box::new(page)))
    })
    .await
}

async fn pay(owner: Owner, Path(id): Path<String>, Form(typed): Form<Typed>) -> Response {
    visit(owner, id, |transaction, shop, mut invoice| {
        let url = invoice.finalized.as_ref().map(|it| it.url.clone());
        let back = Next::To(url.unwrap_or_default());
        if !matches!(invoice.status, Status::Open { .. } | Status::Uncollectible) {
            return Ok(back);
        }
        let refused = match method(transaction, &invoice, &typed)? {
            Err(mistyped) => mistyped,
            Ok(method) => {
                let by = By::Customer;
                let outcome = collect::attempt(transaction, &mut invoice, Some(method), by)?;
                billing::follow_try(transaction, &invoice, &outcome)?;
                invoice = transaction.existing(&invoice.id)?;
                match outcome {
                    Outcome::Paid | Outcome::Pending => return Ok(back),
                    Outcome::ActionRequired => return challenge(transaction, &invoice),
                    Outcome::Declined(error) => Mistyped {
                        field: "card_number",
                        message: error.message().to_owned().into(),
                    },
                    Outcome::NoMethod => Mistyped {
                        field: "card_number",
                        message: "Choose what to pay with.".into(),
                    },
                }
            }
        };
        let page = page(transaction, shop, &invoice, Some((typed, refused)))?;
        Ok(Next::Page(StatusCode::UNPROCESSABLE_ENTITY, Box::new(page)))
    })
    .await
}

/// What the customer wants to pay with.
fn method(
    transaction: &Transaction<'_>,
    invoice: &Invoice,
    typed: &Typed,
) -> anyhow::Result<Result<PaymentMethod, Mistyped>> {
    if !matches!(typed.method.as_str(), "" | "card") {
        let known = transaction.get::<PaymentMethod>(&typed.method)?;
        let theirs = known.filter(|it| it.customer() == Some(&invoice.customer));
        return Ok(theirs.ok_or(Mistyped {
            field: "method",
            message: "This payment method is not available here.".into(),
        }));
    }
    let now = transaction.now;
    let card = match cards::read(&typed.card_number, &typed.exp, &typed.cvc, now) {
        Ok(card) => card,
        Err(mistyped) => return Ok(Err(mistyped)),
    };
    let billing = BillingDetails {
        email: invoice.billed.email().map(str::to_owned),
        name: invoice.billed.name().map(str::to_owned),
        ..BillingDetails::default()
    };
    Ok(Ok(PaymentMethod::new(Means::Card(card), billing, now)))
}

/// On to the page of the bank that wants to see the customer.
fn challenge(transaction: &Transaction<'_>, invoice: &Invoice) -> anyhow::Result<Next> {
    let intent: Option<PaymentIntent> = match &invoice.intent {
        Some(id) => transaction.get(id)?,
        None => None,
    };
    let page = intent.as_ref().and_then(|it| it.challenge());
    let page = page.map(|challenge| challenge.page.clone());
    Ok(Next::To(page.unwrap_or_default()))
}

async fn print(Owner(account, cause): Owner, Path(id): Path<String>) -> Response {
    let shop = account.0.settings.business_name.clone();
    let invoice = account
        .transact(cause, move |transaction| transaction.get::<Invoice>(&id))
        .await;
    match invoice {
        Ok(Some(invoice)) if !invoice.is_draft() => {
            browser::page(StatusCode::OK, &Print::of_invoice(shop, &invoice))
        }
        Ok(_) => browser::page(StatusCode::NOT_FOUND, &nothing()),
        Err(error) => browser::failed(&error),
    }
}

async fn print_note(Owner(account, cause): Owner, Path(id): Path<String>) -> Response {
    let shop = account.0.settings.business_name.clone();
    let note = account
        .transact(cause, move |transaction| {
            let Some(note) = transaction.get::<CreditNote>(&id)? else {
                return anyhow::Ok(None);
            };
            let invoice: Invoice = transaction.existing(&note.invoice)?;
            Ok(Some((note, invoice)))
        })
        .await;
    match note {
        Ok(Some((note, invoice))) => {
            browser::page(StatusCode::OK, &Print::of_note(shop, &note, &invoice))
        }
        Ok(None) => browser::page(StatusCode::NOT_FOUND, &nothing()),
        Err(error) => browser::failed(&error),
    }
}

impl Print {
    fn of_invoice(shop: String, invoice: &Invoice) -> Self {
        let number = invoice.number.clone().unwrap_or_default();
        let issued = invoice.transitions.finalized_at.unwrap_or(invoice.created);
        let mut facts = vec![
            ("Number", number.clone()),
            ("To", name_of(invoice)),
            ("Issued", day(issued)),
            ("Status", invoice.status.as_str().to_owned()),
        ];
        facts.extend(invoice.due_date().map(|due| ("Due", day(due))));
        let lines = invoice.lines.iter().map(|line| {
            let content = &line.content;
            (
                content
                    .description
                    .clone()
                    .unwrap_or_else(|| "Item".to_owned()),
                content.quantity.to_string(),
                invoice.currency.display(content.amount),
            )
        });
        Self {
            kind: "Invoice",
            shop,
            number,
            facts,
            lines: lines.collect(),
            sums: sums(invoice),
            text: invoice.terms.footer.clone(),
        }
    }

    fn of_note(shop: String, note: &CreditNote, invoice: &Invoice) -> Self {
        let sums = note.sums();
        let rows = [
            ("Subtotal", sums.subtotal),
            ("Discounts", sums.discount().negated()),
            ("Tax", sums.tax()),
        ];
        let rows = rows
            .into_iter()
            .filter(|(_, amount)| *amount != Amount::ZERO);
        let rows = rows.chain([("Total", sums.total)]);
        Self {
            kind: "Credit note",
            shop,
            number: note.number.clone(),
            facts: vec![
                ("Number", note.number.clone()),
                ("Invoice", invoice.number.clone().unwrap_or_default()),
                ("To", name_of(invoice)),
                ("Issued", day(note.created)),
            ],
            lines: note
                .lines
                .iter()
                .map(|line| {
                    let (name, quantity) = line.named();
                    (name, quantity, invoice.currency.display(line.amount()))
                })
                .collect(),
            sums: rows
                .map(|(name, amount)| (name.to_owned(), invoice.currency.display(amount)))
                .collect(),
            text: note.memo.clone(),
        }
    }
}
