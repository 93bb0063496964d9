//! The layout of a letter: one page, rendered as HTML and as plain text.

use askama::Template;
use time::OffsetDateTime;

/// A letter, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Free of control characters, whatever the shop is called.
    pub subject: String,
    /// What most mail programs show.
    pub html: String,
    /// The same as plain text.
    pub text: String,
}

/// Everything that the two templates show, as text.
pub(super) struct LetterPage {
    pub(super) subject: String,
    pub(super) shop: String,
    pub(super) site_url: String,
    pub(super) prose: Prose,
    pub(super) items: Vec<Item>,
    /// The last one is the sum that counts.
    pub(super) sums: Vec<Sum>,
    pub(super) delivery: Option<DeliveryNote>,
    pub(super) invoice: Option<InvoiceNote>,
    /// `None` if it is about no purchase or subscription in particular.
    pub(super) about: Option<About>,
    /// Why the recipient gets this letter.
    pub(super) why: &'static str,
}

/// What the letter is about, as its foot names it.
pub(super) struct About {
    pub(super) kind: &'static str,
    /// The same at the beginning of a line.
    pub(super) title: &'static str,
    /// By which people tell it from others.
    pub(super) number: String,
    pub(super) id: String,
    /// Where the buyer sees it.
    pub(super) url: String,
}

/// The sentences of a letter, and its link.
pub(super) struct Prose {
    pub(super) subject: String,
    heading: &'static str,
    sentences: Vec<String>,
    link: Link,
}

pub(super) struct Link {
    label: &'static str,
    url: String,
}

pub(super) struct Item {
    pub(super) name: String,
    /// How many, and the price of one.
    pub(super) quantity: String,
    pub(super) amount: String,
    /// What else there is to say of it, line by line.
    pub(super) notes: Vec<String>,
}

pub(super) struct Sum {
    pub(super) label: &'static str,
    pub(super) amount: String,
}

/// Where it goes, and how.
pub(super) struct DeliveryNote {
    pub(super) lines: Vec<String>,
    pub(super) rate: Option<String>,
}

/// Where the invoice is that Stripe wrote.
pub(super) struct InvoiceNote {
    pub(super) label: String,
    pub(super) url: String,
}

impl DeliveryNote {
    fn heading(&self) -> String {
        match &self.rate {
            Some(rate) => format!("Delivery ({rate})"),
            None => "Delivery".to_owned(),
        }
    }
}

impl LetterPage {
    /// Whether the link is the address at the foot, too.
    fn repeats_link(&self) -> bool {
        let about = self.about.as_ref();
        about.is_some_and(|about| about.url == self.prose.link.url)
    }

    pub(super) fn set(self) -> Result<Letter, askama::Error> {
        Ok(Letter {
            html: Html { page: &self }.render()?,
            text: Text { page: &self }.render()?,
            subject: self.subject,
        })
    }
}

/// How many characters a line of a table has in plain text.
const WIDTH: usize = 46;

impl Item {
    fn lines(&self) -> String {
        let mut lines = match self.quantity.as_str() {
            "" => columns(&self.name, &self.amount),
            quantity => {
                let below = columns(&format!("  {quantity}"), &self.amount);
                format!("{}\n{below}", self.name)
            }
        };
        for note in &self.notes {
            lines.push_str("\n  ");
            lines.push_str(note);
        }
        lines
    }

    /// What stands below its name.
    fn details(&self) -> impl Iterator<Item = &String> {
        let quantity = Some(&self.quantity).filter(|quantity| !quantity.is_empty());
        quantity.into_iter().chain(&self.notes)
    }
}

impl Sum {
    fn line(&self) -> String {
        columns(self.label, &self.amount)
    }
}

/// A line with a text at each end, or two lines if they do not fit into one.
fn columns(left: &str, right: &str) -> String {
    let room = WIDTH.saturating_sub(left.chars().count());
    match right.chars().count() < room {
        true => format!("{left}{right:>room$}"),
        false => format!("{left}\n{right:>WIDTH$}"),
    }
}

#[derive(Template)]
#[template(path = "letter.html")]
struct Html<'a> {
    page: &'a LetterPage,
}

#[derive(Template)]
#[template(path = "letter.txt")]
struct Text<'a> {
    page: &'a LetterPage,
}

impl Link {
    pub(super) fn new(label: &'static str, url: impl Into<String>) -> Self {
        let url = url.into();
        Self { label, url }
    }
}

impl Prose {
    pub(super) fn new(subject: impl Into<String>, heading: &'static str, link: Link) -> Self {
        Self {
            subject: subject.into(),
            heading,
            sentences: Vec::new(),
            link,
        }
    }

    /// Adds a sentence.
    pub(super) fn say(mut self, sentence: impl Into<String>) -> Self {
        self.sentences.push(sentence.into());
        self
    }
}

/// A time as the letters write it: `3 December 2026, 23:59 UTC`.
pub(super) fn date(unix_seconds: i64) -> String {
    match OffsetDateTime::from_unix_timestamp(unix_seconds) {
        Ok(at) => format!(
            "{} {} {}, {:02}:{:02} UTC",
            at.day(),
            at.month(),
            at.year(),
            at.hour(),
            at.minute()
        ),
        Err(_) => format!("second {unix_seconds}"),
    }
}

/// A name on one line, without the control characters that could end a header or break the layout
/// of the plain text.
pub(super) fn one_line(name: &str) -> String {
    name.split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
