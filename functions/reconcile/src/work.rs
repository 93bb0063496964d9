//! Compares what is not over yet with what Stripe says about it, because Stripe may never have made
//! an event.

use std::collections::BTreeMap;

use shared::{
    comparison::{Comparison, ComparisonError},
    purchase::{Line, Purchase, PurchaseId, SessionId, SessionState, Status, Subject},
    store::purchases::Stored,
    stripe::{
        client::{LONGEST_PAGE, List},
        object::{AboutCharge, LineItem},
    },
};

use crate::{
    match_sessions::match_sessions,
    run::{ReconcileError, Run},
    subscriptions,
};

/// How many purchases of the work index are read at a time.
const BATCH: i32 = 100;

/// Goes through the work index.
pub(crate) async fn through(run: &mut Run<'_>) -> Result<(), ReconcileError> {
    let now = run.now();
    let mut after = None;
    while !run.out_of_time() {
        let work = run.parts.work.page(now, BATCH, after.as_ref()).await?;
        let mut without_session = BTreeMap::new();
        for subject in work.subjects {
            if run.out_of_time() {
                break;
            }
            match &subject {
                Subject::Purchase(id) => match look_at(run, *id).await {
                    Ok(None) => {}
                    Ok(Some(stored)) => _ = without_session.insert(*id, stored),
                    Err(error) => run.left_for_next_time(&subject, &error),
                },
                Subject::Subscription(id) => subscriptions::read(run, id).await,
                Subject::Invoice(subscription, id) => {
                    subscriptions::compare_invoice(run, subscription, id).await;
                }
            }
        }
        match_sessions(run, without_session).await;
        run.tell();
        after = work.next;
        if after.is_none() {
            break;
        }
    }
    Ok(())
}

/// Compares one purchase. Returns it if none of its sessions is known.
async fn look_at(run: &mut Run<'_>, id: PurchaseId) -> Result<Option<Stored>, ComparisonError> {
    let Some(stored) = run.parts.purchases.get(id).await? else {
        return Ok(None);
    };
    run.findings.purchases = run.findings.purchases.saturating_add(1);
    let purchase = &stored.purchase;
    let is_looked_for = purchase.status() == Status::Open || purchase.payment().doubts() > 0;
    if purchase.sessions().is_empty() && is_looked_for {
        return Ok(Some(stored));
    }
    let mut comparison = run.comparison(id);
    let compared = compare(&mut comparison, purchase).await;
    run.found_news(&id.into(), comparison.news());
    compared?;
    let lines = match purchase.sessions().keys().next() {
        Some(session) if purchase.order().lines.is_empty() => lines(run, session).await?,
        _ => Vec::new(),
    };
    let doubts = purchase.payment().doubts();
    run.parts
        .work
        .checked(id, doubts, &lines, run.now())
        .await?;
    Ok(None)
}

/// Compares what is unfinished about a purchase or, if it has doubts, everything.
async fn compare(
    comparison: &mut Comparison<'_>,
    purchase: &Purchase,
) -> Result<(), ComparisonError> {
    for (session, state) in purchase.sessions() {
        let unfinished = matches!(state, SessionState::Open | SessionState::Pending { .. });
        if unfinished || purchase.payment().doubts() > 0 {
            comparison.session_and_what_went_back(session).await?;
        }
    }
    for (refund, known) in purchase.payment().refunds() {
        if known.state.is_unfinished() {
            let path = format!("/refunds/{refund}");
            comparison.about_charge(&path, AboutCharge::refund).await?;
        }
    }
    for (dispute, known) in purchase.payment().disputes() {
        if known.is_unfinished() {
            let path = format!("/disputes/{dispute}");
            comparison.about_charge(&path, AboutCharge::dispute).await?;
        }
    }
    Ok(())
}

/// The lines of a session, to complete an order that was lost here. They fit on one page, because
/// Till sells 90 at most.
async fn lines(run: &Run<'_>, session: &SessionId) -> Result<Vec<Line>, ComparisonError> {
    let path = format!("/checkout/sessions/{session}/line_items");
    let query = [("limit", LONGEST_PAGE), ("expand[]", "data.price.product")];
    let page: List<LineItem> = run.parts.stripe.list(&path, &query).await?;
    Ok(page.data.into_iter().map(Line::from).collect())
}
