//! Streams that wake functions.

use super::error::Result;
use super::filter::EventPattern;
use super::node::Node;

/// A function that a table's stream wakes.
#[derive(Debug, Clone)]
pub struct StreamMapping {
    /// The function's logical id.
    pub function: String,
    /// The table's name.
    pub table: String,
    /// A record passes if any of them matches, or if there are none.
    pub filters: Vec<EventPattern>,
    /// The most records one invocation gets.
    pub batch_size: usize,
    /// How often a failed batch is tried again before it is given up. `None`: forever.
    pub maximum_retries: Option<u32>,
    /// Whether the function reports which records failed.
    pub reports_failures: bool,
}

impl StreamMapping {
    pub(super) fn read(function: &str, properties: &Node<'_>) -> Result<Option<Self>> {
        if let Some(enabled) = properties.find("Enabled")?
            && !enabled.flag()?
        {
            return Ok(None);
        }
        let stream = properties.get("Stream")?;
        let arn = stream.text()?;
        let table = arn
            .split_once(":table/")
            .and_then(|(_, rest)| rest.split('/').next());
        let table = table.ok_or_else(|| {
            stream.problem("is not a table's stream: write !GetAtt SomeTable.StreamArn")
        })?;
        let mut filters = Vec::new();
        if let Some(list) = properties.descend(&["FilterCriteria", "Filters"])? {
            for filter in list.items()? {
                let pattern = filter.get("Pattern")?;
                filters.push(
                    EventPattern::parse(&pattern.text()?)
                        .map_err(|problem| pattern.problem(&problem))?,
                );
            }
        }
        let maximum_retries = match properties.find("MaximumRetryAttempts")? {
            // -1 means forever at AWS.
            Some(retries) if retries.text()? != "-1" => {
                Some(u32::try_from(retries.number()?).unwrap_or(u32::MAX))
            }
            _ => None,
        };
        let reports_failures = match properties.find("FunctionResponseTypes")? {
            Some(types) => types
                .texts()?
                .iter()
                .any(|kind| kind == "ReportBatchItemFailures"),
            None => false,
        };
        let batch_size = match properties.find("BatchSize")? {
            Some(size) => usize::try_from(size.number()?).unwrap_or(usize::MAX),
            None => 100,
        };
        Ok(Some(Self {
            function: function.to_owned(),
            table: table.to_owned(),
            filters,
            batch_size,
            maximum_retries,
            reports_failures,
        }))
    }
}
