//! What one buyer holds: purchases that wait for payment, and the pieces of limited stock reserved
//! for them. Anybody can sign in, so this is bounded.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Purchase, PurchaseId, Status};

/// What one purchase keeps for its buyer until it is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Pieces of limited stock.
    pub pieces: u32,
    /// When it stops counting, in Unix seconds, so that nothing that goes wrong can lock a buyer
    /// out.
    pub until: i64,
    /// The buyer has done their part, and the money is on its way: the purchase is no longer open,
    /// but its stock is neither sold nor returned.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

impl Purchase {
    /// What it keeps for its buyer until it is decided.
    pub fn hold(&self) -> Option<Hold> {
        /// Longer than any delayed payment takes: Boleto's vouchers last 60 days at most.
        const LONGEST_PENDING: i64 = 65 * 24 * 3600;
        let reserved = self.order.reserved().map(|(_, quantity)| quantity);
        let pieces = match self.stock_returned {
            true => 0,
            false => reserved.fold(0, u32::saturating_add),
        };
        let pending = self.status() == Status::Pending;
        if pending && pieces > 0 {
            let until = self.attempt.expires_at.saturating_add(LONGEST_PENDING);
            return Some(Hold {
                pieces,
                until,
                pending,
            });
        }
        self.awaits_payment().then(|| Hold {
            pieces,
            until: self.attempt.is_over_at(),
            pending,
        })
    }
}

/// How much one buyer may hold.
#[derive(Clone, Copy, Debug)]
pub struct HoldLimits {
    /// Open purchases.
    pub purchases: u32,
    /// Pieces of limited stock, in all their undecided purchases together.
    pub pieces: u32,
}

/// Why a buyer may not hold more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooMuch {
    /// They have this many open purchases, and may not have more.
    #[error("{0} purchases are open")]
    Open(u32),
    /// They may reserve this many pieces, and this purchase would exceed that.
    #[error("more than {0} pieces of limited stock would be reserved")]
    Reserved(u32),
}

/// Everything that one buyer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Holds(BTreeMap<PurchaseId, Hold>);

impl Holds {
    /// Adds a purchase if the limits allow it. Whatever no longer counts is dropped.
    pub fn add(
        &mut self,
        id: PurchaseId,
        hold: Hold,
        limits: HoldLimits,
        now: i64,
    ) -> Result<(), TooMuch> {
        self.0.retain(|_, hold| hold.until > now);
        let open = self.0.values().filter(|hold| !hold.pending).count();
        if u32::try_from(open).is_ok_and(|open| open < limits.purchases) {
            let held = self.0.values().map(|hold| u64::from(hold.pieces));
            let pieces = held.sum::<u64>().saturating_add(hold.pieces.into());
            if hold.pieces > 0 && pieces > limits.pieces.into() {
                return Err(TooMuch::Reserved(limits.pieces));
            }
            self.0.insert(id, hold);
            return Ok(());
        }
        Err(TooMuch::Open(limits.purchases))
    }

    /// The purchases that wait for their buyer, newest first.
    pub fn open(&self, now: i64) -> impl Iterator<Item = PurchaseId> {
        let newest_first = self.0.iter().rev();
        newest_first
            .filter(move |(_, hold)| !hold.pending && hold.until > now)
            .map(|(id, _)| *id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use time::OffsetDateTime;

    use super::*;

    const LIMITS: HoldLimits = HoldLimits {
        purchases: 3,
        pieces: 5,
    };

    fn hold() -> impl Strategy<Value = Hold> {
        (0_u32..4, 0_i64..100, any::<bool>()).prop_map(|(pieces, until, pending)| Hold {
            pieces,
            until,
            pending,
        })
    }

    fn new_id() -> PurchaseId {
        PurchaseId::new(OffsetDateTime::UNIX_EPOCH)
    }

    fn counted(holds: &Holds, now: i64) -> (usize, u32) {
        let counts = holds.0.values().filter(|hold| hold.until > now);
        let open = counts.clone().filter(|hold| !hold.pending).count();
        (open, counts.map(|hold| hold.pieces).sum())
    }

    proptest! {
        #[test]
        fn a_buyer_never_holds_more_than_the_limits(
            wanted in prop::collection::vec((0_u32..7, 1_i64..20), 0..30)
        ) {
            let (mut holds, mut now) = (Holds::default(), 0_i64);
            for (pieces, lasts) in wanted {
                let before = holds.clone();
                let hold = Hold { pieces, until: now.saturating_add(lasts), pending: false };
                let added = holds.add(new_id(), hold, LIMITS, now);
                let (open, held) = counted(&holds, now);
                prop_assert!(open <= 3 && held <= 5);
                // A refusal means that they would have held too much.
                let (open, held) = counted(&before, now);
                match added {
                    Ok(()) => {}
                    Err(TooMuch::Open(_)) => prop_assert_eq!(open, 3),
                    Err(TooMuch::Reserved(_)) => prop_assert!(held.saturating_add(pieces) > 5),
                }
                now = now.saturating_add(2);
            }
        }

        #[test]
        fn holds_that_are_over_do_not_count(old in prop::collection::vec(hold(), 0..30)) {
            let old = old.into_iter().map(|hold| (new_id(), hold));
            let mut holds = Holds(old.collect());
            let hold = Hold { pieces: 5, until: 200, pending: false };
            prop_assert_eq!(holds.open(100).count(), 0);
            prop_assert_eq!(holds.add(new_id(), hold, LIMITS, 100), Ok(()));
        }
    }

    #[test]
    fn what_is_open_is_listed_newest_first_until_its_time_is_over() {
        let mut holds = Holds::default();
        let [first, second] = [1, 2]
            .map(|second| PurchaseId::new(OffsetDateTime::from_unix_timestamp(second).unwrap()));
        let hold = Hold {
            pieces: 0,
            until: 100,
            pending: false,
        };
        assert_eq!(holds.add(first, hold, LIMITS, 0), Ok(()));
        assert_eq!(holds.add(second, hold, LIMITS, 0), Ok(()));
        let open = |now| holds.open(now).collect::<Vec<_>>();
        assert_eq!(open(99), [second, first]);
        assert_eq!(open(100), []);
    }

    #[test]
    fn whoever_holds_more_than_a_lowered_limit_may_still_buy_what_has_none() {
        let mut holds = Holds::default();
        let hold = |pieces| Hold {
            pieces,
            until: 100,
            pending: false,
        };
        holds.0.insert(new_id(), hold(6));
        assert_eq!(
            holds.add(new_id(), hold(1), LIMITS, 0),
            Err(TooMuch::Reserved(5))
        );
        assert_eq!(holds.add(new_id(), hold(0), LIMITS, 0), Ok(()));
    }

    #[test]
    fn a_payment_on_its_way_keeps_its_pieces_and_is_not_open() {
        let mut holds = Holds::default();
        let pending = Hold {
            pieces: 4,
            until: 100,
            pending: true,
        };
        holds.0.insert(new_id(), pending);
        assert_eq!(holds.open(0).count(), 0);
        let open = |pieces| Hold {
            pieces,
            until: 100,
            pending: false,
        };
        let mut add = |pieces| holds.add(new_id(), open(pieces), LIMITS, 0);
        assert_eq!(add(2), Err(TooMuch::Reserved(5)));
        assert_eq!(add(1), Ok(()));
        // Products without a limit can still be bought.
        assert_eq!(add(0), Ok(()));
        assert_eq!(add(0), Ok(()));
        assert_eq!(add(0), Err(TooMuch::Open(3)));
    }
}
