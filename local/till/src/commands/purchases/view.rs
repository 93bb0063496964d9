//! How a purchase is shown in words.

use shared::invoice::InvoiceStatus;
use shared::money::Money;
use shared::purchase::{
    Accounts, Attention, DisputeStatus, Mail, Purchase, RefundState, SessionState, Status, WaitsFor,
};
use shared::standing::Standing;
use shared::store::operator::RecordedEvent;
use shared::store::outbox::{Row, State};
use shared::subscription::SubscriptionStatus;
use window::story::{Story, Told};

use crate::commands::console::{Column, Table, bad, dim, good, heading, notable, plain};
use crate::commands::moment::{lasting, minute, second};

/// Purchases, one a line.
pub(in crate::commands) fn table(purchases: &[Purchase]) -> Table {
    let mut table = Table::new([
        Column::left("PURCHASE"),
        Column::left("MADE (UTC)"),
        Column::left("STATUS").giving_way(),
        Column::right("TOTAL"),
        Column::left("BUYER").if_wide(),
    ]);
    for purchase in purchases {
        let mut status = match purchase.status() {
            // So that a line with its id fits into 80 columns.
            Status::PartiallyRefunded => notable("part refunded"),
            other => status(other),
        };
        if !purchase.attention().is_empty() {
            status.push_str(&bad(" !"));
        }
        table.row([
            purchase.id().to_string(),
            minute(purchase.id().created_at().unix_timestamp()),
            status,
            purchase
                .sums()
                .map_or(purchase.order().total, |(_, total)| total)
                .to_string(),
            plain(purchase.order().buyer.email.as_deref().unwrap_or_default()).to_string(),
        ]);
    }
    table
}

/// A status in words, and in its colour.
pub(in crate::commands) fn status(status: Status) -> String {
    let words = words(status.as_str());
    match status {
        Status::Paid => good(&words),
        Status::Refunded | Status::PartiallyRefunded | Status::Pending => notable(&words),
        Status::ChargedBack | Status::Disputed | Status::Failed => bad(&words),
        Status::Expired | Status::Abandoned | Status::Open => dim(&words),
    }
}

/// How something stands, in color.
pub(in crate::commands) fn standing(standing: Standing) -> String {
    use InvoiceStatus as I;
    use SubscriptionStatus as S;
    let words = words(standing.as_str());
    match standing {
        Standing::Purchase(one) => status(one),
        Standing::Invoice(I::Paid) | Standing::Subscription(Some(S::Active | S::Trialing)) => {
            good(&words)
        }
        Standing::Invoice(I::Refunded | I::PartiallyRefunded | I::Open)
        | Standing::Subscription(Some(S::Incomplete | S::Paused)) => notable(&words),
        Standing::Invoice(I::ChargedBack | I::Disputed | I::Uncollectible)
        | Standing::Subscription(Some(S::PastDue | S::Unpaid)) => bad(&words),
        Standing::Invoice(I::Draft | I::Void)
        | Standing::Subscription(Some(S::Canceled | S::IncompleteExpired) | None) => dim(&words),
    }
}

fn words(name: &str) -> String {
    name.replace('_', " ")
}

/// The whole story of a purchase.
pub(in crate::commands) fn tell(story: &Story) -> String {
    let Story {
        purchase,
        events,
        mails,
        told,
    } = story;
    let chapters = [
        head(purchase),
        order(purchase),
        delivery(purchase),
        parcels(purchase),
        money(purchase),
        events_table(events),
        mails_table(mails),
        told_table(told),
    ];
    let chapters = chapters.into_iter().filter(|chapter| !chapter.is_empty());
    chapters.collect::<Vec<_>>().join("\n")
}

fn head(purchase: &Purchase) -> String {
    let made = second(purchase.id().created_at().unix_timestamp());
    let buyer = &purchase.order().buyer;
    let mut text = format!(
        "{} {}\n",
        heading(&purchase.id().to_string()),
        status(purchase.status())
    );
    let email = buyer.email.as_deref().map(plain);
    let subject = buyer.subject.as_deref().map(plain);
    let who = match (email, subject) {
        (Some(email), Some(subject)) => format!("{email} {}", dim(&format!("({subject})"))),
        (Some(who), None) | (None, Some(who)) => who,
        (None, None) => "unknown".to_owned(),
    };
    text.push_str(&entry("made", &format!("{made} UTC")));
    text.push_str(&entry("buyer", &who));
    for (id, state) in purchase.sessions() {
        let what = match state {
            SessionState::Open => "open".to_owned(),
            SessionState::Expired => "expired".to_owned(),
            SessionState::Pending { waits_for } => match waits_for {
                WaitsFor::Unknown => "waiting for a delayed payment".to_owned(),
                WaitsFor::Bank => "the money is on its way".to_owned(),
                WaitsFor::Buyer { voucher_url } => match voucher_url {
                    Some(url) => format!("waiting for the buyer to pay: {}", plain(url)),
                    None => "waiting for the buyer to pay".to_owned(),
                },
            },
            SessionState::Failed => "the payment failed".to_owned(),
            SessionState::Settled {
                amount,
                payment_intent: Some(intent),
                ..
            } => format!("{amount} by {}", plain(intent.as_str())),
            SessionState::Settled {
                amount,
                subscription: Some(subscription),
                ..
            } => format!("{amount} by the first invoice of {subscription}"),
            SessionState::Settled { .. } => "nothing to pay".to_owned(),
        };
        let id = plain(id.as_str());
        text.push_str(&entry("session", &format!("{id}\n{what}")));
    }
    if purchase.sessions().is_empty() {
        let attempt = purchase.attempt().number;
        let why = match purchase.is_abandoned() {
            true => "none: Stripe refused to open one".to_owned(),
            false => format!("none known (attempt {attempt})"),
        };
        text.push_str(&entry("session", &why));
    }
    if let Some(document) = purchase.document() {
        let parts = [&document.number, &document.page];
        let parts = parts.into_iter().flatten().map(|part| plain(part));
        text.push_str(&entry("invoice", &parts.collect::<Vec<_>>().join("\n")));
    }
    if purchase.has_returned_stock() {
        text.push_str(&entry("stock", "returned"));
    }
    for attention in purchase.attention() {
        text.push_str(&entry(&bad("attention"), advice(attention)));
    }
    text
}

fn order(purchase: &Purchase) -> String {
    let order = &purchase.order();
    let mut table = Table::new([
        Column::right("QUANTITY"),
        Column::left("PRODUCT"),
        Column::left("NAME").giving_way(),
        Column::right("UNIT PRICE"),
        Column::right("TOTAL"),
    ]);
    for line in &order.lines {
        let each = Money::new(line.unit_amount, order.total.currency);
        let together = each.checked_mul(line.quantity);
        table.row([
            line.quantity.to_string(),
            line.product_id.to_string(),
            plain(&line.name),
            each.to_string(),
            together.map_or("–".to_owned(), |sum| sum.to_string()),
        ]);
    }
    table.text()
}

/// Where it goes, as it stands on a parcel, and how.
fn delivery(purchase: &Purchase) -> String {
    let Some(delivery) = purchase.delivery() else {
        return String::new();
    };
    let to = delivery.label();
    let to: Vec<_> = to.iter().map(|line| plain(line)).collect();
    let mut text = entry("deliver to", &to.join("\n"));
    if let Some(phone) = &delivery.phone {
        text.push_str(&entry("phone", &plain(phone)));
    }
    if let Some(rate) = purchase.shipping_rate() {
        text.push_str(&entry("by", &plain(rate)));
    }
    text
}

fn parcels(purchase: &Purchase) -> String {
    let mut text = String::new();
    for (id, parcel) in purchase.parcels() {
        let when = second(parcel.at);
        let what = [Some(when.as_str()), id.number(), parcel.carrier.as_deref()];
        let what = what.into_iter().flatten().map(plain);
        let mut lines = vec![what.collect::<Vec<_>>().join("  ")];
        lines.extend(parcel.tracking_url.as_deref().map(plain));
        text.push_str(&entry("fulfilled", &lines.join("\n")));
    }
    text
}

fn money(purchase: &Purchase) -> String {
    let Accounts {
        paid,
        refunded,
        disputed,
        net,
    } = purchase.accounts();
    let mut table = Table::new([
        Column::left("MONEY"),
        Column::right("AMOUNT"),
        Column::left("").giving_way(),
    ]);
    let taxes = purchase.refunded_taxes();
    let mut row = |what: &str, amount: Option<Money>, more: String| {
        let amount = amount.map_or(String::new(), |amount| amount.to_string());
        table.row([what.to_owned(), amount, more]);
    };
    row("ordered", Some(purchase.order().total), String::new());
    if let Some((sums, total)) = purchase.sums() {
        let parts = [
            ("  discount", sums.discount.saturating_neg()),
            ("  shipping", sums.shipping),
            ("  tax", sums.tax_on_top(total.amount)),
        ];
        for (what, amount) in parts.into_iter().filter(|(_, amount)| *amount != 0) {
            let amount = Money::new(amount, total.currency);
            row(what, Some(amount), String::new());
        }
    }
    row("paid", Some(paid), String::new());
    if let Some((sums, total)) = purchase.sums() {
        let included = sums.tax_included(total.amount);
        if included != 0 {
            row(
                "  of which tax",
                Some(Money::new(included, total.currency)),
                String::new(),
            );
        }
    }
    row("refunded", Some(refunded), String::new());
    for (id, refund) in purchase.payment().refunds() {
        let more = format!("{} {}", plain(id.as_str()), refund_state(refund.state));
        row("  refund", Some(refund.amount), more);
        if let Some(tax) = taxes.get(id).filter(|tax| tax.amount != 0) {
            row("    of which tax", Some(*tax), String::new());
        }
    }
    row("disputed", Some(disputed), String::new());
    for (id, dispute) in purchase.payment().disputes() {
        let (Some(standing), Some(terms)) = (dispute.status(), dispute.terms()) else {
            continue;
        };
        let more = format!("{} {}", plain(id.as_str()), dispute_status(standing));
        row("  dispute", Some(terms.amount), more);
        let mut why = words(&plain(&terms.reason));
        if let Some(due) = terms.due_by.filter(|_| dispute.is_unfinished()) {
            why.push_str(&format!(", evidence due by {} UTC", minute(due)));
        }
        row("", None, why);
        for movement in dispute.movements.values() {
            let fee = Money::new(movement.fee, movement.amount.currency);
            let balance = format!("on your balance, with a fee of {fee}");
            row("", Some(movement.amount), balance);
        }
    }
    row("net", Some(net), String::new());
    table.text()
}

fn events_table(events: &[RecordedEvent<Status>]) -> String {
    let mut table = Table::new([
        Column::left("RECORDED (UTC)"),
        Column::left("EVENT").giving_way(),
        Column::left("STATUS AFTER"),
    ]);
    for event in events {
        let afterwards = match event.changed {
            true => status(event.status),
            false => dim("nothing new"),
        };
        let recorded = second(event.recorded_at);
        table.row([recorded, plain(&event.kind), afterwards]);
        // Beside the type it would not fit into 80 columns.
        table.row([String::new(), dim(&plain(&event.id)), String::new()]);
    }
    table.text()
}

fn mails_table(mails: &[(Mail, Option<Row>)]) -> String {
    let mut table = Table::new([
        Column::left("CREATED (UTC)"),
        Column::left("MAIL").giving_way(),
        Column::left("STATE"),
    ]);
    for (mail, row) in mails {
        let row = row.as_ref();
        let state = match row {
            Some(row) => mail_state(row.state, row.attempts),
            None => dim("no longer kept"),
        };
        let ended = row.and_then(|row| Some((row.created_at, row.finished_at?)));
        let after = ended.map_or(String::new(), |(called_for, ended)| {
            format!(" after {}", lasting(ended.saturating_sub(called_for)))
        });
        table.row([
            row.map_or(String::new(), |row| second(row.created_at)),
            plain(&mail.to_string()).replace('#', " "),
            format!("{state}{after}"),
        ]);
        if let Some(reason) = row.and_then(|row| row.reason.as_deref()) {
            table.note(plain(reason));
        }
    }
    table.text()
}

/// What other systems were told.
fn told_table(told: &[Told]) -> String {
    let mut table = Table::new([
        Column::left("RECORDED (UTC)"),
        Column::left("EVENT").giving_way(),
        Column::left("STATE"),
    ]);
    for one in told {
        let state = match &one.row {
            Some(row) if row.state == State::Sent => good("published"),
            Some(row) => mail_state(row.state, row.attempts),
            None if one.announced.at.is_none() => dim("from before events"),
            None => dim("no longer kept"),
        };
        table.row([
            one.announced.at.map_or(String::new(), second),
            plain(&one.news.to_string()).replace('#', " "),
            state,
        ]);
        if let Some(reason) = one.row.as_ref().and_then(|row| row.reason.as_deref()) {
            table.note(plain(reason));
        }
    }
    table.text()
}

/// How far a mail has come, in words and in its colour.
pub(in crate::commands) fn mail_state(state: State, attempts: u32) -> String {
    match (state, attempts) {
        (State::Sent, _) => good("sent"),
        (State::Failed, _) => bad("given up"),
        (State::Superseded, _) => dim("superseded"),
        (State::Held, _) => notable("held until confirmed"),
        (State::Due, 0) => notable("waiting"),
        (State::Due, 1) => notable("tried once"),
        (State::Due, more) => notable(&format!("tried {more} times")),
    }
}

fn entry(name: &str, what: &str) -> String {
    let name = console::pad_str(name, 11, console::Alignment::Left, None);
    let mut text = String::new();
    for (place, line) in what.lines().enumerate() {
        let before = if place == 0 { &name } else { "           " };
        text.push_str(&format!("  {before}{line}\n"));
    }
    text
}

fn refund_state(state: RefundState) -> String {
    match state {
        RefundState::Succeeded => good("succeeded"),
        RefundState::Pending => notable("pending"),
        RefundState::RequiresAction => notable("waiting for the buyer"),
        RefundState::Canceled => dim("canceled"),
        RefundState::Failed => bad("failed"),
    }
}

fn dispute_status(status: DisputeStatus) -> String {
    use DisputeStatus as S;
    let words = match status {
        S::WarningNeedsResponse => "inquiry, needs a response",
        S::WarningUnderReview => "inquiry, under review",
        S::WarningClosed => "inquiry, closed",
        S::Prevented => "prevented",
        S::NeedsResponse => "needs a response",
        S::UnderReview => "under review",
        S::Won => "won",
        S::Lost => "lost",
    };
    match status {
        S::WarningClosed | S::Prevented | S::Won => good(words),
        S::WarningUnderReview | S::UnderReview => notable(words),
        S::WarningNeedsResponse | S::NeedsResponse | S::Lost => bad(words),
    }
}

/// What a person should do about it.
pub(in crate::commands) fn advice(attention: Attention) -> &'static str {
    match attention {
        Attention::PaidTwice => "paid more than once: refund the extra payment",
        Attention::Overpaid => "more was paid than ordered: compare it with Stripe",
        Attention::OtherCurrency => {
            "money moved in another currency than the order's: compare it with Stripe"
        }
        Attention::Rebuilt => {
            "the order was lost here and rebuilt from what Stripe knows: its mail is held until you \
             run `till purchases confirm`"
        }
        Attention::PaidAfterStockReturned => {
            "paid after its stock was returned: check that there is enough"
        }
        Attention::Overreturned => {
            "more went back than was paid: was it both refunded and charged back?"
        }
        Attention::DisputeDecidedTwice => "a dispute was both won and lost: ask Stripe",
        Attention::PaidAndVoid => "an invoice was both paid and voided: ask Stripe",
        Attention::PaidAfterEnd => {
            "an invoice was paid after its subscription had ended: refund it, or begin another"
        }
    }
}
