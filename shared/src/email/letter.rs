//! Writes a letter from what its outbox row froze. The words are in [`mod@to_buyer`] and [`mod@to_seller`],
//! the amounts in [`sums`]. Letters about more than one thing are in [`digest`] and [`stock`].

use super::{
    amounts::Amounts,
    content::{Content, Frozen, Missing, ToSeller},
    prose::{About, DeliveryNote, InvoiceNote, Item, Letter, LetterPage, Prose, Sum, one_line},
};
use crate::{
    mode::Mode,
    money::MoneyError,
    purchase::{Delivery, Document, Mail, Subject},
};

pub(super) mod digest;
mod of_subscription;
mod sale;
pub(super) mod stock;
mod sums;
#[cfg(test)]
mod tests;
mod to_buyer;
mod to_seller;

/// Why the seller gets a letter.
const TO_SELLER: &str = "You get this mail because you sell at";

/// The shop as its letters present it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letterhead {
    /// Its name, as buyers know it.
    pub name: String,
    /// Where its site begins: `https://shop.example`.
    pub site_url: String,
    /// Whether its money is real, because Stripe's Dashboard has a separate part for test mode.
    pub mode: Mode,
    /// The address of Stripe's Dashboard: `https://dashboard.stripe.com`.
    pub stripe_dashboard: String,
}

/// Why a letter cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    /// Its row does not say what it is about.
    #[error(transparent)]
    Missing(#[from] Missing),
    /// An amount does not fit.
    #[error(transparent)]
    Amount(#[from] MoneyError),
    /// The page cannot be rendered.
    #[error(transparent)]
    Page(#[from] askama::Error),
}

/// Writes a letter. The same row always gives the same letter.
///
/// The words are English; amounts are written as in the buyer's language.
pub fn compose(mail: &Mail, frozen: &Frozen, shop: &Letterhead) -> Result<Letter, LetterError> {
    let content = Content::of(mail, frozen)?;
    let language = match content {
        Content::ToBuyer(_) => frozen.order.buyer.language.as_deref(),
        // The seller's language is not known, and the buyer's may be another.
        Content::ToSeller(_) => None,
    };
    let site_url = shop.site();
    let writer = LetterWriter {
        shop,
        name: one_line(&shop.name),
        site_url,
        about: About::of(&frozen.about, site_url),
        amounts: Amounts::in_language(language)?,
    };
    Ok(writer.page(&content, frozen)?.set()?)
}

/// A letter to the seller that is about no purchase or subscription in particular.
fn to_seller(
    shop: &Letterhead,
    prose: Prose,
    items: Vec<Item>,
    sums: Vec<Sum>,
) -> Result<Letter, LetterError> {
    let page = LetterPage {
        subject: prose.subject.clone(),
        prose,
        items,
        sums,
        shop: one_line(&shop.name),
        site_url: shop.site().to_owned(),
        delivery: None,
        invoice: None,
        about: None,
        why: TO_SELLER,
    };
    Ok(page.set()?)
}

impl Letterhead {
    /// The site's address, to put a path behind.
    fn site(&self) -> &str {
        self.site_url.trim_end_matches('/')
    }
}

/// What writing a letter needs besides its content.
struct LetterWriter<'a> {
    shop: &'a Letterhead,
    /// The shop's, on one line.
    name: String,
    site_url: &'a str,
    about: About,
    amounts: Amounts,
}

impl About {
    fn of(subject: &Subject, site_url: &str) -> Self {
        match subject {
            Subject::Purchase(id) => Self {
                kind: "purchase",
                title: "Purchase",
                number: id.number(),
                id: id.to_string(),
                url: format!("{site_url}/purchase.html?id={id}"),
            },
            Subject::Subscription(id) | Subject::Invoice(id, _) => Self {
                kind: "subscription",
                title: "Subscription",
                number: id.number().to_owned(),
                id: id.to_string(),
                url: format!("{site_url}/subscription.html?id={id}"),
            },
        }
    }
}

impl DeliveryNote {
    fn of(delivery: &Delivery, frozen: &Frozen) -> Self {
        let label = delivery.label();
        let label = label.iter().chain(&delivery.phone);
        let paid = frozen.sums.map(|paid| paid.sums.shipping);
        let offer = frozen.order.shipping.as_ref().zip(paid);
        let rate = offer.and_then(|(offer, paid)| offer.name_of(paid));
        Self {
            lines: label.map(|line| one_line(line)).collect(),
            rate: rate.map(one_line),
        }
    }
}

impl InvoiceNote {
    fn of(document: &Document) -> Option<Self> {
        let number = document.number.as_deref().map(one_line);
        Some(Self {
            label: match number {
                Some(number) => format!("Invoice {number}"),
                None => "Invoice".to_owned(),
            },
            url: document.page.clone().or_else(|| document.pdf.clone())?,
        })
    }
}

impl LetterWriter<'_> {
    fn page(self, content: &Content<'_>, frozen: &Frozen) -> Result<LetterPage, MoneyError> {
        let (prose, why) = match content {
            Content::ToBuyer(told) => (
                self.to_buyer(told),
                match frozen.about {
                    Subject::Purchase(_) => "You get this mail because of your purchase at",
                    Subject::Subscription(_) | Subject::Invoice(..) => {
                        "You get this mail because of your subscription at"
                    }
                },
            ),
            Content::ToSeller(told) => (self.to_seller(told), TO_SELLER),
        };
        let About { kind, number, .. } = &self.about;
        let which = match frozen
            .invoice
            .as_ref()
            .and_then(|bill| bill.number.as_ref())
        {
            Some(number) => format!("invoice {}", one_line(number)),
            None => format!("{kind} {number}"),
        };
        Ok(LetterPage {
            // Mail programs would group letters with the same subject into one conversation.
            subject: format!("{} ({which})", prose.subject),
            prose,
            site_url: self.site_url.to_owned(),
            items: match content {
                Content::ToSeller(ToSeller::Sale { .. }) => {
                    sums::with_product_ids(frozen, &self.amounts)?
                }
                _ => sums::items(frozen, &self.amounts)?,
            },
            sums: sums::sums(content, frozen, &self.amounts),
            delivery: frozen
                .delivery
                .as_ref()
                .map(|to| DeliveryNote::of(to, frozen)),
            invoice: frozen.document.as_ref().and_then(InvoiceNote::of),
            about: Some(self.about),
            shop: self.name,
            why,
        })
    }
}
