//! Stopping the shop.

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::loopback::Shutdown;

/// How long requests under way may take to finish when the shop stops.
const GRACE: Duration = Duration::from_secs(10);

/// Tasks that stop together. Stages stop one after the other, so that requests under way still find
/// what they need.
pub(super) struct Stage {
    ask: watch::Sender<bool>,
    shutdown: Shutdown,
    tasks: Vec<JoinHandle<()>>,
}

impl Stage {
    pub(super) fn new() -> Self {
        let (ask, shutdown) = Shutdown::channel();
        Self {
            ask,
            shutdown,
            tasks: Vec::new(),
        }
    }

    /// Resolves when this stage is asked to stop.
    pub(super) fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    pub(super) fn run(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(tokio::spawn(task));
    }

    /// Stops all tasks, and waits until they have stopped.
    pub(super) async fn stop(self) {
        self.ask.send_replace(true);
        let patience = tokio::time::sleep(GRACE);
        tokio::pin!(patience);
        for mut task in self.tasks {
            tokio::select! {
                // A task that panicked is stopped, too.
                _ = &mut task => {}
                () = &mut patience => task.abort(),
            }
        }
    }
}
