//! Tells the seller of sales: by a mail for each, or by one a day for all that have come due.
//!
//! A sale that is to be told with others is put back until the time of day at which that is done.
//! Then whoever finds one of them takes all of them, each under a lease of its own, sends one
//! letter, and marks each. So no sale is in two letters, except if the mailer stops between the
//! letter and the marks; and if the letter fails, all of them wait for the next attempt.

use shared::{
    config::SaleMails,
    email::{Frozen, compose_digest, next_digest},
    purchase::Mail,
    store::{
        StoreError,
        due::Claimed,
        outbox::{Row, is_sale},
    },
};

use super::{MAIL, Mailer};

/// How many sales one letter is about at most: so many can be claimed and marked, one after the
/// other, well within a lease and the function's time limit. The next letter is about the rest.
const MOST: usize = 500;

/// How many rows are looked through for them. Others may be due, too.
const ROWS: i32 = 1_000;

impl Mailer {
    /// Tells of one sale as the setting says.
    pub(super) async fn work_off_sale(&self, row: Row) -> Result<(), StoreError> {
        match self.sale_mails {
            SaleMails::Each => self.work_off_mail(&row).await,
            SaleMails::None => self.leave_out(&row.id, "about a sale is not wanted").await,
            SaleMails::Daily => match self.is_put_off(&row).await? {
                true => Ok(()),
                false => self.tell_of_all(row).await,
            },
        }
    }

    /// Puts a sale back until its time of day, if that has not come.
    async fn is_put_off(&self, row: &Row) -> Result<bool, StoreError> {
        let time = next_digest(row.created_at);
        let has_time = time > self.clock.now();
        if has_time {
            self.outbox.wait((&row.id, row.attempts), time).await?;
        }
        Ok(has_time)
    }

    /// One letter about this sale and all others that are due.
    async fn tell_of_all(&self, first: Row) -> Result<(), StoreError> {
        let mut sales = vec![first];
        if let Err(error) = self.claim_others(&mut sales).await {
            // Those that are claimed are told all the same.
            tracing::error!(%error, "some sales were left to another mail");
        }
        sales.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        // A shop that went from test to live may have both, which go to different people.
        let (live, test): (Vec<_>, Vec<_>) = sales.into_iter().partition(|row| row.livemode);
        for rows in [live, test] {
            self.tell_together(&rows).await?;
        }
        Ok(())
    }

    /// Takes all other sales that are due, as far as they fit into one letter.
    async fn claim_others(&self, sales: &mut Vec<Row>) -> Result<(), StoreError> {
        let due = self.outbox.ids(self.clock.now(), ROWS).await?;
        for id in due.iter().filter(|id| is_sale(id)) {
            if sales.len() >= MOST {
                break;
            }
            match self.outbox.claim(id, self.clock.now()).await {
                Ok(Some(Claimed::Mail(row))) if row.mail == Mail::Sold => {
                    if !self.is_put_off(&row).await? {
                        sales.push(*row);
                    }
                }
                Ok(Some(other)) => Box::pin(self.work_off_claimed(id, other)).await?,
                Ok(None) => {}
                Err(error @ StoreError::Unreadable { .. }) => {
                    self.give_up(MAIL, id, &error).await?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn tell_together(&self, rows: &[Row]) -> Result<(), StoreError> {
        let Some(first) = rows.first() else {
            return Ok(());
        };
        let sales: Vec<&Frozen> = rows.iter().map(|row| &row.content).collect();
        let letter = compose_digest(&sales, &self.shop);
        let attempt = rows.iter().map(|row| row.attempts).min();
        let outgoing = self.to_seller(first.livemode, letter);
        let outcome = self.hand_over(attempt.unwrap_or_default(), outgoing).await;
        let mut marked = Ok(());
        for row in rows {
            // One that cannot be marked must not keep the others from it.
            marked = marked.and(self.mark((&row.id, row.attempts), &outcome).await);
        }
        marked
    }
}
