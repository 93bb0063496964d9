//! The `Stripe-Signature` header: the input's first line; the rest is the body.

use shared::stripe::signature::{WebhookSecret, sign, verify};

/// The moment at which all signatures are checked.
const NOW: i64 = 1_764_000_000;

/// A header is believed only if it has the right signature for its own time, which is not long ago; and one that
/// has it is believed, whatever stands beside it.
pub(crate) fn run(data: &[u8]) {
    let line = data.iter().position(|byte| *byte == b'\n');
    let (header, body) = data.split_at(line.unwrap_or(data.len()));
    let Ok(header) = std::str::from_utf8(header) else {
        return;
    };
    let secret = WebhookSecret::new("whsec_fuzz").expect("not empty");
    if verify(header, body, std::slice::from_ref(&secret), NOW).is_ok() {
        let recent = NOW.saturating_sub(300)..=NOW.saturating_add(300);
        let header = header.to_ascii_lowercase();
        let mut rights = recent.map(|at| sign(body, &secret, at));
        let right = rights.any(|right| {
            let v1 = right.split_once(",v1=").map(|(_, v1)| v1);
            v1.is_some_and(|v1| header.contains(v1))
        });
        assert!(right, "{header} is believed");
    }
    let right = sign(body, &secret, NOW);
    assert_eq!(
        verify(&right, body, std::slice::from_ref(&secret), NOW),
        Ok(())
    );
    let other = WebhookSecret::new("whsec_other").expect("not empty");
    assert!(verify(&right, body, &[other], NOW).is_err());
}
