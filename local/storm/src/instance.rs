//! A function's instances, each of which takes one invocation at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::process::Process;
use crate::version::{Code, Function};

/// Instances that have nothing to do, by their function and whether they are of another version.
#[derive(Default)]
pub(crate) struct Pools(Mutex<BTreeMap<(Function, bool), Vec<Instance>>>);

pub(crate) struct Instance {
    pub(crate) code: Code,
    pub(crate) process: Arc<Process>,
}

impl Pools {
    /// An instance that has nothing to do.
    pub(crate) fn take(&self, kind: (Function, bool)) -> Option<Instance> {
        self.0.lock().unwrap().entry(kind).or_default().pop()
    }

    /// An instance has nothing to do any more.
    pub(crate) fn put_back(&self, kind: (Function, bool), instance: Instance) {
        let mut pools = self.0.lock().unwrap();
        pools.entry(kind).or_default().push(instance);
    }
}
