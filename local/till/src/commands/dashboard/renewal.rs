//! Credentials of a role expire; the dashboard is open for as long as somebody likes.

use std::time::{Duration, SystemTime};

use window::routes::Window;

use crate::commands::console::note;
use crate::commands::operator::Operator;

/// How often it looks at the time. A timer stands still while a machine sleeps, the time does not.
const LOOK: Duration = Duration::from_secs(5);

/// How long before they expire credentials are renewed, if they last so long.
const AHEAD: Duration = Duration::from_secs(5 * 60);

/// How long to wait after credentials could not be renewed, which may ask somebody to log in.
const AGAIN: Duration = Duration::from_secs(30);

/// Renews the window's credentials before they expire, for as long as it is open.
pub(super) async fn keep(operator: &Operator, window: &Window, expiry: Option<SystemTime>) {
    let mut due = expiry.map(|at| due(SystemTime::now(), at));
    let mut is_told = false;
    loop {
        tokio::time::sleep(LOOK).await;
        let now = SystemTime::now();
        if due.is_none_or(|due| now < due) {
            continue;
        }
        match operator.shop().await {
            Ok(shop) => {
                due = shop.expiry.map(|at| self::due(SystemTime::now(), at));
                window.renew(shop.into_window()).await;
                is_told = false;
            }
            Err(error) => {
                if !is_told {
                    note(&format!(
                        "The credentials cannot be renewed: {error:#}. The dashboard keeps trying."
                    ));
                }
                is_told = true;
                due = now.checked_add(AGAIN);
            }
        }
    }
}

/// When credentials that expire `at` this time are renewed: short-lived ones after half of what is left.
fn due(now: SystemTime, at: SystemTime) -> SystemTime {
    let left = at.duration_since(now).unwrap_or_default();
    let wait = left.saturating_sub(AHEAD).max(left.div_f32(2.0));
    now.checked_add(wait).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_renewed_before_they_expire_however_long_they_last() {
        let now = SystemTime::UNIX_EPOCH;
        for (left, wait) in [(3600, 3300), (600, 300), (60, 30), (0, 0)] {
            let at = now + Duration::from_secs(left);
            assert_eq!(due(now, at), now + Duration::from_secs(wait), "{left}");
        }
        let (later, past) = (now + AHEAD, now);
        assert_eq!(due(later, past), later, "they have expired already");
    }
}
