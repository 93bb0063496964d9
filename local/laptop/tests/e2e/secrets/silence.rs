//! No secret is shown to whoever reads logs.

use shared::config::Environment;
use shared::stripe::key::StripeKey;

use super::store::Store;
use super::{STORES, STRIPE_KEY, WEBHOOK_SECRETS, a_minute_later, deliver};
use crate::log::Log;

#[tokio::test]
async fn no_log_line_and_no_debug_output_shows_a_secret() {
    let log = Log::start();
    for kind in STORES {
        let store = Store::here(kind).await;
        store.put(WEBHOOK_SECRETS, "whsec_private_old").await;
        let function = store.webhook().await.unwrap();
        store.put(WEBHOOK_SECRETS, "whsec_private_new").await;
        assert_eq!(deliver(&function, "whsec_private_new").await, 200);
        assert_eq!(deliver(&function, "whsec_private_old").await, 400);

        a_minute_later().await;
        store.put(WEBHOOK_SECRETS, "whsec_private_1,,").await;
        assert_eq!(deliver(&function, "whsec_private_1").await, 400);

        let environment = Environment::from(store.variables(WEBHOOK_SECRETS));
        tracing::info!(?environment);
        let mut variables = store.variables(STRIPE_KEY);
        variables.extend([
            ("TILL_MODE".to_owned(), "test".to_owned()),
            ("AWS_REGION".to_owned(), "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID".to_owned(), "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY".to_owned(), "private-aws".to_owned()),
        ]);
        for (key, fine) in [("sk_test_private", true), ("sk_live_private", false)] {
            store.put(STRIPE_KEY, key).await;
            let secret = StripeKey::of(&Environment::from(variables.clone())).unwrap();
            let key = secret.current().await;
            assert_eq!(key.is_ok(), fine);
            tracing::info!(?secret, ?key);
        }
    }
    let said = log.text();
    assert!(said.contains("a secret could not be read again"), "{said}");
    assert!(said.contains("a secret was rejected"), "{said}");
    for line in said.lines() {
        assert!(!line.contains("private"), "{line}");
    }
}
