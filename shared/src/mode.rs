//! Stripe's two worlds.

/// In test mode no money moves, and mail goes only to the developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Test cards.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// The mode of an object with this `livemode`.
    pub fn of(livemode: bool) -> Self {
        if livemode { Self::Live } else { Self::Test }
    }

    /// As Stripe's `livemode` says it.
    pub fn livemode(self) -> bool {
        self == Self::Live
    }
}
