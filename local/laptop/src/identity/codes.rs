//! Authorization codes, which reach the site through the browser and are exchanged for tokens.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::tokens::Person;

/// How long a code waits to be exchanged.
const LIFETIME: Duration = Duration::from_secs(60);

/// The codes that wait to be exchanged.
#[derive(Default)]
pub(super) struct Codes(Mutex<HashMap<String, (Grant, Instant)>>);

/// What a code stands for until it is exchanged.
pub(super) struct Grant {
    pub(super) person: Person,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) nonce: Option<String>,
}

impl Codes {
    /// A new code for this grant.
    pub(super) fn issue(&self, grant: Grant) -> String {
        let code = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        codes.retain(|_, (_, issued)| issued.elapsed() < LIFETIME);
        codes.insert(code.clone(), (grant, Instant::now()));
        code
    }

    /// Removes and returns the grant, so that no code works twice.
    pub(super) fn redeem(&self, code: &str) -> Option<Grant> {
        let mut codes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (grant, issued) = codes.remove(code)?;
        (issued.elapsed() < LIFETIME).then_some(grant)
    }
}
