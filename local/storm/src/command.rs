//! The command: plays histories, and tells the shortest story of the first that ends badly.

use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;

use crate::bug::Bug;
use crate::history::History;
use crate::run::run;
use crate::shrink::shortest;
use crate::story::with_logs;
use crate::version::Version;

/// Plays simulated histories of the shop in bad weather
#[derive(Parser)]
#[command(name = "storm")]
struct Arguments {
    /// Which histories: a seed, or a range such as 1..1000, whose end is not played
    #[arg(long, default_value = "1..101", value_parser = seeds)]
    seeds: Range<u64>,
    /// Tell what happens, even if it ends well
    #[arg(long)]
    story: bool,
    /// Tell the story of a bad end as it is, without looking for a shorter one
    #[arg(long)]
    no_shrink: bool,
    /// Play a shop that has this bug
    #[arg(long, value_enum)]
    bug: Option<Bug>,
    /// Plant one bug after the other, and say which seed is the first to notice it
    #[arg(long, conflicts_with_all = ["story", "no_shrink", "bug"])]
    bugs: bool,
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
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

/// Does what the command line says, with an earlier version of the code if there is one.
pub fn main(earlier: Option<Version>) -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.bugs {
        true => plant(&arguments.seeds, earlier),
        false => play(arguments, earlier),
    }
}

/// The history that a seed stands for.
fn history(seed: u64, earlier: Option<Version>) -> History {
    match earlier {
        Some(_) => History::with_earlier_version(seed),
        None => History::of(seed),
    }
}

fn play(arguments: Arguments, earlier: Option<Version>) -> ExitCode {
    let Arguments {
        seeds, story, bug, ..
    } = arguments;
    if story {
        with_logs();
    }
    let (began, mut played) = (Instant::now(), 0_u32);
    let (mut purchases, mut sent_twice) = (0_usize, 0_u32);
    for seed in seeds {
        let history = history(seed, earlier);
        let ending = run(&history, bug, earlier);
        played = played.saturating_add(1);
        purchases = ending.purchases.saturating_add(purchases);
        sent_twice = ending.sent_twice.saturating_add(sent_twice);
        if story {
            println!("Seed {seed}. {history}");
            ending.story.iter().for_each(|line| println!("{line}"));
        }
        if !ending.wrongs.is_empty() {
            println!("Seed {seed} ends badly.");
            let shortest = match arguments.no_shrink {
                true => history,
                false => shortest(&history, bug, earlier),
            };
            tell(&shortest, bug, earlier);
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

/// The story of a history that ends badly.
fn tell(history: &History, bug: Option<Bug>, earlier: Option<Version>) {
    with_logs();
    let ending = run(history, bug, earlier);
    println!("{history}");
    ending.story.iter().for_each(|line| println!("{line}"));
    println!();
    ending
        .wrongs
        .iter()
        .for_each(|wrong| println!("WRONG: {wrong}"));
}

/// Which seed is the first to notice each bug.
fn plant(seeds: &Range<u64>, earlier: Option<Version>) -> ExitCode {
    let mut all_noticed = true;
    for bug in Bug::all() {
        let noticed = seeds.clone().find(|seed| {
            !run(&history(*seed, earlier), Some(*bug), earlier)
                .wrongs
                .is_empty()
        });
        match noticed {
            Some(seed) => println!("{bug:?}: seed {seed} notices it"),
            None => {
                all_noticed = false;
                println!("{bug:?}: no seed of {seeds:?} notices it");
            }
        }
    }
    match all_noticed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
