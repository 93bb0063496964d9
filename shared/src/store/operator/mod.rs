//! What people do, with rights of their own, and no function does: read whole tables, change what
//! is for sale, forget what was parked, order mails again.

mod assortment;
mod mails;
mod parked;
mod purchases;

pub use assortment::{Assortment, StockChange};
pub use mails::{Listed, Mails};
pub use parked::{ParkedEvent, ParkedEvents};
pub use purchases::{AllPurchases, Recorded, Story};
