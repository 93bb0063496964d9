//! What happened, with what the functions logged about it.

use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry;

use crate::span::clock;

thread_local! {
    /// The story of the world that runs on this thread.
    static TOLD: RefCell<Option<Arc<Story>>> = const { RefCell::new(None) };
}

/// What happened in one world. A line has its time, in seconds after the beginning.
pub(crate) struct Story {
    began: Instant,
    lines: Mutex<Vec<(u64, String)>>,
}

impl Story {
    /// Begins the story of the world that runs on this thread.
    pub(crate) fn begin(began: Instant) -> Arc<Self> {
        let story = Arc::new(Self {
            began,
            lines: Mutex::default(),
        });
        TOLD.replace(Some(Arc::clone(&story)));
        story
    }

    pub(crate) fn tell(&self, what: String) {
        let at = self.began.elapsed().as_secs();
        self.lines.lock().unwrap().push((at, what));
    }

    /// A line for each thing.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        let line = |(at, what): &(u64, String)| format!("{}  {what}", clock(*at));
        lines.iter().map(line).collect()
    }
}

/// From now on, stories have what functions log.
pub(crate) fn with_logs() {
    let subscriber = registry().with(Logs);
    // There is another subscriber if this is called twice.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

struct Logs;

impl<S: Subscriber> Layer<S> for Logs {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let target = event.metadata().target();
        let is_ours = [
            "shared",
            "checkout",
            "mailer",
            "purchases",
            "reconcile",
            "webhook",
        ]
        .iter()
        .any(|name| target.starts_with(name));
        if !is_ours || *event.metadata().level() > Level::INFO {
            return;
        }
        let mut line = Line(format!(
            "    {}:",
            target.split("::").next().unwrap_or_default()
        ));
        event.record(&mut line);
        TOLD.with_borrow(|told| {
            if let Some(story) = told {
                story.tell(line.0);
            }
        });
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.0, " {value:?}"),
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
