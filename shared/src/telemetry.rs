//! Logs: one JSON object per line, with ids and codes, but never with addresses, tokens, bodies,
//! secrets or words that callers choose. Lines worth counting have a `metric`, and errors have the
//! function's `version`, so that the alarms guarding a deployment count only those of the new one.

use std::{
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{self, FormatEvent, FormatFields};
use tracing_subscriber::fmt::{FmtContext, format::Writer};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{config::Environment, plain::JsonLines};

/// Starts logging to standard output at `LOG_LEVEL` (`info` unless set). For a function's `main`.
pub fn start(environment: &Environment) {
    let level = environment
        .optional("LOG_LEVEL")
        .and_then(|level| level.parse().ok());
    let level: LevelFilter = level.unwrap_or(LevelFilter::INFO);
    // At lower levels the runtime and the SDK log whole events and requests, tokens included.
    let ours = [
        "shared",
        "catalog",
        "checkout",
        "mailer",
        "purchases",
        "reconcile",
        "webhook",
    ];
    let filter = ours.iter().fold(
        Targets::new().with_default(LevelFilter::WARN),
        |filter, name| filter.with_target(*name, level),
    );
    let version = environment.optional("AWS_LAMBDA_FUNCTION_VERSION");
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .event_format(Line::of(version))
        .with_writer(|| JsonLines(io::stdout()));
    tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .init();
}

/// Counts something that callers can cause as often as they like, so that it is logged once a
/// minute at most. Clones share their count.
#[derive(Clone, Default)]
pub struct Sampled(Arc<Mutex<Unsaid>>);

#[derive(Default)]
struct Unsaid {
    count: u64,
    said: Option<Instant>,
}

impl Sampled {
    /// Counts it. If it should be logged now, returns how often it has happened since it last was.
    pub fn another(&self) -> Option<u64> {
        let mut unsaid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        unsaid.count = unsaid.count.saturating_add(1);
        let quiet = |said: Instant| said.elapsed() < Duration::from_secs(60);
        if unsaid.said.is_some_and(quiet) {
            return None;
        }
        unsaid.said = Some(Instant::now());
        Some(std::mem::take(&mut unsaid.count))
    }
}

/// The format of a line.
struct Line {
    json: format::Format<format::Json>,
    /// The beginning of an error's line.
    beginning: String,
}

impl Line {
    fn of(version: Option<&str>) -> Self {
        let version = version.map(|version| format!("\"version\":{version:?},"));
        Self {
            json: format::json().flatten_event(true).with_current_span(false),
            beginning: format!("{{{}", version.unwrap_or_default()),
        }
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        if *event.metadata().level() != Level::ERROR {
            return self.json.format_event(context, writer, event);
        }
        let mut line = String::new();
        let text = Writer::new(&mut line);
        self.json.format_event(context, text, event)?;
        writer.write_str(&self.beginning)?;
        writer.write_str(line.strip_prefix('{').unwrap_or(&line))
    }
}

/// Something that is worth an alarm or a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// An authentic event was put aside because it could not be read.
    Parked,
    /// An authentic event was put aside because its mode is not ours.
    ModeMismatch,
    /// A mail was given up.
    MailFailed,
    /// An event for other systems was given up.
    EventFailed,
    /// A purchase needs a person's attention.
    Attention,
    /// How much a reconciliation found, repaired and parked.
    Reconciled,
}

impl Metric {
    /// The value of the log line's `metric` field.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parked => "parked",
            Self::ModeMismatch => "mode_mismatch",
            Self::MailFailed => "mail_failed",
            Self::EventFailed => "event_failed",
            Self::Attention => "attention",
            Self::Reconciled => "reconciled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_is_logged_once_a_minute_with_its_count() {
        let flood = Sampled::default();
        assert_eq!(flood.another(), Some(1));
        for _ in 0..1000 {
            assert_eq!(flood.clone().another(), None);
        }
        tokio::time::advance(Duration::from_secs(61)).await;
        assert_eq!(flood.another(), Some(1001));
        assert_eq!(flood.another(), None);
    }

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(version: Option<&str>) -> Vec<serde_json::Value> {
        let written = Written::default();
        let writer = written.clone();
        let subscriber = tracing_subscriber::fmt()
            .json()
            .event_format(Line::of(version))
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::error!(event = "evt_1", "the event could not be recorded");
            tracing::warn!("a mail was postponed");
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn an_error_is_logged_with_the_functions_version() {
        let [error, warning] = &lines(Some("12"))[..] else {
            panic!("expected two lines")
        };
        assert_eq!(error["version"], "12");
        assert_eq!(error["level"], "ERROR");
        assert_eq!(error["event"], "evt_1");
        assert_eq!(warning["version"], serde_json::Value::Null);
        assert_eq!(lines(None)[0]["version"], serde_json::Value::Null);
    }
}
