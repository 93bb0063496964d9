//! Handing letters to Amazon SES.

use aws_sdk_ses::{
    Client,
    error::{BuildError, ProvideErrorMetadata, SdkError},
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, Message},
};

use super::{Address, Letter, from};
use crate::aws::lazy::Lazy;

/// Sends letters from the shop.
///
/// Timeouts and retries are up to the client's configuration; the outbox repeats what fails here,
/// so the client need not.
#[derive(Clone, Debug)]
pub struct Postman {
    client: Lazy<Client>,
    /// The `From` header.
    from: String,
    reply_to: Address,
}

/// Why SES did not accept a letter. It has SES's error code but never its message, which often
/// quotes addresses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Worth another try: SES is busy or cannot be reached. After a timeout, the letter may have
    /// been sent all the same.
    #[error("SES did not accept the mail this time: {0}")]
    Transient(String),
    /// Worth another try once somebody has fixed what keeps SES from sending any of our mail: the
    /// sender, the account, our permissions. The letter is not to blame.
    #[error("SES will not send any of our mail until this is fixed: {0}")]
    Blocked(String),
    /// Another try would end the same way.
    #[error("SES refused the mail: {0}")]
    Permanent(String),
}

impl Postman {
    /// Sends as `from`, an address that SES has verified by itself or by its domain, under the name
    /// `shop`. Replies go to `reply_to`.
    pub fn new(client: Lazy<Client>, shop: &str, from: &Address, reply_to: Address) -> Self {
        Self {
            client,
            from: from::header(shop, from),
            reply_to,
        }
    }

    /// Sends one letter, whose replies go to `answers`, or where all others go; returns SES's
    /// message id.
    pub async fn send(
        &self,
        to: &Address,
        letter: &Letter,
        answers: Option<&Address>,
    ) -> Result<String, SendError> {
        let message =
            message(letter).map_err(|_| SendError::Permanent("IncompleteMessage".into()))?;
        let sent = self
            .client
            .send_email()
            .source(&self.from)
            .reply_to_addresses(answers.unwrap_or(&self.reply_to).as_str())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .message(message)
            .send()
            .await?;
        Ok(sent.message_id)
    }
}

fn message(letter: &Letter) -> Result<Message, BuildError> {
    let utf8 = |text: &str| Content::builder().charset("UTF-8").data(text).build();
    let body = Body::builder()
        .html(utf8(&letter.html)?)
        .text(utf8(&letter.text)?)
        .build();
    Ok(Message::builder()
        .subject(utf8(&letter.subject)?)
        .body(body)
        .build())
}

impl From<SdkError<SendEmailError>> for SendError {
    fn from(error: SdkError<SendEmailError>) -> Self {
        let SdkError::ServiceError(refusal) = &error else {
            return Self::Transient(
                match error {
                    SdkError::TimeoutError(_) => "Timeout",
                    SdkError::DispatchFailure(_) => "OutOfReach",
                    SdkError::ResponseError(_) => "UnreadableAnswer",
                    _ => "RequestNotMade",
                }
                .into(),
            );
        };
        let status = refusal.raw().status().as_u16();
        let Some(code) = refusal.err().code() else {
            // Not from SES, so it says nothing about the letter.
            return Self::Transient(format!("HTTP {status}"));
        };
        let message = refusal.err().message().unwrap_or_default();
        Self::of_refusal(status, code, message)
    }
}

impl SendError {
    /// What an error of SES means. From SES's "Common errors" and "SendEmail" pages, and "Amazon
    /// SES email sending errors" for the messages. Each code is written with or without `Exception`
    /// at its end.
    fn of_refusal(status: u16, code: &str, message: &str) -> Self {
        let says = |part: &str| message.to_ascii_lowercase().contains(part);
        match code.strip_suffix("Exception").unwrap_or(code) {
            // Too fast, the day's quota is used up, or SES is down.
            "Throttling"
            | "Throttled"
            | "RequestThrottled"
            | "TooManyRequests"
            | "RequestLimitExceeded"
            | "InternalFailure"
            | "InternalServerError"
            | "ServiceUnavailable"
            | "RequestTimeout"
            | "RequestExpired" => Self::Transient(code.to_owned()),
            // The sender, or in SES's sandbox the recipient, must be verified first.
            "MessageRejected" if says("not verified") => {
                Self::Blocked(format!("{code}, an address is not verified"))
            }
            "MessageRejected" if says("suspended") || says("paused") => {
                Self::Blocked(format!("{code}, sending is suspended"))
            }
            "MailFromDomainNotVerified"
            | "AccountSendingPaused"
            | "ConfigurationSetSendingPaused"
            | "ConfigurationSetDoesNotExist"
            | "AccessDenied"
            | "NotAuthorized"
            | "OptInRequired"
            | "ExpiredToken"
            | "IncompleteSignature"
            | "InvalidAccessKeyId"
            | "InvalidClientTokenId"
            | "MissingAuthenticationToken"
            | "SignatureDoesNotMatch"
            | "UnrecognizedClient" => Self::Blocked(code.to_owned()),
            // An unknown code: 401 and 403 are about the caller, 408, 429 and 5xx about the moment;
            // a status that is not an error came with something SES would not say.
            _ if matches!(status, 401 | 403) => Self::Blocked(code.to_owned()),
            _ if matches!(status, 408 | 429) || !(400..500).contains(&status) => {
                Self::Transient(code.to_owned())
            }
            _ => Self::Permanent(code.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::TcpListener,
        thread::JoinHandle,
        time::Duration,
    };

    use aws_sdk_ses::config::{
        BehaviorVersion, Config, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig,
    };

    use super::*;

    const SENT: &str = "<SendEmailResponse><SendEmailResult><MessageId>m-1</MessageId>\
        </SendEmailResult></SendEmailResponse>";

    fn letter() -> Letter {
        Letter {
            subject: "Grüße".into(),
            html: "<p>15.00\u{a0}€</p>".into(),
            text: "15.00\u{a0}€".into(),
        }
    }

    /// An error as SES writes it.
    fn refusal_saying(code: &str, message: &str) -> String {
        format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error></ErrorResponse>"
        )
    }

    fn refusal(code: &str) -> String {
        refusal_saying(code, "It is about ana@example.com")
    }

    /// Answers one HTTP request and returns its body. `None` never answers.
    fn answer_once(answer: Option<(u16, String)>) -> (String, JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut stream = BufReader::new(listener.accept().unwrap().0);
            let mut length = 0;
            loop {
                let mut header = String::new();
                stream.read_line(&mut header).unwrap();
                let header = header.to_ascii_lowercase();
                if let Some(value) = header.strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if header.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            match answer {
                Some((status, text)) => {
                    let length = text.len();
                    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n");
                    stream
                        .get_mut()
                        .write_all((head + &text).as_bytes())
                        .unwrap();
                }
                // Until the caller hangs up.
                None => drop(stream.read_to_end(&mut Vec::new())),
            }
            String::from_utf8(body).unwrap()
        });
        (url, server)
    }

    async fn send_to(url: &str) -> Result<String, SendError> {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_timeout(Duration::from_millis(500))
                    .build(),
            )
            .endpoint_url(url)
            .http_client(crate::network::Network::default().client().unwrap())
            .build();
        let from: Address = "shop@example.com".parse().unwrap();
        let to = "ana@example.com".parse().unwrap();
        let answers = "owner@example.com".parse().unwrap();
        Postman::new(
            Lazy::new(|| Client::from_conf(config)),
            "Mugs & Co",
            &from,
            answers,
        )
        .send(&to, &letter(), None)
        .await
    }

    async fn sending_answered_with(status: u16, text: String) -> Result<String, SendError> {
        let (url, server) = answer_once(Some((status, text)));
        let result = send_to(&url).await;
        server.join().unwrap();
        result
    }

    #[tokio::test]
    async fn a_letter_goes_to_ses_in_utf_8() {
        let (url, server) = answer_once(Some((200, SENT.into())));
        assert_eq!(send_to(&url).await.unwrap(), "m-1");
        let body = server.join().unwrap();
        let fields: Vec<&str> = body.split('&').collect();
        for field in [
            "Action=SendEmail",
            "Source=%22Mugs%20%26%20Co%22%20%3Cshop%40example.com%3E",
            "ReplyToAddresses.member.1=owner%40example.com",
            "Destination.ToAddresses.member.1=ana%40example.com",
            "Message.Subject.Data=Gr%C3%BC%C3%9Fe",
            "Message.Subject.Charset=UTF-8",
            "Message.Body.Html.Data=%3Cp%3E15.00%C2%A0%E2%82%AC%3C%2Fp%3E",
            "Message.Body.Html.Charset=UTF-8",
            "Message.Body.Text.Data=15.00%C2%A0%E2%82%AC",
            "Message.Body.Text.Charset=UTF-8",
        ] {
            assert!(fields.contains(&field), "{field} in {body}");
        }
    }

    #[tokio::test]
    async fn a_passing_failure_is_worth_another_try() {
        for (status, code) in [
            (400, "Throttling"),
            (400, "ThrottlingException"),
            (400, "RequestExpired"),
            (429, "NotInAnyList"),
            (500, "InternalFailure"),
            (503, "ServiceUnavailable"),
        ] {
            assert_eq!(
                sending_answered_with(status, refusal(code)).await,
                Err(SendError::Transient(code.into())),
                "{status}"
            );
        }
    }

    #[tokio::test]
    async fn a_failure_that_the_seller_can_fix_is_not_the_letters_fault() {
        for (status, code) in [
            (400, "AccountSendingPausedException"),
            (400, "MailFromDomainNotVerifiedException"),
            (400, "ConfigurationSetDoesNotExist"),
            (400, "ConfigurationSetSendingPausedException"),
            (403, "AccessDenied"),
            (403, "ExpiredToken"),
            (403, "NotInAnyList"),
        ] {
            assert_eq!(
                sending_answered_with(status, refusal(code)).await,
                Err(SendError::Blocked(code.into())),
                "{status}"
            );
        }
        for (message, why) in [
            (
                "Email address is not verified. The following identities failed the check in \
                 region EU-WEST-1: shop@example.com",
                "MessageRejected, an address is not verified",
            ),
            (
                "Sending suspended for this account. For more information, please check the inbox",
                "MessageRejected, sending is suspended",
            ),
        ] {
            assert_eq!(
                sending_answered_with(400, refusal_saying("MessageRejected", message)).await,
                Err(SendError::Blocked(why.into()))
            );
        }
    }

    #[tokio::test]
    async fn a_letter_that_ses_will_never_accept_is_not_tried_again() {
        for code in ["MessageRejected", "InvalidParameterValue", "NotInAnyList"] {
            assert_eq!(
                sending_answered_with(400, refusal(code)).await,
                Err(SendError::Permanent(code.into()))
            );
        }
    }

    #[tokio::test]
    async fn an_error_has_the_code_of_ses_but_no_address() {
        let error = sending_answered_with(400, refusal("MessageRejected"))
            .await
            .unwrap_err();
        assert_eq!(error.to_string(), "SES refused the mail: MessageRejected");
        assert!(!format!("{error:?}").contains('@'));
    }

    #[tokio::test]
    async fn an_answer_that_is_not_from_ses_says_nothing_about_the_letter() {
        let page = || "<html>ana@example.com</html>".to_owned();
        for status in [502, 404, 403] {
            assert_eq!(
                sending_answered_with(status, page()).await,
                Err(SendError::Transient(format!("HTTP {status}")))
            );
        }
        let unreadable = sending_answered_with(200, "{}".into()).await;
        assert!(
            matches!(unreadable, Err(SendError::Transient(_))),
            "{unreadable:?}"
        );
    }

    #[tokio::test]
    async fn a_timeout_and_a_refused_connection_are_worth_another_try() {
        // Its thread ends when the client's connection does, after this test.
        let (url, _) = answer_once(None);
        assert_eq!(
            send_to(&url).await,
            Err(SendError::Transient("Timeout".into()))
        );

        let closed = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let error = send_to(&format!("http://{closed}")).await;
        assert_eq!(error, Err(SendError::Transient("OutOfReach".into())));
    }
}
