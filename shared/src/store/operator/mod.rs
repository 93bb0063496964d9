//! What only people do, with permissions that no function has: read whole tables, change what is
//! for sale, delete parked events, resend or release mails, say whose a customer is.

mod adoption;
mod assortment;
mod confirmation;
mod everything;
mod mails;
mod parked;
mod publications;
mod purchases;
mod subscriptions;

pub use adoption::Adoption;
pub use assortment::{Assortment, StockChange};
pub use confirmation::Confirmation;
pub use everything::{Everything, Found};
pub use mails::{Listed, Mails};
pub use parked::{ParkedEvent, ParkedEvents};
pub use publications::Events;
pub use purchases::{AllPurchases, PurchaseWithEvents, RecordedEvent};
pub use subscriptions::{AllSubscriptions, SubscriptionWithEvents};
