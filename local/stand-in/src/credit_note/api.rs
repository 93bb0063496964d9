//! `/v1/credit_notes`.

use serde_json::Value;

use crate::account::amount::Amount;
use crate::billing;
use crate::credit_note::life::{self, Wanted, WrongState};
use crate::credit_note::line::{NewLine, NoteLine};
use crate::credit_note::object::{CreditNote, Returned, Way};
use crate::engine::ids;
use crate::engine::resource::{Metadata, Object as _};
use crate::engine::time::Timestamp;
use crate::engine::transaction::Transaction;
use crate::invoice::object::{Invoice, Status};
use crate::refund::object::Refund;
use crate::webhook::record::record_change;
use crate::wire::answer::{Asked, Route, Work};
use crate::wire::errors::ApiError;
use crate::wire::lists::Paging;
use crate::wire::params::{Params, Required as _};

const REASONS: &[&str] = &[
    "duplicate",
    "fraudulent",
    "order_change",
    "product_unsatisfactory",
];

/// The requests answered here.
pub(crate) fn route<'r>(asked: &Asked<'r>) -> Option<Route<'r>> {
    Some(match (asked.method, asked.path) {
        ("POST", ["credit_notes"]) => Box::new(create),
        ("GET", ["credit_notes", "preview"]) => Box::new(preview),
        ("GET", ["credit_notes", "preview", "lines"]) => Box::new(preview_lines),
        ("GET", ["credit_notes", id, "lines"]) => Box::new(move |params| lines(id, params)),
        ("POST", ["credit_notes", id]) => Box::new(move |params| update(id, params)),
        ("POST", ["credit_notes", id, "void"]) => Box::new(move |params| void(id, params)),
        _ => return None,
    })
}

/// A note as asked for.
#[derive(Debug)]
struct NewNote {
    invoice: String,
    amount: Option<Amount>,
    lines: Vec<NewLine>,
    memo: Option<String>,
    metadata: Metadata,
    reason: Option<String>,
    effective_at: Option<Timestamp>,
    refund: Amount,
    /// Refunds that there are already, and how much of each.
    refunds: Vec<(String, Option<Amount>)>,
    credit: Amount,
    out_of_band: Amount,
}

impl NewNote {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let mut amount = |field: &str| {
            let amount = params.integer_within(field, 0, i64::MAX)?;
            Ok::<_, ApiError>(amount.map(Amount::new))
        };
        let (whole, refund) = (amount("amount")?, amount("refund_amount")?);
        let (credit, out_of_band) = (amount("credit_amount")?, amount("out_of_band_amount")?);
        let lines = params.objects("lines")?.into_iter().map(NewLine::read);
        let lines = lines.collect::<Result<Vec<_>, _>>()?;
        if whole.is_none() && lines.is_empty() {
            return Err(ApiError::missing_one_of("amount or lines"));
        }
        // No mail is sent.
        params.choice("email_type", &["credit_note", "none"])?;
        let refunds = params.objects("refunds")?.into_iter().map(|mut given| {
            given.choice("type", &["refund"])?;
            let id = given.text("refund").required(&given, "refund")?;
            let amount = given.integer_within("amount_refunded", 1, i64::MAX)?;
            given.finish()?;
            Ok((id, amount.map(Amount::new)))
        });
        let refunds = refunds.collect::<Result<Vec<_>, ApiError>>()?;
        Ok(Self {
            invoice: params.text("invoice").required(params, "invoice")?,
            amount: whole,
            lines,
            memo: params.short_text("memo", 5_000)?,
            metadata: params.metadata("metadata")?,
            reason: params.choice("reason", REASONS)?,
            effective_at: params.integer("effective_at")?,
            refund: refund.unwrap_or_default(),
            refunds,
            credit: credit.unwrap_or_default(),
            out_of_band: out_of_band.unwrap_or_default(),
        })
    }

    /// The note that is asked for, its invoice, and what is to go back. Nothing is kept yet.
    fn make(
        self,
        transaction: &Transaction<'_>,
    ) -> Result<(CreditNote, Invoice, Wanted), ApiError> {
        let invoice = transaction.get::<Invoice>(&self.invoice)?;
        let invoice = invoice
            .ok_or_else(|| ApiError::no_such(Invoice::KIND, &self.invoice).param("invoice"))?;
        let way = match invoice.status {
            Status::Open { .. } | Status::Uncollectible => Way::PrePayment,
            Status::Paid => Way::PostPayment(Returned::default()),
            Status::Draft { .. } | Status::Void => {
                return Err(ApiError::invalid(format!(
                    "You can only create a credit note for open, paid or uncollectible invoices. The \
                     invoice {} is {}.",
                    invoice.id,
                    invoice.status.as_str()
                ))
                .param("invoice"));
            }
        };
        let lines = self
            .lines
            .into_iter()
            .map(|it| it.make(transaction, &invoice));
        let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
        match self.amount {
            Some(amount) if lines.is_empty() => lines.push(NoteLine::of_invoice(amount)),
            _ => {}
        }
        let notes: Vec<CreditNote> = transaction.having("invoice", &invoice.id)?;
        check_lines(&invoice, &notes, &lines)?;
        let id = ids::plain("cn_1");
        let number = invoice.number.as_deref().unwrap_or_default();
        let note = CreditNote {
            created: transaction.now,
            invoice: invoice.id.clone(),
            customer: invoice.customer.clone(),
            currency: invoice.currency,
            number: format!("{number}-CN-{:02}", notes.len().saturating_add(1)),
            lines,
            memo: self.memo,
            metadata: self.metadata,
            reason: self.reason,
            effective_at: Some(self.effective_at.unwrap_or(transaction.now)),
            pdf: format!("{}/credit_notes/{id}/pdf", transaction.site()),
            way,
            voided_at: None,
            id,
        };
        if self.amount.is_some_and(|amount| amount != note.total()) {
            return Err(ApiError::invalid(format!(
                "The amount is not the total of the lines: {}.",
                note.currency.display(note.total())
            ))
            .param("amount"));
        }
        let refunds = linked(transaction, self.refunds)?;
        let wanted = Wanted {
            refund: self.refund,
            refunds,
            credit: self.credit,
            out_of_band: self.out_of_band,
        };
        check_sums(&invoice, &note, &wanted)?;
        Ok((note, invoice, wanted))
    }
}

/// The refunds that a request names.
fn linked(
    transaction: &Transaction<'_>,
    named: Vec<(String, Option<Amount>)>,
) -> Result<Vec<(String, Amount)>, ApiError> {
    let found = named.into_iter().map(|(id, amount)| {
        let refund = transaction.get::<Refund>(&id)?;
        let refund = refund.ok_or_else(|| ApiError::no_such_param("refund", &id, "refunds"))?;
        let amount = amount.unwrap_or(refund.amount);
        match amount > refund.amount {
            true => Err(ApiError::invalid(format!(
                "The refund {id} is for less than {}.",
                refund.currency.display(amount)
            ))
            .param("refunds")),
            false => Ok((id, amount)),
        }
    });
    found.collect()
}

/// Refuses to take back more of a line than it was.
fn check_lines(
    invoice: &Invoice,
    notes: &[CreditNote],
    lines: &[NoteLine],
) -> Result<(), ApiError> {
    let earlier = notes.iter().filter(|note| note.voided_at.is_none());
    let all: Vec<&NoteLine> = earlier.flat_map(|note| &note.lines).chain(lines).collect();
    for line in &invoice.lines {
        let theirs = all.iter().filter(|it| it.of.as_ref() == Some(&line.id));
        let credited: Amount = theirs.map(|it| it.amount()).sum();
        if credited > Amount::ZERO && credited > line.content.amount {
            return Err(ApiError::invalid(format!(
                "The invoice line item {} has been credited already: {} is more than it was.",
                line.id,
                invoice.currency.display(credited)
            ))
            .param("lines"));
        }
    }
    Ok(())
}

/// Refuses to give back more than there is, or other than all of the note.
fn check_sums(invoice: &Invoice, note: &CreditNote, wanted: &Wanted) -> Result<(), ApiError> {
    let total = note.total();
    let money = |amount| invoice.currency.display(amount);
    if total <= Amount::ZERO {
        return Err(ApiError::invalid(
            "The total of a credit note must be greater than zero.",
        ));
    }
    let linked: Amount = wanted.refunds.iter().map(|(_, amount)| *amount).sum();
    let returned = wanted
        .refund
        .plus(linked)
        .plus(wanted.credit)
        .plus(wanted.out_of_band);
    let most = match note.way {
        Way::PrePayment => invoice.amount_remaining(),
        Way::PostPayment(_) => {
            let paid = invoice.totals().total.minus(invoice.credited.pre_payment);
            paid.minus(invoice.credited.post_payment)
        }
    };
    if total > most {
        return Err(ApiError::invalid(format!(
            "The amount of the credit note ({}) is more than the {} that can be credited on the \
             invoice.",
            money(total),
            money(most)
        ))
        .param("amount"));
    }
    match note.way {
        Way::PrePayment if returned > Amount::ZERO => Err(ApiError::invalid(
            "The invoice is not paid: there is nothing to refund, to credit or to give back out of \
             band.",
        )
        .param("refund_amount")),
        Way::PostPayment(_) if returned != total => Err(ApiError::invalid(format!(
            "The sum of credit amount, refund amount and out of band amount ({}) must equal the credit \
             note amount ({}).",
            money(returned),
            money(total)
        ))),
        _ => Ok(()),
    }
}

fn create<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let new = NewNote::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let (mut note, mut invoice, wanted) = new.make(transaction)?;
        life::issue(transaction, &mut invoice, &mut note, wanted)?;
        billing::follow_invoice(transaction, &invoice)?;
        Ok(note.answer())
    }))
}

fn preview<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let new = NewNote::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let (note, ..) = new.make(transaction)?;
        Ok(note.answer())
    }))
}

fn preview_lines<'r>(mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    let new = NewNote::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let (note, ..) = new.make(transaction)?;
        paging.listed("/v1/credit_notes/preview/lines", shown(&note).into_iter())
    }))
}

fn shown(note: &CreditNote) -> Vec<Value> {
    note.lines.iter().map(NoteLine::shown).collect()
}

fn lines<'r>(id: &'r str, mut params: Params) -> Result<Work<'r>, ApiError> {
    let paging = Paging::read(&mut params)?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let note = find(transaction, id)?;
        paging.listed(&note.lines_url(), shown(&note).into_iter())
    }))
}

fn update(id: &str, mut params: Params) -> Result<Work<'_>, ApiError> {
    let memo = params.maybe_empty_text("memo", 5_000)?;
    let metadata = params.metadata_update("metadata")?;
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut note = find(transaction, id)?;
        let before = note.answer();
        if let Some(memo) = memo {
            note.memo = Some(memo).filter(|memo| !memo.is_empty());
        }
        metadata.apply(&mut note.metadata)?;
        if note.answer() != before {
            transaction.put(&note)?;
            record_change(transaction, "credit_note.updated", &before, &note)?;
        }
        Ok(note.answer())
    }))
}

fn void(id: &str, params: Params) -> Result<Work<'_>, ApiError> {
    params.finish()?;
    Ok(Box::new(move |transaction| {
        let mut note = find(transaction, id)?;
        life::void(transaction, &mut note)?.map_err(|WrongState| {
            ApiError::invalid(
                "You can only void a credit note that is issued, and whose invoice is open.",
            )
        })?;
        Ok(note.answer())
    }))
}

fn find(transaction: &Transaction<'_>, id: &str) -> Result<CreditNote, ApiError> {
    let note = transaction.get::<CreditNote>(id)?;
    note.ok_or_else(|| ApiError::no_such(CreditNote::KIND, id).param("id"))
}
