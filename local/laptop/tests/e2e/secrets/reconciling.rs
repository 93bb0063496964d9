//! Reconcile, which runs before there are any secrets.

use reconcile::{ReconcileError, Scheduled};
use serde_json::Value;

use super::store::Store;
use super::{STORES, STRIPE_KEY};

#[tokio::test]
async fn a_shop_that_is_not_set_up_yet_has_nothing_to_reconcile_and_nothing_to_alarm() {
    for kind in STORES {
        let store = Store::any(kind).await;
        let function = Scheduled::new(store.environment(STRIPE_KEY));
        for _ in 0..2 {
            assert!(function.handle(Value::Null).await.is_ok(), "{kind}");
        }
        store.put(STRIPE_KEY, "sk_test_ours").await;
        // There are no tables here: it has got as far as asking for them.
        let asked = function.handle(Value::Null).await;
        assert!(matches!(asked, Err(ReconcileError::Store(_))), "{asked:?}");
    }
}

#[tokio::test]
async fn a_key_that_may_not_be_read_is_a_failure_of_reconcile() {
    let store = Store::here("ssm").await;
    store.told(|kept| kept.fails = true);
    let function = Scheduled::new(store.environment(STRIPE_KEY));
    let failed = function.handle(Value::Null).await;
    let Err(ReconcileError::Config(why)) = failed else {
        panic!("{failed:?}")
    };
    assert!(why.to_string().contains("AccessDenied"), "{why}");
}
