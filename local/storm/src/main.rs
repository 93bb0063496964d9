//! Plays histories, and tells the shortest story of the first that ends badly.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use storm::{History, run, shortest};

/// Plays simulated histories of the shop in bad weather
#[derive(Parser)]
#[command(name = "storm")]
struct Arguments {
    /// Which histories: a seed, or a range such as 1..1000, whose end is not played
    #[arg(long, default_value = "1..101", value_parser = seeds)]
    seeds: std::ops::Range<u64>,
    /// Tell what happens, even if it ends well
    #[arg(long)]
    story: bool,
    /// Tell the story of a bad end as it is, without looking for a shorter one
    #[arg(long)]
    no_shrink: bool,
}

fn seeds(text: &str) -> Result<std::ops::Range<u64>, String> {
    let number = |text: &str| {
        text.parse::<u64>().map_err(|_| {
            format!("{text:?} is not a seed: it is a number, or a range such as 1..1000")
        })
    };
    match text.split_once("..") {
        Some((from, to)) => Ok(number(from)?..number(to)?),
        None => number(text).map(|seed| seed..seed.saturating_add(1)),
    }
}

fn main() -> ExitCode {
    let Arguments {
        seeds,
        story,
        no_shrink,
    } = Arguments::parse();
    let (began, mut played, mut purchases, mut sent_twice) = (Instant::now(), 0_u32, 0, 0);
    for seed in seeds {
        let history = History::of(seed);
        let ending = run(&history);
        played = played.saturating_add(1);
        purchases += ending.purchases;
        sent_twice += ending.sent_twice;
        if story {
            println!("Seed {seed}. {history}");
            ending.story.iter().for_each(|line| println!("{line}"));
        }
        if !ending.wrongs.is_empty() {
            tell(&history, no_shrink);
            return ExitCode::FAILURE;
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{played} histories with {purchases} purchases ended well, {:.1} a second; {sent_twice} mails \
         were sent twice, as mails may be",
        f64::from(played) / took
    );
    ExitCode::SUCCESS
}

/// The shortest story of a history that ends badly.
fn tell(history: &History, no_shrink: bool) {
    println!("Seed {} ends badly.", history.seed);
    let shortest = match no_shrink {
        true => history.clone(),
        false => shortest(history),
    };
    let ending = run(&shortest);
    println!("{shortest}");
    ending.story.iter().for_each(|line| println!("{line}"));
    println!();
    ending
        .wrongs
        .iter()
        .for_each(|wrong| println!("WRONG: {wrong}"));
}
