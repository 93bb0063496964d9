//! Where each subject has its own item in the purchases table.

use super::Item;
use crate::purchase::Subject;

/// The sort key of a purchase's own item, among all items with its id.
pub(super) const PURCHASE: &str = "purchase";

/// The sort key of a subscription's own item, among all items with its id.
pub(super) const SUBSCRIPTION: &str = "subscription";

/// The key of a subject's own item. Everything that is recorded about it has the same partition key;
/// an invoice is a part of its subscription's history.
pub(super) fn key_of(subject: &Subject) -> (String, String) {
    match subject {
        Subject::Purchase(id) => (id.to_string(), PURCHASE.to_owned()),
        Subject::Subscription(id) => (id.to_string(), SUBSCRIPTION.to_owned()),
        Subject::Invoice(subscription, id) => (subscription.to_string(), id.to_string()),
    }
}

/// The subject whose own item this is.
pub(super) fn subject_of(item: &Item) -> Option<Subject> {
    let text = |name: &str| item.get(name)?.as_s().ok();
    let (pk, sk) = (text("pk")?, text("sk")?);
    let subject = match sk.as_str() {
        PURCHASE | SUBSCRIPTION => pk.parse(),
        id => format!("{pk}/{id}").parse(),
    };
    subject.ok()
}
