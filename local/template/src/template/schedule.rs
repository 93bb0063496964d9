//! Schedules that wake functions.

use std::time::Duration;

use serde_json::Value;

use super::error::Result;
use super::node::Node;

/// A function that is called at a fixed rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The function's logical id.
    pub function: String,
    /// The event's name in the template.
    pub name: String,
    /// How often.
    pub every: Duration,
    /// What the function gets instead of EventBridge's own event, if anything.
    pub input: Option<Value>,
}

impl Schedule {
    pub(super) fn read(
        function: &str,
        name: &str,
        properties: &Node<'_>,
        expression: &str,
    ) -> Result<Option<Self>> {
        let enabled = match (properties.find("Enabled")?, properties.find("State")?) {
            (Some(enabled), _) => enabled.flag()?,
            (None, Some(state)) => state.text()? != "DISABLED",
            (None, None) => true,
        };
        if !enabled {
            return Ok(None);
        }
        let expression = properties.get(expression)?;
        let every = rate(&expression.text()?).ok_or_else(|| {
            expression.problem(
                "is not a rate: write it as rate(5 minutes), the only form that the local shop supports",
            )
        })?;
        let input = match properties.find("Input")? {
            Some(input) => Some(
                serde_json::from_str(&input.text()?)
                    .map_err(|error| input.problem(&format!("is not JSON: {error}")))?,
            ),
            None => None,
        };
        Ok(Some(Self {
            function: function.to_owned(),
            name: name.to_owned(),
            every,
            input,
        }))
    }
}

/// `rate(5 minutes)`.
fn rate(expression: &str) -> Option<Duration> {
    let inner = expression.trim().strip_prefix("rate(")?.strip_suffix(')')?;
    let (count, unit) = inner.trim().split_once(' ')?;
    let unit = match unit.trim() {
        "minute" | "minutes" => 60,
        "hour" | "hours" => 60 * 60,
        "day" | "days" => 24 * 60 * 60,
        _ => return None,
    };
    let count: u64 = count.parse().ok()?;
    (count > 0)
        .then(|| count.checked_mul(unit).map(Duration::from_secs))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_eventbridge_writes_them() {
        assert_eq!(rate("rate(1 minute)"), Some(Duration::from_secs(60)));
        assert_eq!(rate("rate(2 hours)"), Some(Duration::from_secs(7200)));
        for odd in [
            "rate(0 minutes)",
            "rate(1 second)",
            "rate(1minute)",
            "cron(1)",
            "",
        ] {
            assert_eq!(rate(odd), None, "{odd}");
        }
    }
}
