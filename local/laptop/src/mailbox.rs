//! SES, ending in a mailbox on this machine: the query API's `SendEmail`, and everything that was
//! sent.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::address::EmailAddress;
use crate::faults::Fault;

/// The most SES takes in one message.
const MAXIMUM_BYTES: usize = 10 * 1024 * 1024;
/// The most addresses SES takes in one message.
const MAXIMUM_RECIPIENTS: usize = 50;
const NAMESPACE: &str = "http://ses.amazonaws.com/doc/2010-12-01/";

/// A mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// The message id that SES answered with.
    pub(crate) id: String,
    /// The sender.
    pub(crate) from: String,
    /// Who got it.
    pub(crate) to: Vec<String>,
    /// Who got a copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cc: Vec<String>,
    /// Who got a blind copy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) bcc: Vec<String>,
    /// Where answers go, if not to the sender.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) reply_to: Vec<String>,
    /// The subject.
    pub(crate) subject: String,
    /// The body as text.
    pub(crate) text: Option<String>,
    /// The body as HTML.
    pub(crate) html: Option<String>,
    /// Message tags by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
    /// RFC 3339.
    pub(crate) sent_at: String,
}

/// The mailbox. Clones share one.
#[derive(Clone)]
pub(crate) struct Mailbox(Arc<Mutex<Connection>>);

impl Mailbox {
    /// Opens the file, or a mailbox in memory.
    pub(crate) fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let open = || {
            let connection = match file {
                Some(file) => Connection::open(file)?,
                None => Connection::open_in_memory()?,
            };
            connection.pragma_update(None, "journal_mode", "WAL")?;
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(
                "CREATE TABLE IF NOT EXISTS mail (number INTEGER PRIMARY KEY, mail TEXT NOT NULL)",
            )?;
            Ok::<_, rusqlite::Error>(connection)
        };
        let connection = open().context("cannot open the mailbox")?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Every mail, newest first.
    pub(crate) async fn newest_first(&self) -> anyhow::Result<Vec<Mail>> {
        self.with(|connection| {
            let mut statement = connection.prepare("SELECT mail FROM mail ORDER BY number DESC")?;
            let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
            rows.map(|row| Ok(serde_json::from_str(&row?)?)).collect()
        })
        .await
    }

    /// The mail with this message id.
    pub(crate) async fn find(&self, id: &str) -> anyhow::Result<Option<Mail>> {
        Ok(self
            .newest_first()
            .await?
            .into_iter()
            .find(|mail| mail.id == id))
    }

    async fn keep(&self, mail: &Mail) -> anyhow::Result<()> {
        let mail = serde_json::to_string(mail)?;
        self.with(move |connection| {
            connection.execute("INSERT INTO mail (mail) VALUES (?1)", params![mail])?;
            Ok(())
        })
        .await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> anyhow::Result<T> + Send + 'static,
    ) -> anyhow::Result<T> {
        let connection = Arc::clone(&self.0);
        let work = move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner));
        tokio::task::spawn_blocking(work).await?
    }

    /// Answers one request as SES would.
    pub(crate) async fn answer(&self, request: &Request) -> Response {
        let mail = match request.action.as_str() {
            "SendEmail" => request.mail(),
            "" => Err(Refusal::sender(
                "MissingAction",
                "No action was supplied with this request.",
            )),
            other => Err(Refusal::sender(
                "InvalidAction",
                &format!("Could not find operation {other} for version 2010-12-01"),
            )),
        };
        let kept = match mail {
            Ok(mail) => self.keep(&mail).await.map(|()| mail.id),
            Err(refusal) => return refusal.answer(),
        };
        match kept {
            Ok(id) => sent(&id),
            Err(error) => {
                tracing::error!("a mail could not be stored: {error:#}");
                fault_answer(Fault::Error)
            }
        }
    }
}

/// A request of the query API: an action and flat parameters.
pub(crate) struct Request {
    /// `SendEmail` and the like.
    pub(crate) action: String,
    parameters: BTreeMap<String, String>,
}

impl Request {
    /// Reads a form-encoded body.
    pub(crate) fn parse(body: &[u8]) -> Self {
        let mut parameters: BTreeMap<String, String> =
            url::form_urlencoded::parse(body).into_owned().collect();
        Self {
            action: parameters.remove("Action").unwrap_or_default(),
            parameters,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// `name.member.1`, `name.member.2`, …
    fn members(&self, name: &str) -> Vec<&str> {
        (1_usize..)
            .map_while(|number| self.text(&format!("{name}.member.{number}")))
            .collect()
    }

    fn addresses(&self, name: &str) -> Result<Vec<String>, Refusal> {
        let members = self.members(name);
        members
            .into_iter()
            .map(|address| checked(address).map(|()| address.to_owned()))
            .collect()
    }

    /// The mail that `SendEmail` asks for, if SES would send it.
    fn mail(&self) -> Result<Mail, Refusal> {
        let required =
            |name: &str, at: &str| {
                self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
                Refusal::sender(
                    "ValidationError",
                    &format!(
                        "1 validation error detected: Value null at '{at}' failed to satisfy \
                         constraint: Member must not be null"
                    ),
                )
            })
            };
        let from = required("Source", "source")?;
        checked(from)?;
        let subject = required("Message.Subject.Data", "message.subject.data")?;
        if subject.contains(char::is_control) {
            return Err(Refusal::invalid(
                "Control characters are not allowed in the subject",
            ));
        }
        let (text, html) = (
            self.text("Message.Body.Text.Data"),
            self.text("Message.Body.Html.Data"),
        );
        if text.is_none() && html.is_none() {
            return Err(Refusal::invalid(
                "Message body must have text, HTML or both",
            ));
        }
        let to = self.addresses("Destination.ToAddresses")?;
        let cc = self.addresses("Destination.CcAddresses")?;
        let bcc = self.addresses("Destination.BccAddresses")?;
        match to.len().saturating_add(cc.len()).saturating_add(bcc.len()) {
            0 => return Err(Refusal::invalid("Missing required header 'To'.")),
            count if count > MAXIMUM_RECIPIENTS => {
                return Err(Refusal::invalid(&format!(
                    "Recipient count exceeds {MAXIMUM_RECIPIENTS}."
                )));
            }
            _ => {}
        }
        let length: usize = [Some(subject), text, html]
            .into_iter()
            .flatten()
            .map(str::len)
            .sum();
        if length > MAXIMUM_BYTES {
            return Err(Refusal::invalid(&format!(
                "Message length is more than {MAXIMUM_BYTES} bytes long: '{length}'."
            )));
        }
        Ok(Mail {
            id: format!("{:016x}-{}-000000", rand::random::<u64>(), Uuid::now_v7()),
            from: from.to_owned(),
            to,
            cc,
            bcc,
            reply_to: self.addresses("ReplyToAddresses")?,
            subject: subject.to_owned(),
            text: text.map(str::to_owned),
            html: html.map(str::to_owned),
            tags: self.tags()?,
            sent_at: OffsetDateTime::now_utc()
                .format(&Rfc3339)
                .unwrap_or_default(),
        })
    }

    fn tags(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let allowed = |text: &str| {
            (1..=256).contains(&text.len())
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_-.@".contains(c))
        };
        let mut tags = BTreeMap::new();
        for number in 1_usize.. {
            let Some(name) = self.text(&format!("Tags.member.{number}.Name")) else {
                break;
            };
            let value = self
                .text(&format!("Tags.member.{number}.Value"))
                .unwrap_or_default();
            if !allowed(name) || !allowed(value) {
                return Err(Refusal::invalid(&format!("Invalid tag <{name}, {value}>")));
            }
            tags.insert(name.to_owned(), value.to_owned());
        }
        Ok(tags)
    }
}

fn checked(address: &str) -> Result<(), Refusal> {
    EmailAddress::parse(address)
        .map(|_| ())
        .map_err(|why| Refusal::invalid(&why.to_string()))
}

/// SES's no.
struct Refusal {
    status: StatusCode,
    culprit: &'static str,
    code: &'static str,
    message: String,
}

impl Refusal {
    fn sender(code: &'static str, message: &str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            culprit: "Sender",
            code,
            message: message.to_owned(),
        }
    }

    fn invalid(message: &str) -> Self {
        Self::sender("InvalidParameterValue", message)
    }

    fn receiver(status: StatusCode, code: &'static str, message: &str) -> Self {
        Self {
            status,
            culprit: "Receiver",
            code,
            message: message.to_owned(),
        }
    }

    fn answer(self) -> Response {
        let Self {
            status,
            culprit,
            code,
            message,
        } = self;
        let message = xml_text(&message);
        let request_id = Uuid::now_v7();
        xml(
            status,
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{culprit}</Type><Code>{code}</Code>\
                 <Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>\n"
            ),
        )
    }
}

fn sent(id: &str) -> Response {
    let request_id = Uuid::now_v7();
    xml(
        StatusCode::OK,
        format!(
            "<SendEmailResponse xmlns=\"{NAMESPACE}\"><SendEmailResult><MessageId>{id}</MessageId>\
             </SendEmailResult><ResponseMetadata><RequestId>{request_id}</RequestId>\
             </ResponseMetadata></SendEmailResponse>\n"
        ),
    )
}

/// What SES answers on a bad day.
pub(crate) fn fault_answer(fault: Fault) -> Response {
    match fault {
        Fault::Throttle | Fault::Conflict => {
            Refusal::sender("Throttling", "Maximum sending rate exceeded.")
        }
        Fault::Rejected => Refusal::sender("MessageRejected", "Message contains a virus"),
        Fault::Unverified => Refusal::sender(
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region \
             US-EAST-1: shop@example.com",
        ),
        Fault::Paused => Refusal::sender(
            "AccountSendingPausedException",
            "Email sending is disabled for your account.",
        ),
        Fault::Denied => Refusal {
            status: StatusCode::FORBIDDEN,
            ..Refusal::sender(
                "AccessDenied",
                "User is not authorized to perform: ses:SendEmail",
            )
        },
        Fault::Error | Fault::TimeoutAfter => Refusal::receiver(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalFailure",
            "The request processing has failed because of an unknown error.",
        ),
        Fault::Down => Refusal::receiver(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "The request has failed due to a temporary failure of the server.",
        ),
    }
    .answer()
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

fn xml_text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
