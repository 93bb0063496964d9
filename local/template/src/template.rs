//! `template.yaml`, the deployed system, read for what the local shop needs of it: tables, buckets,
//! routes, streams, schedules and every function's environment. One file says what the shop consists of,
//! so the shop on a laptop and the one in the cloud cannot drift apart.

mod error;
mod filter;
mod function;
mod http_api;
mod intrinsics;
mod node;
mod schedule;
mod stream;
mod table;

use std::collections::BTreeMap;
use std::path::Path;

use self::error::Result;
pub use self::error::TemplateError;
pub use self::filter::EventPattern;
pub use self::function::Function;
use self::http_api::Apis;
pub use self::http_api::{Cors, Route};
use self::intrinsics::Document;
pub use self::intrinsics::Parameters;
use self::node::Node;
pub use self::schedule::Schedule;
pub use self::stream::StreamMapping;
pub use self::table::Table;

/// The deployed system.
#[derive(Debug)]
pub struct Template {
    /// In the order of their names.
    pub tables: Vec<Table>,
    /// Buckets, by logical id, which is what they are called here.
    pub buckets: Vec<String>,
    /// Every function, by logical id.
    pub functions: BTreeMap<String, Function>,
    /// The HTTP API's routes.
    pub routes: Vec<Route>,
    /// Which origins a browser may call the HTTP API from.
    pub cors: Option<Cors>,
    /// The functions that have a URL of their own.
    pub function_urls: Vec<String>,
    /// Which functions are fed from which table's stream.
    pub streams: Vec<StreamMapping>,
    /// Which functions are called on a schedule.
    pub schedules: Vec<Schedule>,
}

impl Template {
    /// Reads the file, with these values for its parameters.
    pub fn read(path: &Path, parameters: &Parameters) -> Result<Self> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path)
            .map_err(|error| TemplateError::new(&file, error.to_string()))?;
        Self::parse(&file, &text, parameters)
    }

    /// Reads `text`; `file` is how errors name it.
    pub fn parse(file: &str, text: &str, parameters: &Parameters) -> Result<Self> {
        let document = Document::parse(file, text, parameters)?;
        let mut template = Self {
            tables: Vec::new(),
            buckets: Vec::new(),
            functions: BTreeMap::new(),
            routes: Vec::new(),
            cors: None,
            function_urls: Vec::new(),
            streams: Vec::new(),
            schedules: Vec::new(),
        };
        let apis = Apis::read(&document)?;
        template.cors = apis.cors()?;
        for (id, resource) in Node::root(&document).get("Resources")?.entries()? {
            if !resource.is_included()? {
                continue;
            }
            let kind = resource.get("Type")?.text()?;
            match kind.as_str() {
                "AWS::DynamoDB::Table" => {
                    template
                        .tables
                        .push(Table::read(&id, &resource.get("Properties")?)?);
                }
                "AWS::S3::Bucket" => template.buckets.push(id),
                "AWS::Serverless::Function" => {
                    template.add_function(&document, &apis, &id, &resource)?
                }
                _ => {}
            }
        }
        template.check(file)?;
        Ok(template)
    }

    fn add_function(
        &mut self,
        document: &Document,
        apis: &Apis<'_>,
        id: &str,
        resource: &Node<'_>,
    ) -> Result<()> {
        let properties = resource.get("Properties")?;
        let globals = Node::root(document).descend(&["Globals", "Function"])?;
        self.functions.insert(
            id.to_owned(),
            Function::read(globals.as_ref(), &properties)?,
        );
        if properties.find("FunctionUrlConfig")?.is_some() {
            self.function_urls.push(id.to_owned());
        }
        let Some(events) = properties.find("Events")? else {
            return Ok(());
        };
        for (name, event) in events.entries()? {
            let kind = event.get("Type")?;
            match kind.text()?.as_str() {
                "HttpApi" => self.routes.push(apis.route(id, &event.get("Properties")?)?),
                "DynamoDB" => {
                    self.streams
                        .extend(StreamMapping::read(id, &event.get("Properties")?)?);
                }
                "Schedule" => {
                    let properties = event.get("Properties")?;
                    self.schedules
                        .extend(Schedule::read(id, &name, &properties, "Schedule")?);
                }
                "ScheduleV2" => {
                    let properties = event.get("Properties")?;
                    self.schedules.extend(Schedule::read(
                        id,
                        &name,
                        &properties,
                        "ScheduleExpression",
                    )?);
                }
                other => {
                    return Err(kind.problem(&format!(
                        "is {other}, which the local shop does not support: \
                         use HttpApi, DynamoDB, Schedule or ScheduleV2"
                    )));
                }
            }
        }
        Ok(())
    }

    /// What no single resource can know about itself.
    fn check(&self, file: &str) -> Result<()> {
        let problem = |problem| Err(TemplateError::new(file, problem));
        for mapping in &self.streams {
            let table = self.tables.iter().find(|table| table.name == mapping.table);
            if table.is_none_or(|table| table.stream_view_type.is_none()) {
                return problem(format!(
                    "{} reads the stream of {}, which has none: give it a StreamSpecification",
                    mapping.function, mapping.table
                ));
            }
        }
        for (index, route) in self.routes.iter().enumerate() {
            let twin = self
                .routes
                .iter()
                .skip(index.saturating_add(1))
                .find(|other| (&route.method, &route.path) == (&other.method, &other.path));
            if let Some(twin) = twin {
                return problem(format!(
                    "{} {} leads to both {} and {}: remove one of the routes",
                    route.method, route.path, route.function, twin.function
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
