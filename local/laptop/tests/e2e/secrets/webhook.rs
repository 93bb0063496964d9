//! The webhook's secrets, while they are rolled.

use std::time::{Duration, Instant};

use futures::future::join_all;
use lambda_http::Body;
use serde_json::json;
use testing::eventually;

use super::store::{Kept, Store};
use super::{STORES, WEBHOOK_SECRETS, a_minute_later, deliver};

#[tokio::test]
async fn a_rolled_webhook_secret_is_believed_at_the_next_delivery() {
    for kind in STORES {
        let store = Store::any(kind).await;
        store.put(WEBHOOK_SECRETS, "whsec_old").await;
        let function = store.webhook().await.unwrap();
        assert_eq!(deliver(&function, "whsec_old").await, 200);
        assert_eq!(deliver(&function, "whsec_new").await, 400);

        a_minute_later().await;
        store.put(WEBHOOK_SECRETS, "whsec_old, whsec_new").await;
        assert_eq!(deliver(&function, "whsec_new").await, 200, "{kind}");
        assert_eq!(deliver(&function, "whsec_old").await, 200, "{kind}");

        a_minute_later().await;
        store.put(WEBHOOK_SECRETS, "whsec_new").await;
        assert_eq!(deliver(&function, "whsec_nobodys").await, 400);
        assert_eq!(deliver(&function, "whsec_old").await, 400, "{kind}");
        assert_eq!(deliver(&function, "whsec_new").await, 200, "{kind}");
    }
}

#[tokio::test]
async fn a_flood_of_bad_signatures_reads_the_store_once_a_minute() {
    let store = Store::here("ssm").await;
    store.put(WEBHOOK_SECRETS, "whsec_ours").await;
    let function = store.webhook().await.unwrap();
    assert_eq!(store.readings(), 1);
    for minute in 1..=3 {
        for _ in 0..3 {
            let together = (0..40).map(|_| deliver(&function, "whsec_guessed"));
            assert_eq!(join_all(together).await, [400; 40]);
            assert_eq!(deliver(&function, "whsec_ours").await, 200);
        }
        assert_eq!(store.readings(), 1 + minute);
        a_minute_later().await;
    }
}

#[tokio::test]
async fn a_header_that_is_not_a_signature_reads_no_secrets() {
    let store = Store::here("ssm").await;
    store.put(WEBHOOK_SECRETS, "whsec_ours").await;
    let function = store.webhook().await.unwrap();
    for header in ["", "nonsense", "t=1"] {
        let request = http::Request::post("/").header("stripe-signature", header);
        let answer = function.handle(request.body(Body::Empty).unwrap()).await;
        assert_eq!(answer.status(), 400);
    }
    assert_eq!(store.readings(), 1);
}

#[tokio::test]
async fn good_signatures_wait_for_no_store_and_those_with_a_new_secret_share_one_reading() {
    let store = Store::here("secretsmanager").await;
    store.put(WEBHOOK_SECRETS, "whsec_old").await;
    let function = store.webhook().await.unwrap();
    store.put(WEBHOOK_SECRETS, "whsec_old,whsec_new").await;
    store.told(|kept| kept.delay = Duration::from_secs(1));

    let newly = join_all((0..20).map(|_| deliver(&function, "whsec_new")));
    let guessed = join_all((0..20).map(|_| deliver(&function, "whsec_guessed")));
    let rightly = async {
        eventually(async || (store.readings() == 2).then_some(())).await;
        let began = Instant::now();
        assert_eq!(deliver(&function, "whsec_old").await, 200);
        assert!(began.elapsed() < Duration::from_millis(500));
    };
    let (newly, guessed, ()) = futures::join!(newly, guessed, rightly);
    assert_eq!(newly, [200; 20]);
    assert_eq!(guessed, [400; 20]);
    assert_eq!(store.readings(), 2);
}

#[tokio::test]
async fn a_store_that_fails_leaves_the_old_secrets_in_force() {
    let store = Store::here("ssm").await;
    store.put(WEBHOOK_SECRETS, "whsec_old").await;
    let function = store.webhook().await.unwrap();
    let unusable: [fn(&mut Kept); 3] = [
        |kept| kept.fails = true,
        |kept| kept.secrets.clear(),
        // An empty secret among them would let anybody in.
        |kept| {
            kept.secrets
                .values_mut()
                .for_each(|v| *v = "whsec_new,".into())
        },
    ];
    for make_unusable in unusable {
        store.told(make_unusable);
        let before = store.readings();
        assert_eq!(deliver(&function, "whsec_new").await, 400);
        assert_eq!(store.readings(), before + 1);
        assert_eq!(deliver(&function, "whsec_old").await, 200);
        a_minute_later().await;
        store.told(|kept| kept.fails = false);
        store.put(WEBHOOK_SECRETS, "whsec_old").await;
    }
    store.put(WEBHOOK_SECRETS, "whsec_new").await;
    assert_eq!(deliver(&function, "whsec_new").await, 200);
}

#[tokio::test]
async fn a_missing_secret_keeps_the_function_from_starting_and_says_which_and_where() {
    for kind in STORES {
        let store = Store::any(kind).await;
        let error = store.webhook().await.err().unwrap();
        for part in [WEBHOOK_SECRETS, &store.name(WEBHOOK_SECRETS), "till setup"] {
            assert!(error.contains(part), "{error}");
        }
        store.put(WEBHOOK_SECRETS, "whsec_a").await;
        assert!(store.webhook().await.is_ok(), "{kind}");
    }
}

#[tokio::test]
async fn key_value_pairs_are_read_by_the_name_of_the_variable() {
    let store = Store::any("secretsmanager").await;
    let pairs = json!({"STRIPE_SECRET_KEY": "sk_test_1", "STRIPE_WEBHOOK_SECRETS": "whsec_pair"});
    store.put(WEBHOOK_SECRETS, &pairs.to_string()).await;
    let function = store.webhook().await.unwrap();
    assert_eq!(deliver(&function, "whsec_pair").await, 200);

    let pairs = json!({"webhook": "whsec_pair"}).to_string();
    store.put(WEBHOOK_SECRETS, &pairs).await;
    let error = store.webhook().await.err().unwrap();
    assert!(
        error.contains("none named STRIPE_WEBHOOK_SECRETS") && !error.contains("whsec_pair"),
        "{error}"
    );
}
