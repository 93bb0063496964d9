//! This machine's clock against those of Stripe and AWS.

use bytes::Bytes;
use futures::FutureExt as _;
use http::{Request, header};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::check::{Ask, Check};
use super::patient::Patient;
use super::report::Finding;

const CLOCK: &str = "clock";

/// Stripe's signatures hold for five minutes, and AWS refuses requests that are as old.
const MOST: i64 = 300;
/// A `Date` has whole seconds, and the answer took a while.
const SLACK: i64 = 5;

pub(super) const CHECK: Check = Check {
    title: CLOCK,
    ask: Ask::Everywhere(|patient| check(patient).boxed()),
};

/// Compares the `Date` of answers with the time here.
async fn check(patient: &Patient) -> Vec<Finding> {
    let look = |whose: &'static str, url: String| async move {
        let asked = OffsetDateTime::now_utc();
        let date = date(patient, &url).await;
        let answered = OffsetDateTime::now_utc();
        Some((whose, skew(asked, date?, answered)))
    };
    let (stripe, aws) = futures::join!(
        look("Stripe", patient.stripe_base.clone()),
        look("AWS", patient.aws_clock.clone()),
    );
    vec![judge(
        &[stripe, aws].into_iter().flatten().collect::<Vec<_>>(),
    )]
}

/// How many seconds this machine is ahead of one that said `date` between the other two.
fn skew(asked: OffsetDateTime, date: OffsetDateTime, answered: OffsetDateTime) -> i64 {
    let seconds = |time: OffsetDateTime| time.unix_timestamp();
    let between = i64::midpoint(seconds(asked), seconds(answered));
    between.saturating_sub(seconds(date))
}

async fn date(patient: &Patient, url: &str) -> Option<OffsetDateTime> {
    let request = Request::get(url).body(Bytes::new()).ok()?;
    let answer = patient.web.send(request).await.ok()?;
    let date = answer.headers().get(header::DATE)?.to_str().ok()?;
    // HTTP says GMT where mail says +0000.
    OffsetDateTime::parse(&date.replace("GMT", "+0000"), &Rfc2822).ok()
}

fn judge(skews: &[(&str, i64)]) -> Finding {
    let Some((whose, skew)) = skews.iter().max_by_key(|(_, skew)| skew.abs()) else {
        return Finding::not_checked(CLOCK, "neither Stripe nor AWS told the time");
    };
    let whose_all: Vec<&str> = skews.iter().map(|(whose, _)| *whose).collect();
    let off = format!(
        "this machine is {} seconds {} {whose}",
        skew.abs(),
        if *skew > 0 { "ahead of" } else { "behind" }
    );
    let remedy = "let NTP set this machine's clock (timedatectl set-ntp true)";
    match skew.abs() {
        0..=SLACK => Finding::ok(CLOCK, format!("agrees with {}", whose_all.join(" and "))),
        skew if skew < MOST => Finding::warn(CLOCK, off, remedy),
        _ => Finding::fail(
            CLOCK,
            format!("{off}: AWS refuses what is signed here, and so does the webhook"),
            remedy,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Verdict;
    use super::*;

    #[test]
    fn a_clock_that_is_minutes_off_is_named_with_its_direction() {
        assert_eq!(judge(&[("Stripe", 1), ("AWS", -2)]).verdict, Verdict::Ok);
        let warned = judge(&[("Stripe", 1), ("AWS", -70)]);
        assert_eq!(warned.verdict, Verdict::Warn);
        assert!(
            warned.says.contains("70 seconds behind AWS"),
            "{}",
            warned.says
        );
        assert_eq!(judge(&[("Stripe", 301)]).verdict, Verdict::Fail);
        assert_eq!(judge(&[]).verdict, Verdict::NotChecked);
    }
}
