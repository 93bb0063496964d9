//! What is always true of purchases and their payments.

use std::collections::{BTreeMap, BTreeSet};

use self::samples::*;
use super::*;

mod downloads;
mod effects;
mod merging;
mod payment;
mod samples;
mod shown;
mod status;
mod ways;
