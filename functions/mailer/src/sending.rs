//! One letter on its way to SES, and what that means for the rows that ordered it.

use shared::{
    email::{Address, Letter, LetterError, SendError},
    mode::Mode,
    purchase::Mail,
    store::{StoreError, due::End, outbox::Row},
};

use super::{MAIL, MOST_ATTEMPTS, Mailer};

/// A letter, and whom it is for.
pub(super) struct Outgoing {
    pub(super) letter: Result<Letter, LetterError>,
    /// Whether it is about real money.
    pub(super) livemode: bool,
    pub(super) to: Result<Address, Undeliverable>,
    /// Where replies go, if not where all others go.
    pub(super) answers: Option<Address>,
}

/// How an attempt to send a letter ended.
pub(super) enum Outcome {
    /// SES has it, under this id.
    Sent(String),
    NotYet(SendError),
    Never(Undeliverable),
}

/// Why a mail will never be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Undeliverable {
    #[error("real money moved, but this deployment is in test mode")]
    OtherMode,
    #[error("the purchase has no email address")]
    NoAddress,
    #[error("the purchase's email address is not valid for mail")]
    BadAddress,
    #[error("the letter cannot be written: {0}")]
    Unwritable(LetterError),
    #[error("{0}")]
    Refused(SendError),
    #[error("{attempts} attempts failed: {last}")]
    Exhausted { attempts: u32, last: String },
}

impl Mailer {
    /// The letter of one row. Of a sale, the seller can answer the buyer.
    pub(super) fn of_row(&self, row: &Row, letter: Result<Letter, LetterError>) -> Outgoing {
        let to_seller = self.to_seller(row.livemode, letter);
        match &row.mail {
            Mail::Sold => Outgoing {
                answers: buyer(row).ok(),
                ..to_seller
            },
            mail if mail.is_for_seller() => to_seller,
            _ => Outgoing {
                to: buyer(row),
                ..to_seller
            },
        }
    }

    /// A letter to the seller.
    pub(super) fn to_seller(
        &self,
        livemode: bool,
        letter: Result<Letter, LetterError>,
    ) -> Outgoing {
        Outgoing {
            letter,
            livemode,
            to: Ok(self.seller.clone()),
            answers: None,
        }
    }

    /// Sends a letter; this is attempt number `attempt`.
    pub(super) async fn hand_over(&self, attempt: u32, outgoing: Outgoing) -> Outcome {
        let Outgoing {
            letter,
            livemode,
            to,
            answers,
        } = outgoing;
        if attempt > MOST_ATTEMPTS {
            // Each of these attempts was cut off midway.
            return Outcome::Never(Undeliverable::Exhausted {
                attempts: attempt.saturating_sub(1),
                last: "the last was cut off".to_owned(),
            });
        }
        let mode = Mode::of(livemode);
        let meant_for = match &to {
            Ok(address) => format!("test, for {}", address.as_str()),
            Err(error) => format!("test, for nobody: {error}"),
        };
        let to = match self.recipient(mode, to) {
            Ok(to) => to,
            Err(error) => return Outcome::Never(error),
        };
        let letter = match (letter, mode) {
            (Ok(letter), Mode::Live) => letter,
            (Ok(letter), Mode::Test) => Letter {
                subject: format!("[{meant_for}] {}", letter.subject),
                ..letter
            },
            (Err(error), _) => return Outcome::Never(Undeliverable::Unwritable(error)),
        };
        match self.postman.send(&to, &letter, answers.as_ref()).await {
            Ok(message_id) => Outcome::Sent(message_id),
            Err(error @ SendError::Permanent(_)) => Outcome::Never(Undeliverable::Refused(error)),
            Err(error) => Outcome::NotYet(error),
        }
    }

    /// Notes in a claimed row how its attempt ended.
    pub(super) async fn mark(
        &self,
        (id, attempts): (&str, u32),
        outcome: &Outcome,
    ) -> Result<(), StoreError> {
        match outcome {
            Outcome::Sent(message_id) => {
                tracing::info!(row = id, message_id, "a mail was sent");
                self.outbox.finish(id, End::Sent, self.clock.now()).await
            }
            Outcome::NotYet(error) if attempts < MOST_ATTEMPTS => {
                let is_blocked = matches!(error, SendError::Blocked(_));
                self.postpone(MAIL, (id, attempts), is_blocked, error).await
            }
            Outcome::NotYet(error) => {
                let last = error.to_string();
                let exhausted = Undeliverable::Exhausted { attempts, last };
                self.give_up(MAIL, id, &exhausted).await
            }
            Outcome::Never(error) => self.give_up(MAIL, id, error).await,
        }
    }

    /// Who gets it: if no real money moved, the developer, whoever it is meant for.
    fn recipient(
        &self,
        mode: Mode,
        to: Result<Address, Undeliverable>,
    ) -> Result<Address, Undeliverable> {
        match (self.shop.mode, mode) {
            (_, Mode::Test) => Ok(self.developer.clone()),
            (Mode::Test, Mode::Live) => Err(Undeliverable::OtherMode),
            (Mode::Live, Mode::Live) => to,
        }
    }
}

/// The address of the buyer that a row is about.
fn buyer(row: &Row) -> Result<Address, Undeliverable> {
    let email = row.content.order.buyer.email.as_deref();
    let email = email.ok_or(Undeliverable::NoAddress)?;
    email.parse().map_err(|_| Undeliverable::BadAddress)
}
