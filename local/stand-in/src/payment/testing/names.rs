//! The names under which requests give test cards: `pm_card_visa`, `tok_visa`.
//!
//! Names are those of Stripe's page [Testing](https://docs.stripe.com/testing), tabs "PaymentMethods" and
//! "Tokens". Stripe does not say which of a brand's two numbers a name stands for; what its API shows
//! for `amex`, `discover` and `jcb` is the second.

use crate::payment::testing::card::TestCard;
use crate::payment::testing::cards::by_number;

/// The card that `pm_card_…` stands for.
pub(crate) fn by_payment_method(name: &str) -> Option<&'static TestCard> {
    find(name.strip_prefix("pm_card_")?, METHODS)
}

/// The card that `tok_…` stands for.
pub(crate) fn by_token(name: &str) -> Option<&'static TestCard> {
    find(name.strip_prefix("tok_")?, TOKENS)
}

fn find(name: &str, more: &'static [(&str, &str)]) -> Option<&'static TestCard> {
    let mut rows = BOTH.iter().chain(more);
    let (_, number) = rows.find(|(known, _)| *known == name)?;
    by_number(number)
}

/// Names that follow both `pm_card_` and `tok_`, and the numbers they stand for.
static BOTH: &[(&str, &str)] = &[
    // Brands.
    ("visa", "4242424242424242"),
    ("visa_debit", "4000056655665556"),
    ("mastercard", "5555555555554444"),
    ("mastercard_debit", "5200828282828210"),
    ("mastercard_prepaid", "5105105105105100"),
    ("amex", "371449635398431"),
    ("discover", "6011000990139424"),
    ("diners", "3056930009020004"),
    ("unionpay", "6200000000000005"),
    // Co-branded.
    ("visa_cartesBancaires", "4000002500001001"),
    ("mastercard_cartesBancaires", "5555552500001001"),
    ("visa_debit_eftposAuCoBranded", "4000050360000001"),
    ("mastercard_debit_eftposAuCoBranded", "5555050360000080"),
    // Countries.
    ("us", "4242424242424242"),
    ("ar", "4000000320000021"),
    ("br", "4000000760000002"),
    ("ca", "4000001240000000"),
    ("cl", "4000001520000001"),
    ("co", "4000001700000003"),
    ("cr", "4000001880000005"),
    ("ec", "4000002180000000"),
    ("mx", "4000004840008001"),
    ("pa", "4000005910000000"),
    ("py", "4000006000000066"),
    ("pe", "4000006040000068"),
    ("uy", "4000008580000003"),
    ("ae", "4000007840000001"),
    ("ae_mastercard", "5200007840000022"),
    ("at", "4000000400000008"),
    ("be", "4000000560000004"),
    ("bg", "4000001000000000"),
    ("by", "4000001120000005"),
    ("hr", "4000001910000009"),
    ("cy", "4000001960000008"),
    ("cz", "4000002030000002"),
    ("dk", "4000002080000001"),
    ("ee", "4000002330000009"),
    ("fi", "4000002460000001"),
    ("fr", "4000002500000003"),
    ("de", "4000002760000016"),
    ("gi", "4000002920000005"),
    ("gr", "4000003000000030"),
    ("hu", "4000003480000005"),
    ("ie", "4000003720000005"),
    ("it", "4000003800000008"),
    ("lv", "4000004280000005"),
    ("li", "4000004380000004"),
    ("lt", "4000004400000000"),
    ("lu", "4000004420000006"),
    ("mt", "4000004700000007"),
    ("nl", "4000005280000002"),
    ("no", "4000005780000007"),
    ("pl", "4000006160000005"),
    ("pt", "4000006200000007"),
    ("ro", "4000006420000001"),
    ("si", "4000007050000006"),
    ("sk", "4000007030000001"),
    ("es", "4000007240000007"),
    ("se", "4000007520000008"),
    ("ch", "4000007560000009"),
    ("gb", "4000008260000000"),
    ("gb_debit", "4000058260000005"),
    ("gb_mastercard", "5555558265554449"),
    ("au", "4000000360000006"),
    ("cn", "4000001560000002"),
    ("hk", "4000003440000004"),
    ("in", "4000003560000008"),
    ("jp", "4000003920000003"),
    ("jcb", "3530111333300000"),
    ("my", "4000004580000002"),
    ("nz", "4000005540000008"),
    ("sg", "4000007020000003"),
    ("tw", "4000001580000008"),
    ("th_credit", "4000007640000003"),
    ("th_debit", "4000057640000008"),
    // Declines.
    ("visa_chargeDeclined", "4000000000000002"),
    ("visa_chargeDeclinedInsufficientFunds", "4000000000009995"),
    ("visa_chargeDeclinedLostCard", "4000000000009987"),
    ("visa_chargeDeclinedStolenCard", "4000000000009979"),
    ("chargeDeclinedExpiredCard", "4000000000000069"),
    ("chargeDeclinedIncorrectCvc", "4000000000000127"),
    ("chargeDeclinedProcessingError", "4000000000000119"),
    (
        "visa_chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
    ),
    ("chargeCustomerFail", "4000000000000341"),
    // Fraud prevention.
    ("radarBlock", "4100000000000019"),
    ("riskLevelHighest", "4000000000004954"),
    ("riskLevelElevated", "4000000000009235"),
    ("highFraudDisputeScore", "4000008400000407"),
    ("highEfwScore", "4000008400000159"),
    ("radarDynamicRiskThreshold", "4000008400001017"),
    ("adaptive3dsChallenge", "4000008405600003"),
    ("cvcCheckFail", "4000000000000101"),
    ("avsZipFail", "4000000000000036"),
    ("cvcCheckFailElevatedRisk", "4000058400307872"),
    ("avsZipFailElevatedRisk", "4000058400306072"),
    ("avsLine1Fail", "4000000000000028"),
    ("avsFail", "4000000000000010"),
    ("avsUnchecked", "4000000000000044"),
    // Disputes, and their prevention.
    ("createDispute", "4000000000000259"),
    ("createDisputeProductNotReceived", "4000000000002685"),
    ("createDisputeInquiry", "4000000000001976"),
    ("createIssuerFraudRecord", "4000000000005423"),
    ("createMultipleDisputes", "4000000404000079"),
    ("createCe3EligibleDispute", "4000000404000038"),
    ("createComplianceDispute", "4000008400000779"),
    ("createMastercardComplianceDispute", "5105008400000002"),
    ("createAutoRepresentmentEligibleDispute", "4000000001000043"),
    ("createRapidDisputeResolutionDispute", "4000000404004816"),
    ("createCe3BlockDispute", "4000000404005649"),
    ("createEthocaAlert", "5105000300000018"),
    // Refunds and balance.
    ("pendingRefund", "4000000000007726"),
    ("refundFail", "4000000000005126"),
    ("bypassPending", "4000000000000077"),
    ("bypassPendingInternational", "4000003720000278"),
    // 3D Secure.
    ("threeDSecure2Required", "4000000000003220"),
    ("threeDSecureRequiredChargeDeclined", "4000008400001629"),
    ("threeDSecureRequiredProcessingError", "4000008400001280"),
    ("threeDSecureOptional", "4000000000003055"),
    ("threeDSecureOptionalProcessingError", "4000000000003097"),
    ("amex_threeDSecureNotSupported", "378282246310005"),
    // Names of earlier editions of the page.
    ("chargeDeclined", "4000000000000002"),
    ("chargeDeclinedInsufficientFunds", "4000000000009995"),
    ("chargeDeclinedFraudulent", "4100000000000019"),
    ("threeDSecureRequired", "4000000000003063"),
    ("domesticPricing", "4000000000000093"),
];

/// Names that follow `pm_card_` alone.
static METHODS: &[(&str, &str)] = &[
    ("debit_visaFsaProductCode", "4000051230000072"),
    ("debit_visaHsaProductCode", "4000051230000072"),
    (
        "mastercard_debit_mastercardFsaProductCode",
        "5200828282828897",
    ),
    ("authenticationRequiredOnSetup", "4000002500003155"),
    ("authenticationRequired", "4000002760003184"),
    (
        "authenticationRequiredSetupForOffSession",
        "4000003800000446",
    ),
    (
        "authenticationRequiredChargeDeclinedInsufficientFunds",
        "4000008260003178",
    ),
    ("credit_disableEnterpriseCardFeatures", "4000008400000076"),
];

/// Names that follow `tok_` alone.
static TOKENS: &[(&str, &str)] = &[
    (
        "visa_debit_chargeDeclinedInsufficientFunds",
        "4000058400000014",
    ),
    ("visa_chargeDeclinedExpiredCard", "4000000000000069"),
    ("visa_chargeDeclinedFraudulent", "4100000000000019"),
    ("visa_chargeDeclinedIncorrectCvc", "4000000000000127"),
    ("visa_chargeDeclinedProcessingError", "4000000000000119"),
    ("visa_chargeCustomerFail", "4000000000000341"),
    ("visa_chargeCustomerFailLostCard", "4000008400009978"),
    ("visa_chargeCustomerFailStolenCard", "4000008400009986"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::payment::testing::brand::Funding;
    use crate::payment::testing::card::{Question, TestCard};

    #[test]
    fn every_name_stands_for_a_card_and_for_one_alone() {
        for (prefix, more, lookup) in [
            (
                "pm_card_",
                METHODS,
                by_payment_method as fn(&str) -> Option<&'static TestCard>,
            ),
            ("tok_", TOKENS, by_token),
        ] {
            let names: Vec<_> = BOTH.iter().chain(more).map(|(name, _)| name).collect();
            assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
            for name in names {
                assert!(lookup(&format!("{prefix}{name}")).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn a_name_is_found_only_under_the_prefix_that_stripe_gives_it() {
        assert!(by_payment_method("pm_card_authenticationRequired").is_some());
        assert!(by_token("tok_authenticationRequired").is_none());
        assert!(by_payment_method("tok_visa").is_none());
        assert!(by_token("pm_card_visa").is_none());
        assert!(by_payment_method("pm_card_visa_chargeCustomerFail").is_none());
        assert!(by_payment_method("pm_card_").is_none());
        assert!(by_payment_method("pm_card_VISA").is_none());
    }

    #[test]
    fn a_country_is_named_by_its_own_card() {
        let country = |(name, _): &&(&str, &str)| name.len() == 2;
        for (name, number) in BOTH.iter().filter(country) {
            let card = by_number(number).unwrap();
            assert_eq!(card.country.to_lowercase(), **name);
        }
    }

    #[test]
    fn a_token_whose_number_stripe_keeps_to_itself_still_says_why_it_is_declined() {
        let kept = Question::Charge { kept: true };
        for (token, code) in [
            ("tok_visa_chargeCustomerFailLostCard", "lost_card"),
            ("tok_visa_chargeCustomerFailStolenCard", "stolen_card"),
            (
                "tok_visa_debit_chargeDeclinedInsufficientFunds",
                "insufficient_funds",
            ),
        ] {
            let decline = by_token(token).unwrap().answer(kept).unwrap_err();
            assert_eq!(decline.decline_code, Some(code));
        }
        assert_eq!(
            by_payment_method("pm_card_visa_debit").unwrap().funding,
            Funding::Debit
        );
    }
}
