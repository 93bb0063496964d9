//! All test cards of Stripe's page [Testing](https://docs.stripe.com/testing), in its order.

use crate::payment::testing::brand::{Brand, Cobrand, Funding};
use crate::payment::testing::card::{Afterwards, Issuer, Refunds, TestCard};
use crate::payment::testing::checks::{Check, Checks};
use crate::payment::testing::claim::{Claim, ClaimKind, Prevention};
use crate::payment::testing::decline::{self, Decline};
use crate::payment::testing::radar::{Risk, Signal};
use crate::payment::testing::three_d_secure::{Enrollment, Lookup};

/// The card with this number, however it is spaced.
pub(crate) fn by_number(number: &str) -> Option<&'static TestCard> {
    let digits: String = number
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    all().find(|card| card.number == digits)
}

/// Every test card.
pub(crate) fn all() -> impl Iterator<Item = &'static TestCard> {
    [
        BRANDS,
        COBRANDS,
        COUNTRIES,
        BENEFITS,
        DECLINES,
        FRAUD,
        DISPUTES,
        PREVENTION,
        REFUNDS,
        BALANCE,
        THREE_D_SECURE,
        CAPTCHA,
        IN_PERSON,
        EARLIER,
        NAMED_ONLY,
    ]
    .into_iter()
    .flatten()
}

/// "Simulate a payment by card brand".
pub(crate) static BRANDS: &[TestCard] = &[
    us_visa("4242424242424242"),
    us_visa("4000056655665556").debit(),
    us("5555555555554444", Brand::Mastercard),
    us("2223003122003222", Brand::Mastercard),
    us("5200828282828210", Brand::Mastercard).debit(),
    us("5105105105105100", Brand::Mastercard).prepaid(),
    us("378282246310005", Brand::Amex).enrolled(Enrollment::NotSupported),
    us("371449635398431", Brand::Amex),
    us("6011111111111117", Brand::Discover),
    us("6011000990139424", Brand::Discover),
    us("6011981111111113", Brand::Discover).debit(),
    us("3056930009020004", Brand::Diners),
    us("36227206271667", Brand::Diners),
    // BCcard and DinaCard, which the Discover network carries.
    card("6555900000604105", Brand::Discover, "KR"),
    card("3566002020360505", Brand::Jcb, "JP"),
    card("6200000000000005", Brand::Unionpay, "CN"),
    card("6200000000000047", Brand::Unionpay, "CN").debit(),
    card("6205500000000000004", Brand::Unionpay, "CN"),
];

/// The co-branded cards below the brands.
pub(crate) static COBRANDS: &[TestCard] = &[
    visa("4000002500001001", "FR").with(Cobrand::CartesBancaires),
    card("5555552500001001", Brand::Mastercard, "FR").with(Cobrand::CartesBancaires),
    visa("4000050360000001", "AU")
        .debit()
        .with(Cobrand::EftposAu),
    card("5555050360000080", Brand::Mastercard, "AU")
        .debit()
        .with(Cobrand::EftposAu),
];

/// "Simulate a payment by country": the United States are among the brands.
pub(crate) static COUNTRIES: &[TestCard] = &[
    visa("4000000320000021", "AR"),
    visa("4000000760000002", "BR"),
    visa("4000001240000000", "CA"),
    visa("4000001520000001", "CL"),
    visa("4000001700000003", "CO"),
    visa("4000001880000005", "CR"),
    visa("4000002180000000", "EC"),
    visa("4000004840008001", "MX"),
    // Carnet.
    card("5062210000000009", Brand::Unknown, "MX"),
    visa("4000005910000000", "PA"),
    visa("4000006000000066", "PY"),
    visa("4000006040000068", "PE"),
    visa("4000008580000003", "UY"),
    visa("4000007840000001", "AE"),
    card("5200007840000022", Brand::Mastercard, "AE"),
    visa("4000000400000008", "AT"),
    visa("4000000560000004", "BE"),
    visa("4000001000000000", "BG"),
    visa("4000001120000005", "BY"),
    visa("4000001910000009", "HR"),
    visa("4000001960000008", "CY"),
    visa("4000002030000002", "CZ"),
    visa("4000002080000001", "DK"),
    visa("4000002330000009", "EE"),
    visa("4000002460000001", "FI"),
    visa("4000002500000003", "FR"),
    visa("4000002760000016", "DE"),
    visa("4000002920000005", "GI"),
    visa("4000003000000030", "GR"),
    visa("4000003480000005", "HU"),
    visa("4000003720000005", "IE"),
    visa("4000003800000008", "IT"),
    visa("4000004280000005", "LV"),
    visa("4000004380000004", "LI"),
    visa("4000004400000000", "LT"),
    visa("4000004420000006", "LU"),
    visa("4000004700000007", "MT"),
    visa("4000005280000002", "NL"),
    visa("4000005780000007", "NO"),
    visa("4000006160000005", "PL"),
    visa("4000006200000007", "PT"),
    visa("4000006420000001", "RO"),
    visa("4000006820000007", "SA"),
    visa("4000007050000006", "SI"),
    visa("4000007030000001", "SK"),
    visa("4000007240000007", "ES"),
    visa("4000007520000008", "SE"),
    visa("4000007560000009", "CH"),
    visa("4000008260000000", "GB"),
    visa("4000058260000005", "GB").debit(),
    card("5555558265554449", Brand::Mastercard, "GB"),
    visa("4000000360000006", "AU"),
    visa("4000001560000002", "CN"),
    visa("4000003440000004", "HK"),
    visa("4000003560000008", "IN"),
    visa("4000003920000003", "JP"),
    card("3530111333300000", Brand::Jcb, "JP"),
    visa("4000004580000002", "MY"),
    visa("4000005540000008", "NZ"),
    visa("4000007020000003", "SG"),
    visa("4000001580000008", "TW"),
    visa("4000007640000003", "TH"),
    visa("4000057640000008", "TH").debit(),
];

/// "Simulate an HSA or FSA card payment". One Visa stands for both kinds of account.
pub(crate) static BENEFITS: &[TestCard] = &[
    us_visa("4000051230000072").debit(),
    us("5200828282828897", Brand::Mastercard).debit(),
];

/// "Simulate a declined payment". The number that the page has besides these, 4242424242424241, is not
/// a card's: it fails the Luhn check.
pub(crate) static DECLINES: &[TestCard] = &[
    us_visa("4000000000000002").declines(decline::GENERIC),
    us_visa("4000000000009995").declines(decline::INSUFFICIENT_FUNDS),
    us_visa("4000000000009987").declines(decline::LOST_CARD),
    us_visa("4000000000009979").declines(decline::STOLEN_CARD),
    us_visa("4000000000000069").declines(decline::EXPIRED_CARD),
    us_visa("4000000000000127").declines(decline::INCORRECT_CVC),
    us_visa("4000000000000119").declines(decline::PROCESSING_ERROR),
    us_visa("4000000000006975").declines(decline::VELOCITY_EXCEEDED),
    us_visa("4000000000000341").issued(Issuer::DeclinesCustomers(decline::GENERIC)),
];

/// "Fraud prevention".
pub(crate) static FRAUD: &[TestCard] = &[
    us_visa("4100000000000019").risks(Risk::HIGHEST.with(Signal::Blocked)),
    us_visa("4000000000004954").risks(Risk::HIGHEST),
    us_visa("4000000000009235").risks(Risk::ELEVATED),
    us_visa("4000008400000407").risks(Risk::NORMAL.with(Signal::LikelyFraudDispute)),
    us_visa("4000008400000159").risks(Risk::NORMAL.with(Signal::LikelyFraudWarning)),
    us_visa("4000008400001017").risks(Risk::NORMAL.with(Signal::DynamicThreshold)),
    us_visa("4000008405600003")
        .risks(Risk::NORMAL.with(Signal::Adaptive3ds))
        .enrolled(Enrollment::Supported(Lookup::Challenge)),
    us_visa("4000000000000101").checked(CVC_FAILS),
    us_visa("4000000000000036").checked(POSTAL_CODE_FAILS),
    us_visa("4000058400307872")
        .debit()
        .checked(CVC_FAILS)
        .risks(Risk::ELEVATED),
    us_visa("4000058400306072")
        .debit()
        .checked(POSTAL_CODE_FAILS)
        .risks(Risk::ELEVATED),
    us_visa("4000000000000028").checked(Checks {
        line1: Check::Fail,
        ..Checks::PASS
    }),
    us_visa("4000000000000010").checked(Checks {
        line1: Check::Fail,
        ..POSTAL_CODE_FAILS
    }),
    us_visa("4000000000000044").checked(Checks {
        postal_code: Check::Unavailable,
        line1: Check::Unavailable,
        ..Checks::PASS
    }),
];

const CVC_FAILS: Checks = Checks {
    cvc: Check::Fail,
    ..Checks::PASS
};

const POSTAL_CODE_FAILS: Checks = Checks {
    postal_code: Check::Fail,
    ..Checks::PASS
};

/// "Simulate a dispute".
pub(crate) static DISPUTES: &[TestCard] = &[
    us_visa("4000000000000259").disputed(&[claim(ClaimKind::Chargeback, "fraudulent")]),
    us_visa("4000000000002685").disputed(&[claim(ClaimKind::Chargeback, "product_not_received")]),
    us_visa("4000000000001976").disputed(&[claim(ClaimKind::Inquiry, "fraudulent")]),
    us_visa("4000000000005423").then(Afterwards::Warned("made_with_stolen_card")),
    // The page says "multiple times": twice here.
    visa("4000000404000079", "AT").disputed(&[
        claim(ClaimKind::Chargeback, "fraudulent"),
        claim(ClaimKind::Chargeback, "fraudulent"),
    ]),
    visa("4000000404000038", "AT")
        .disputed(&[claim(ClaimKind::VisaCompellingEvidence3, "fraudulent")]),
    us_visa("4000008400000779").disputed(&[claim(ClaimKind::VisaCompliance, "noncompliant")]),
    us("5105008400000002", Brand::Mastercard)
        .disputed(&[claim(ClaimKind::MastercardCompliance, "noncompliant")]),
    us_visa("4000000001000043").disputed(&[claim(ClaimKind::SmartDispute, "fraudulent")]),
];

/// "Dispute prevention".
pub(crate) static PREVENTION: &[TestCard] = &[
    visa("4000000404004816", "AT").disputed(&[claim(
        ClaimKind::Preventable(Prevention::VisaRapidDisputeResolution),
        "fraudulent",
    )]),
    visa("4000000404005649", "AT").disputed(&[claim(
        ClaimKind::Preventable(Prevention::VerifiCompellingEvidence3),
        "fraudulent",
    )]),
    us("5105000300000018", Brand::Mastercard).disputed(&[claim(
        ClaimKind::Preventable(Prevention::EthocaAlert),
        "fraudulent",
    )]),
];

/// "Simulate an asynchronous refund".
pub(crate) static REFUNDS: &[TestCard] = &[
    us_visa("4000000000007726").then(Afterwards::Refunds(Refunds::SucceedLater)),
    us_visa("4000000000005126").then(Afterwards::Refunds(Refunds::FailLater)),
];

/// "Send funds to your available balance".
pub(crate) static BALANCE: &[TestCard] = &[
    us_visa("4000000000000077").then(Afterwards::BypassesPending),
    visa("4000003720000278", "IE").then(Afterwards::BypassesPending),
];

/// "Test 3D Secure authentication": the cards that are supported but not enrolled, or not supported,
/// are among the brands.
pub(crate) static THREE_D_SECURE: &[TestCard] = &[
    visa("4000002500003155", "FR").enrolled(Enrollment::RequiredUnlessSetUp),
    visa("4000002760003184", "DE").enrolled(Enrollment::Required(Lookup::Challenge)),
    visa("4000003800000446", "IT").enrolled(Enrollment::AlreadySetUp),
    visa("4000008260003178", "GB")
        .enrolled(Enrollment::RequiredUnlessSetUp)
        .issued(Issuer::DeclinesPayments(decline::INSUFFICIENT_FUNDS)),
    visa("4000000000003220", "IE").enrolled(Enrollment::Required(Lookup::Challenge)),
    us_visa("4000008400000027").enrolled(Enrollment::Required(Lookup::Challenge)),
    us_visa("4000008400001629")
        .enrolled(Enrollment::Required(Lookup::Challenge))
        .issued(Issuer::DeclinesPayments(decline::GENERIC)),
    us_visa("4000008400001280").enrolled(Enrollment::Required(Lookup::Error)),
    us_visa("4000000000003055").enrolled(Enrollment::Supported(Lookup::Challenge)),
    us_visa("4000000000003097").enrolled(Enrollment::Supported(Lookup::Error)),
    us_visa("4000000032200000").enrolled(Enrollment::Required(Lookup::Frictionless)),
    // Each shows a challenge of its own in an app: out of band, one-time passcode, single select,
    // multiple select. In browsers and over the API they are all alike.
    mobile("4000582600000094"),
    mobile("4000582600000045"),
    mobile("4000582600000102"),
    mobile("4000582600000110"),
];

/// "Simulate a captcha challenge".
pub(crate) static CAPTCHA: &[TestCard] = &[
    us_visa("4000000000001208").captcha(),
    us_visa("4000000000003725").captcha(),
];

/// "Simulate an in-person payment with a PIN". There is no reader here to ask for one, so they are
/// like any other card of their country.
pub(crate) static IN_PERSON: &[TestCard] = &[
    visa("4001007020000002", "SG"),
    visa("4000008260000075", "GB"),
    visa("4001000360000005", "AU"),
    visa("4000002760000008", "DE"),
];

/// Cards of earlier editions of the page, which older test suites use, and one of the page
/// [Multicapture](https://docs.stripe.com/payments/multicapture).
pub(crate) static EARLIER: &[TestCard] = &[
    us_visa("4012888888881881"),
    us("30569309025904", Brand::Diners),
    us("38520000023237", Brand::Diners),
    us_visa("4000000000000093"),
    us_visa("4000000000003063").enrolled(Enrollment::Required(Lookup::Challenge)),
    us_visa("4000008400000076"),
];

/// Cards that Stripe gives a token's name and no number: the numbers are the stand-in's own.
pub(crate) static NAMED_ONLY: &[TestCard] = &[
    us_visa("4000058400000014")
        .debit()
        .declines(decline::INSUFFICIENT_FUNDS),
    us_visa("4000008400009978").issued(Issuer::DeclinesCustomers(decline::LOST_CARD)),
    us_visa("4000008400009986").issued(Issuer::DeclinesCustomers(decline::STOLEN_CARD)),
];

/// A credit card whose payments succeed, and nothing comes of them.
const fn card(number: &'static str, brand: Brand, country: &'static str) -> TestCard {
    TestCard {
        number,
        brand,
        cobrand: None,
        funding: Funding::Credit,
        country,
        issuer: Issuer::Approves(Afterwards::Nothing),
        risk: Risk::NORMAL,
        checks: Checks::PASS,
        enrollment: Enrollment::Acknowledges,
        captcha: false,
    }
}

const fn us(number: &'static str, brand: Brand) -> TestCard {
    card(number, brand, "US")
}

const fn visa(number: &'static str, country: &'static str) -> TestCard {
    card(number, Brand::Visa, country)
}

const fn us_visa(number: &'static str) -> TestCard {
    visa(number, "US")
}

const fn mobile(number: &'static str) -> TestCard {
    visa(number, "GB")
        .debit()
        .enrolled(Enrollment::Required(Lookup::Challenge))
}

const fn claim(kind: ClaimKind, reason: &'static str) -> Claim {
    Claim { kind, reason }
}

impl TestCard {
    const fn debit(self) -> Self {
        Self {
            funding: Funding::Debit,
            ..self
        }
    }

    const fn prepaid(self) -> Self {
        Self {
            funding: Funding::Prepaid,
            ..self
        }
    }

    const fn with(self, cobrand: Cobrand) -> Self {
        Self {
            cobrand: Some(cobrand),
            ..self
        }
    }

    const fn issued(self, issuer: Issuer) -> Self {
        Self { issuer, ..self }
    }

    const fn declines(self, decline: Decline) -> Self {
        self.issued(Issuer::Declines(decline))
    }

    const fn then(self, afterwards: Afterwards) -> Self {
        self.issued(Issuer::Approves(afterwards))
    }

    const fn disputed(self, claims: &'static [Claim]) -> Self {
        self.then(Afterwards::Disputed(claims))
    }

    const fn risks(self, risk: Risk) -> Self {
        Self { risk, ..self }
    }

    const fn checked(self, checks: Checks) -> Self {
        Self { checks, ..self }
    }

    const fn enrolled(self, enrollment: Enrollment) -> Self {
        Self { enrollment, ..self }
    }

    const fn captcha(self) -> Self {
        Self {
            captcha: true,
            ..self
        }
    }
}
