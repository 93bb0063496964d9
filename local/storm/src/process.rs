//! One process of a function: what its calls share, and when it is killed.

use std::future::pending;
use std::sync::Mutex;

use tokio::sync::Notify;

use crate::other::Other;

/// What an instance's calls share.
#[derive(Default)]
pub(crate) struct Process {
    /// How many more moments between calls it lives to see; nothing if it is not going to be killed.
    fuse: Mutex<Option<u32>>,
    killed: Notify,
    /// The mails that it has claimed, the last one last, and when it must be done with them.
    pub(crate) claimed: Mutex<Vec<(String, i64)>>,
    /// What it does as another version would.
    pub(crate) as_other: Option<Other>,
}

impl Process {
    pub(crate) fn of(as_other: Option<Other>) -> Self {
        Self {
            as_other,
            ..Self::default()
        }
    }

    /// Decides how many more moments it lives to see; nothing lets it live.
    pub(crate) fn burns_after(&self, moments: Option<u32>) {
        *self.fuse.lock().unwrap() = moments;
    }

    /// Waits until it is killed.
    pub(crate) async fn is_killed(&self) {
        self.killed.notified().await;
    }

    /// A moment before or after a call. If it is the one at which the process is killed, nothing
    /// follows.
    pub(crate) async fn lives_on(&self) {
        let burns = {
            let mut fuse = self.fuse.lock().unwrap();
            match &mut *fuse {
                None => false,
                Some(0) => true,
                Some(left) => {
                    *left -= 1;
                    false
                }
            }
        };
        if burns {
            self.killed.notify_one();
            pending::<()>().await;
        }
    }
}
