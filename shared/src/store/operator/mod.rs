//! What people do, with rights of their own, and no function does: read whole tables, change what
//! is for sale, forget what was parked, order mails again or let them go.

mod assortment;
mod confirmation;
mod mails;
mod parked;
mod purchases;

pub use assortment::{Assortment, StockChange};
pub use confirmation::Confirmation;
pub use mails::{Listed, Mails};
pub use parked::{ParkedEvent, ParkedEvents};
pub use purchases::{AllPurchases, PurchaseWithEvents, RecordedEvent};
