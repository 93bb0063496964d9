//! Faults of DynamoDB and SES.

use serde_json::{Value, json};

use crate::app::TestApp;

/// How often a fault strikes that does not end by itself.
const UNTIL_TAKEN_AWAY: u32 = 0;

impl TestApp {
    /// An operation of DynamoDB or SES fails for `times` requests, or until [`Self::aws_recovers`].
    pub async fn aws_fails(&self, operation: &str, fault: &str, times: Option<u32>) {
        let times = times.unwrap_or(UNTIL_TAKEN_AWAY);
        let armed = json!({ "operation": operation, "fault": fault, "times": times });
        let url = format!("{}/_aws/faults", self.addresses.aws);
        self.send(self.http.post(url).json(&armed))
            .await
            .expect(201);
    }

    /// Ends all faults. Returns those that had not struck yet.
    pub async fn aws_recovers(&self) -> Value {
        let url = format!("{}/_aws/faults", self.addresses.aws);
        let waiting = self.send(self.http.get(&url)).await.expect(200).json();
        self.send(self.http.delete(url)).await.expect(204);
        waiting
    }
}
