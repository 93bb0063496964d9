//! The mail that was sent, and the mailer.

use mailer::Mailer;
use serde_json::{Value, json};

use crate::answer::text;
use crate::app::TestApp;
use crate::cast::DEVELOPER;
use crate::time::eventually;

impl TestApp {
    /// Everything sent so far, newest first.
    pub async fn mailbox(&self) -> Vec<Value> {
        let answer = self
            .send(self.request("GET", "/_local/mailbox.json"))
            .await
            .expect(200);
        answer.json().as_array().unwrap().clone()
    }

    /// All mail that follows from what was done so far, newest first. There must
    /// be `count` of them.
    pub async fn mails(&self, count: usize) -> Vec<Value> {
        self.drained().await;
        let mails = self.mailbox().await;
        let subjects: Vec<_> = mails.iter().map(|mail| &mail["subject"]).collect();
        assert_eq!(mails.len(), count, "{subjects:?}");
        for mail in &mails {
            assert_eq!(
                mail["to"],
                json!([DEVELOPER]),
                "in test mode all mail goes to the developer"
            );
        }
        mails
    }

    /// The subjects of all mails that name this purchase, sorted.
    pub async fn subjects_about(&self, purchase: &str) -> Vec<String> {
        let mails = self.mailbox().await.into_iter();
        let named = mails.filter(|mail| text(mail, "text").contains(purchase));
        let mut subjects: Vec<_> = named.map(|mail| text(&mail, "subject")).collect();
        subjects.sort();
        subjects
    }

    /// Waits for the newest mail that names this purchase.
    pub async fn mail_about(&self, purchase: &str) -> Value {
        let names = |mail: &Value| text(mail, "text").contains(purchase);
        eventually(async || self.mailbox().await.into_iter().find(names)).await
    }

    /// Runs the mailer as its schedule does, not as the outbox's stream does.
    pub async fn mailer(&self) {
        let mailer = Mailer::new(&self.environment("MailerFunction")).await;
        mailer.unwrap().handle(json!({})).await.unwrap();
    }
}
