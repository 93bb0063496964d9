//! SES's query API, as far as the shop uses it: `SendEmail`, which puts mail into the mailbox.

use std::collections::BTreeMap;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::address::EmailAddress;
use crate::faults::Fault;
use crate::mailbox::{Mail, Mailbox};

/// The largest message that SES accepts.
const MAXIMUM_BYTES: usize = 10 * 1024 * 1024;
/// The most recipients that SES accepts in one message.
const MAXIMUM_RECIPIENTS: usize = 50;
const NAMESPACE: &str = "http://ses.amazonaws.com/doc/2010-12-01/";

/// Answers one request as SES would.
pub(crate) async fn answer(mailbox: &Mailbox, request: &Request, now: OffsetDateTime) -> Response {
    let mail = match request.action.as_str() {
        "SendEmail" => request.mail(now),
        "" => Err(SesError::sender(
            "MissingAction",
            "No action was supplied with this request.",
        )),
        other => Err(SesError::sender(
            "InvalidAction",
            &format!("Could not find operation {other} for version 2010-12-01"),
        )),
    };
    let kept = match mail {
        Ok(mail) => mailbox.keep(&mail).await.map(|()| mail.id),
        Err(error) => return error.answer(),
    };
    match kept {
        Ok(id) => sent(&id),
        Err(error) => {
            tracing::error!("a mail could not be stored: {error:#}");
            fault_answer(Fault::Error)
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

    fn addresses(&self, name: &str) -> Result<Vec<String>, SesError> {
        let members = self.members(name);
        members
            .into_iter()
            .map(|address| checked(address).map(|()| address.to_owned()))
            .collect()
    }

    /// The mail that `SendEmail` describes, if SES would send it.
    fn mail(&self, now: OffsetDateTime) -> Result<Mail, SesError> {
        let required =
            |name: &str, at: &str| {
                self.text(name).filter(|text| !text.is_empty()).ok_or_else(|| {
                SesError::sender(
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
            return Err(SesError::invalid(
                "Control characters are not allowed in the subject",
            ));
        }
        let (text, html) = (
            self.text("Message.Body.Text.Data"),
            self.text("Message.Body.Html.Data"),
        );
        if text.is_none() && html.is_none() {
            return Err(SesError::invalid(
                "Message body must have text, HTML or both",
            ));
        }
        let to = self.addresses("Destination.ToAddresses")?;
        let cc = self.addresses("Destination.CcAddresses")?;
        let bcc = self.addresses("Destination.BccAddresses")?;
        match to.len().saturating_add(cc.len()).saturating_add(bcc.len()) {
            0 => return Err(SesError::invalid("Missing required header 'To'.")),
            count if count > MAXIMUM_RECIPIENTS => {
                return Err(SesError::invalid(&format!(
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
            return Err(SesError::invalid(&format!(
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
            sent_at: now.format(&Rfc3339).unwrap_or_default(),
        })
    }

    fn tags(&self) -> Result<BTreeMap<String, String>, SesError> {
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
                return Err(SesError::invalid(&format!("Invalid tag <{name}, {value}>")));
            }
            tags.insert(name.to_owned(), value.to_owned());
        }
        Ok(tags)
    }
}

fn checked(address: &str) -> Result<(), SesError> {
    EmailAddress::parse(address)
        .map(|_| ())
        .map_err(|why| SesError::invalid(&why.to_string()))
}

/// An error as SES returns it.
struct SesError {
    status: StatusCode,
    culprit: &'static str,
    code: &'static str,
    message: String,
}

impl SesError {
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
            SesError::sender("Throttling", "Maximum sending rate exceeded.")
        }
        Fault::Rejected => SesError::sender("MessageRejected", "Message contains a virus"),
        Fault::Unverified => SesError::sender(
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region \
             US-EAST-1: shop@example.com",
        ),
        Fault::Paused => SesError::sender(
            "AccountSendingPausedException",
            "Email sending is disabled for your account.",
        ),
        Fault::Denied => SesError {
            status: StatusCode::FORBIDDEN,
            ..SesError::sender(
                "AccessDenied",
                "User is not authorized to perform: ses:SendEmail",
            )
        },
        Fault::Error | Fault::TimeoutAfter => SesError::receiver(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalFailure",
            "The request processing has failed because of an unknown error.",
        ),
        Fault::Down => SesError::receiver(
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
