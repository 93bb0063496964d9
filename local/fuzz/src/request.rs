//! An HTTP event as Lambda passes it on, and all that the functions read of it.

use serde_json::Value;
use shared::config::EmailVerified;
use shared::http::{self, Problem};
use shared::purchase::PurchaseId;

/// An event is read or answered 400. Of one that is read everything can be asked, and is within its limits or
/// refused.
pub(crate) fn run(data: &[u8]) {
    let Ok(payload) = std::str::from_utf8(data) else {
        return;
    };
    let request = match http::request(payload) {
        Ok(request) => request,
        Err(problem) => return assert_eq!(status(problem), 400),
    };
    let _ = (http::resource(&request), http::request_id(&request));
    let caller = http::claims(&request, EmailVerified::Claim);
    let vouched = http::claims(&request, EmailVerified::Always);
    holds(caller, &[401, 403], |caller| {
        assert!(!caller.subject.is_empty() && !caller.email.is_empty());
        assert_eq!(vouched.ok(), Some(caller), "vouching takes nobody away");
    });
    holds(http::body(&request, 64), &[400, 413], |body| {
        assert!(body.len() <= 64);
    });
    holds(http::page_cursor::<PurchaseId>(&request), &[400], |id| {
        let next = http::next_cursor(id);
        let id = id.map(|id| id.to_string());
        assert_eq!(
            next.and_then(|next| hex::decode(next).ok()),
            id.map(Into::into)
        );
    });
    holds(http::page_limit(&request), &[400], |limit| {
        assert!((1..=100).contains(&limit));
    });
    holds(http::seconds(&request, "grace", 7, 99), &[400], |seconds| {
        assert!((0..=99).contains(&seconds));
    });
    holds(http::only_open(&request), &[400], drop);
    if let Some(language) = http::language(&request) {
        assert!(language.len() <= 35 && language.is_ascii());
    }
}

/// What was read is as it must be, or it was refused with one of these statuses.
fn holds<T>(read: Result<T, Problem>, statuses: &[u16], check: impl FnOnce(T)) {
    match read {
        Ok(value) => check(value),
        Err(problem) => {
            let status = status(problem);
            assert!(statuses.contains(&status), "{status}");
        }
    }
}

/// The status of a problem, which can be written as what Lambda wants.
fn status(problem: Problem) -> u16 {
    let answer = http::response(problem.into_response("r"));
    let body = answer["body"].as_str().expect("a problem is text");
    let body: Value = serde_json::from_str(body).expect("a problem is JSON");
    assert_eq!(body["status"], answer["statusCode"]);
    let status = answer["statusCode"].as_u64();
    status
        .and_then(|status| status.try_into().ok())
        .expect("a status")
}
