//! Clients of AWS's SDKs, made while a function waits for its first work.

use std::{
    ops::Deref,
    sync::{Arc, LazyLock},
};

use tokio::runtime::Handle;

use crate::starting::work_is_asked_for;

/// A client that is made when it is first needed or, in a function that starts, as soon as that has
/// asked for work. Making one is a fifth of a start's instructions, nearly all of them for reading
/// AWS's list of partitions, of which our clients have no use: they are told where to call.
///
/// Cheap to clone; clones share the client.
#[derive(Debug)]
pub struct Lazy<C>(Arc<LazyLock<C, Make<C>>>);

type Make<C> = Box<dyn FnOnce() -> C + Send>;

impl<C: Send + Sync + 'static> Lazy<C> {
    /// The client that `make` makes.
    pub fn new(make: impl FnOnce() -> C + Send + 'static) -> Self {
        let client = Self(Arc::new(LazyLock::new(Box::new(make))));
        if let Ok(runtime) = Handle::try_current() {
            let early = client.clone();
            runtime.spawn(async move {
                work_is_asked_for().await;
                LazyLock::force(&early.0);
            });
        }
        client
    }
}

impl<C> Clone for Lazy<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Deref for Lazy<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn counted() -> (Lazy<&'static str>, Arc<AtomicUsize>) {
        let made = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&made);
        let client = Lazy::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
            "a client"
        });
        (client, made)
    }

    #[tokio::test]
    async fn a_function_asks_for_work_before_a_client_is_made() {
        let (_client, made) = counted();
        for _ in 0..2 {
            tokio::task::yield_now().await;
        }
        assert_eq!(made.load(Ordering::SeqCst), 0);
        while made.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    }

    #[test]
    fn a_client_is_made_once_by_whoever_needs_it_first() {
        let (client, made) = counted();
        assert_eq!(made.load(Ordering::SeqCst), 0);
        assert_eq!([*client, *client.clone()], ["a client"; 2]);
        assert_eq!(made.load(Ordering::SeqCst), 1);
    }
}
