//! `till products`, of what is paid for again and again.

use testing::MUG;

use crate::operator::Operator;

#[tokio::test]
async fn a_product_can_be_made_to_recur_and_to_be_paid_for_once_again() {
    let operator = Operator::new().await;
    let set = |settings: &'static [&'static str]| {
        operator.till(&[&["products", "set", MUG][..], settings].concat())
    };
    let said = set(&["recurring=3 months", "trial_days=14"])
        .await
        .expect(0);
    let change = "recurring once → every 3 months, 14 days free";
    assert!(said.out.contains(change), "{}", said.out);
    let listed = operator.till(&["products", "list"]).await.expect(0).out;
    assert!(listed.contains("15.00 USD / 3 months"), "{listed}");
    let mug = format!("/{}", MUG);
    let shown = operator.shop.products(&mug).await.json();
    assert_eq!(shown["recurring"]["trial_days"], 14);

    // A trial stays when only the interval changes.
    set(&["recurring=year"]).await.expect(0);
    let shown = operator.shop.products(&mug).await.json();
    assert_eq!(shown["recurring"]["interval"], "year");
    assert_eq!(shown["recurring"]["trial_days"], 14);

    for (settings, complaint) in [
        (&["stock=5"][..], "cannot be limited"),
        (&["recurring=4 years"], "three years"),
        (&["trial_days=731"], "two years"),
    ] {
        set(settings).await.complains(complaint);
    }
    set(&["recurring=none"]).await.expect(0);
    let shown = operator.shop.products(&mug).await.json();
    assert!(shown.get("recurring").is_none(), "{shown}");
    set(&["trial_days=7"]).await.complains("paid for once");
}

#[tokio::test]
async fn what_recurs_comes_from_a_file_unless_it_would_keep_a_stock() {
    let operator = Operator::new().await;
    let file = operator.write(
        "monthly.csv",
        "id,name,amount,currency,interval,trial_days\n\
         beans,Beans,900,eur,month,14\n\
         sample-print,Signed print,4800,usd,month,\n",
    );
    let refused = operator
        .till(&["products", "import", &file])
        .await
        .expect(3);
    assert!(refused.err.contains("cannot be limited"), "{}", refused.err);
    let file = operator.write(
        "monthly.csv",
        "id,name,amount,currency,interval,trial_days\nbeans,Beans,900,eur,month,14\n",
    );
    let added = operator
        .till(&["products", "import", &file])
        .await
        .expect(0);
    assert!(added.out.contains("1 added"), "{}", added.out);
    let beans = operator.shop.products("/beans").await.expect(200).json();
    assert_eq!(beans["recurring"]["interval"], "month");
    let exported = operator
        .till(&["products", "export", "--format", "csv"])
        .await
        .expect(0);
    assert!(
        exported
            .out
            .contains("beans,Beans,,,900,eur,month,1,14,false,"),
        "{}",
        exported.out
    );
}
