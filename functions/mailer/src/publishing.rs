//! Publishes events, each after the one before it that is about the same purchase, subscription or
//! invoice. One that was given up does not hold up those after it.

use shared::{
    bus::{Entry, PublishError},
    store::{StoreError, due::End, outbox::State, publications::EventRow},
    telemetry::Metric,
};

use super::{MOST_ATTEMPTS, Mailer, Thing};

/// How much later than the one before it an event is tried again, in seconds.
const STEP: i64 = 1;

const EVENT: Thing = Thing {
    name: "an event",
    failed: Metric::EventFailed,
};

impl Mailer {
    /// Publishes one row's event, if it is its turn.
    pub(super) async fn work_off_event(&self, row: &EventRow) -> Result<(), StoreError> {
        let claimed = (row.id.as_str(), row.attempts);
        if let Some(turn) = self.waits_until(row).await? {
            return self.outbox.wait(claimed, turn).await;
        }
        if row.attempts > MOST_ATTEMPTS {
            let why = "each attempt was cut off";
            return self.give_up(EVENT, &row.id, &why).await;
        }
        let entry = Entry {
            kind: &row.kind,
            detail: &row.detail,
            at: row.created_at,
        };
        match self.bus.publish(entry).await {
            Ok(event_id) => {
                tracing::info!(row = row.id, event_id, "an event was published");
                let now = self.clock.now();
                self.outbox.finish(&row.id, End::Sent, now).await
            }
            Err(error) => {
                let is_final = matches!(error, PublishError::Permanent(_));
                if is_final || row.attempts >= MOST_ATTEMPTS {
                    return self.give_up(EVENT, &row.id, &error).await;
                }
                let is_blocked = matches!(error, PublishError::Blocked(_));
                self.postpone(EVENT, claimed, is_blocked, &error).await
            }
        }
    }

    /// When to look at an event again, if the one before it is still to be published. If that could
    /// be now, it is published first.
    async fn waits_until(&self, row: &EventRow) -> Result<Option<i64>, StoreError> {
        let Some(before) = &row.after else {
            return Ok(None);
        };
        let now = self.clock.now();
        let mut due = self.due(before).await?;
        if due.is_some_and(|due| due <= now) {
            Box::pin(self.work_off(before)).await?;
            due = self.due(before).await?;
        }
        Ok(due.map(|due| due.max(now).saturating_add(STEP)))
    }

    /// When an event that is still to be published is due.
    async fn due(&self, id: &str) -> Result<Option<i64>, StoreError> {
        let progress = self.outbox.progress(id).await?;
        let unpublished = progress.filter(|progress| progress.state == State::Due);
        Ok(unpublished.map(|progress| progress.next_attempt.unwrap_or_default()))
    }
}
