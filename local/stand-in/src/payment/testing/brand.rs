//! Brands, and the networks that a card can be charged over.

/// A card's `brand`, as the API calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Brand {
    Amex,
    Diners,
    Discover,
    Jcb,
    Mastercard,
    Unionpay,
    /// One that Stripe has no name for, such as Carnet.
    Unknown,
    Visa,
}

impl Brand {
    /// `brand` of a payment method or a charge.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Amex => "amex",
            Self::Diners => "diners",
            Self::Discover => "discover",
            Self::Jcb => "jcb",
            Self::Mastercard => "mastercard",
            Self::Unionpay => "unionpay",
            Self::Unknown => "unknown",
            Self::Visa => "visa",
        }
    }

    /// `display_brand` of a payment method: some brands have a longer name there.
    pub(crate) fn displayed(self) -> &'static str {
        match self {
            Self::Amex => "american_express",
            Self::Diners => "diners_club",
            Self::Unionpay => "union_pay",
            Self::Unknown => "other",
            _ => self.as_str(),
        }
    }

    /// `brand` of the sources and tokens of old integrations.
    pub(crate) fn legacy(self) -> &'static str {
        match self {
            Self::Amex => "American Express",
            Self::Diners => "Diners Club",
            Self::Discover => "Discover",
            Self::Jcb => "JCB",
            Self::Mastercard => "MasterCard",
            Self::Unionpay => "UnionPay",
            Self::Unknown => "Unknown",
            Self::Visa => "Visa",
        }
    }

    /// How many digits the security code has.
    pub(crate) fn cvc_digits(self) -> usize {
        match self {
            Self::Amex => 4,
            _ => 3,
        }
    }
}

/// A domestic network that shares a card with an international brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cobrand {
    CartesBancaires,
    EftposAu,
}

impl Cobrand {
    /// Its name in `networks.available`, and in a charge's `network`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::CartesBancaires => "cartes_bancaires",
            Self::EftposAu => "eftpos_au",
        }
    }

    /// Its `display_brand`, on cards whose owner prefers it.
    pub(crate) fn displayed(self) -> &'static str {
        match self {
            Self::CartesBancaires => "cartes_bancaires",
            Self::EftposAu => "eftpos_australia",
        }
    }
}

/// Whose money a card spends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Funding {
    Credit,
    Debit,
    Prepaid,
}

impl Funding {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::Prepaid => "prepaid",
        }
    }
}
