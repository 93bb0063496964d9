//! What Stripe does for the shop besides taking the money: reckoning the tax, and writing invoices.

use std::fmt;

use fastrand::Rng;

/// The shop's settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Billing {
    taxed: bool,
    invoices: bool,
}

impl Billing {
    /// Drawn by itself, so that histories are otherwise what they were before there was any of it.
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut dice = Rng::with_seed(seed.rotate_left(48));
        Self {
            taxed: dice.u32(..3) == 0,
            invoices: dice.u32(..3) == 0,
        }
    }

    /// As variables of the functions.
    pub(crate) fn settings(self) -> [(&'static str, &'static str); 2] {
        let switch = |is_on| if is_on { "true" } else { "false" };
        [
            ("AUTOMATIC_TAX", switch(self.taxed)),
            ("INVOICE_CREATION", switch(self.invoices)),
        ]
    }
}

impl fmt::Display for Billing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match (self.taxed, self.invoices) {
            (true, true) => "Stripe reckons the tax, and writes invoices",
            (true, false) => "Stripe reckons the tax",
            (false, true) => "Stripe writes invoices",
            (false, false) => "Stripe takes the money, and that is all",
        })
    }
}
