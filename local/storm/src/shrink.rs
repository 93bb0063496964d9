//! A shorter history that ends as badly.

use crate::bug::Bug;
use crate::history::History;
use crate::run::run;
use crate::version::Version;

/// Leaves out visits, what follows them, and troubles, one after the other, as long as it ends badly
/// without them.
pub(crate) fn shortest(history: &History, bug: Option<Bug>, earlier: Option<Version>) -> History {
    let mut shortest = history.clone();
    loop {
        let shorter = shorter(&shortest)
            .into_iter()
            .find(|one| !run(one, bug, earlier).wrongs.is_empty());
        match shorter {
            Some(shorter) => shortest = shorter,
            None => return shortest,
        }
    }
}

/// Every history that is shorter by one thing; what leaves out most comes first.
fn shorter(history: &History) -> Vec<History> {
    let mut all = Vec::new();
    for number in 0..history.visits.len() {
        let mut one = history.clone();
        one.visits.remove(number);
        all.push(one);
    }
    for number in 0..history.memberships.len() {
        let mut one = history.clone();
        one.memberships.remove(number);
        all.push(one);
    }
    for number in 0..history.restocks.len() {
        let mut one = history.clone();
        one.restocks.remove(number);
        all.push(one);
    }
    if history.rollout.is_some() {
        let mut one = history.clone();
        one.rollout = None;
        all.push(one);
    }
    for trouble in history.weather.troubles() {
        all.push(History {
            weather: history.weather.without(trouble),
            ..history.clone()
        });
    }
    for (number, membership) in history.memberships.iter().enumerate() {
        for turn in 0..membership.turns.len() {
            let mut one = history.clone();
            one.memberships[number].turns.remove(turn);
            all.push(one);
        }
    }
    for (number, visit) in history.visits.iter().enumerate() {
        for later in 0..visit.later.len() {
            let mut one = history.clone();
            one.visits[number].later.remove(later);
            all.push(one);
        }
        for line in 0..visit.cart.len() {
            let mut one = history.clone();
            one.visits[number].cart.remove(line);
            if !one.visits[number].cart.is_empty() {
                all.push(one);
            }
        }
    }
    all
}
