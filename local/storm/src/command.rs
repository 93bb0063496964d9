//! The command: plays histories, and tells the shortest story of the first that ends badly.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::{ControlFlow, Range};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Instant;

use clap::Parser;

use crate::bug::Bug;
use crate::history::History;
use crate::run::{Ending, run};
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
    /// Plant each of the bugs, and say which seed is the first to notice it
    #[arg(long, conflicts_with_all = ["story", "no_shrink", "bug"])]
    bugs: bool,
    /// How many histories to play at once, each in one thread: unless given, one for each processor
    #[arg(long, short, default_value_t = processors(), hide_default_value = true)]
    jobs: NonZeroUsize,
}

fn processors() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
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
        true => plant(&arguments, earlier),
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
        seeds,
        story,
        bug,
        jobs,
        ..
    } = arguments;
    if story {
        with_logs();
    }
    let (began, mut played) = (Instant::now(), 0_u32);
    let (mut purchases, mut sent_twice) = (0_usize, 0_u32);
    let ending_of = |seed| run(&history(seed, earlier), bug, earlier);
    let bad = side_by_side(seeds, jobs, ending_of, |seed, ending: Ending| {
        played = played.saturating_add(1);
        purchases = ending.purchases.saturating_add(purchases);
        sent_twice = ending.sent_twice.saturating_add(sent_twice);
        if story {
            println!("Seed {seed}. {}", history(seed, earlier));
            ending.story.iter().for_each(|line| println!("{line}"));
        }
        match ending.wrongs.is_empty() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(seed),
        }
    });
    if let Some(seed) = bad {
        println!("Seed {seed} ends badly.");
        let history = history(seed, earlier);
        let shortest = match arguments.no_shrink {
            true => history,
            false => shortest(&history, bug, earlier),
        };
        tell(&shortest, bug, earlier);
        return ExitCode::FAILURE;
    }
    let took = began.elapsed().as_secs_f64();
    println!(
        "{played} histories with {purchases} purchases ended well, {:.1} a second; {sent_twice} mails \
         were sent twice, as mails may be",
        f64::from(played) / took
    );
    ExitCode::SUCCESS
}

/// Plays all of these, as many as `jobs` at once, and hands on what comes of each, in their order,
/// until one is enough. Returns why. If one panics, so does this, when it is its turn.
fn side_by_side<It: Copy + Send, Is: Send, Why>(
    all: impl Iterator<Item = It> + Send,
    jobs: NonZeroUsize,
    play: impl Fn(It) -> Is + Sync,
    mut hand_on: impl FnMut(It, Is) -> ControlFlow<Why>,
) -> Option<Why> {
    let (waiting, play) = (&Mutex::new(all.enumerate()), &play);
    let next = || waiting.lock().expect("nobody panics here").next();
    thread::scope(|threads| {
        let (played, all) = mpsc::channel();
        for _ in 0..jobs.get() {
            let played = played.clone();
            threads.spawn(move || {
                while let Some((place, it)) = next() {
                    let what = panic::catch_unwind(AssertUnwindSafe(|| play(it)));
                    // Nobody listens once one was enough.
                    if played.send((place, (it, what))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(played);
        let (mut turn, mut early) = (0_usize, BTreeMap::new());
        for (place, what) in all {
            early.insert(place, what);
            while let Some((it, what)) = early.remove(&turn) {
                let what = what.unwrap_or_else(|panic| panic::resume_unwind(panic));
                if let ControlFlow::Break(why) = hand_on(it, what) {
                    return Some(why);
                }
                turn = turn.saturating_add(1);
            }
        }
        None
    })
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
fn plant(arguments: &Arguments, earlier: Option<Version>) -> ExitCode {
    let Arguments { seeds, jobs, .. } = arguments;
    let noticed_by = |bug: Bug| {
        seeds.clone().find(|seed| {
            let ending = run(&history(*seed, earlier), Some(bug), earlier);
            !ending.wrongs.is_empty()
        })
    };
    let mut all_noticed = true;
    side_by_side(
        Bug::all().iter().copied(),
        *jobs,
        noticed_by,
        |bug, seed| {
            match seed {
                Some(seed) => println!("{bug:?}: seed {seed} notices it"),
                None => {
                    all_noticed = false;
                    println!("{bug:?}: no seed of {seeds:?} notices it");
                }
            }
            ControlFlow::<()>::Continue(())
        },
    );
    match all_noticed {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

    #[test]
    fn endings_are_told_in_the_order_of_their_seeds_and_none_after_a_bad_one() {
        // The first takes until the second has ended.
        let (ended, second) = mpsc::channel();
        let second = Mutex::new(second);
        let play = |seed: u64| match seed {
            1 => second.lock().unwrap().recv().unwrap(),
            2 => ended.send(()).unwrap(),
            _ => {}
        };
        let mut told = Vec::new();
        let bad = side_by_side(1..1000, TWO, play, |seed, ()| {
            told.push(seed);
            match seed {
                50 => ControlFlow::Break(seed),
                _ => ControlFlow::Continue(()),
            }
        });
        assert_eq!(bad, Some(50));
        assert!(told.iter().copied().eq(1..=50), "{told:?}");
    }

    #[test]
    fn if_all_end_well_all_are_told() {
        let mut told = Vec::new();
        let tell = |seed, ()| {
            told.push(seed);
            ControlFlow::<()>::Continue(())
        };
        assert_eq!(side_by_side(1..100, TWO, |_| (), tell), None);
        assert!(told.iter().copied().eq(1..100), "{told:?}");
    }

    #[test]
    #[should_panic(expected = "seed 3")]
    fn a_history_that_cannot_be_played_ends_it_all() {
        let play = |seed: u64| assert_ne!(seed, 3, "seed 3");
        // Without end: this comes to one only by the panic.
        side_by_side(1.., TWO, play, |_, ()| ControlFlow::<()>::Continue(()));
    }
}
