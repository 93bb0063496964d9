//! A few histories in every run of the tests; `cargo run --release -p storm` plays as many as one likes.

use storm::{Bug, History, run};

#[test]
fn histories_in_bad_weather_end_well() {
    for seed in 1..4 {
        let ending = run(&History::of(seed), None, None);
        assert_eq!(
            ending.wrongs,
            Vec::<String>::new(),
            "tell its story with: cargo run --release -p storm -- --seeds {seed}"
        );
    }
}

#[test]
fn the_same_seed_tells_the_same_story() {
    let [one, other] = [2, 2].map(|seed| run(&History::of(seed), None, None).story);
    assert!(one.len() > 20, "hardly anything happened: {one:?}");
    assert_eq!(one, other);
}

#[test]
fn a_bug_that_is_planted_is_noticed() {
    let history = History::of(2);
    assert_eq!(run(&history, None, None).wrongs, Vec::<String>::new());
    let wrongs = run(&history, Some(Bug::MailForgotten), None).wrongs;
    assert!(
        wrongs.iter().any(|wrong| wrong.contains("the mail")),
        "{wrongs:?}"
    );
}
