//! `template.yaml`, the deployed system, read for what the local shop needs of it: tables, routes,
//! streams, schedules and every function's environment. One file says what the shop consists of,
//! so the shop on a laptop and the one in the cloud cannot drift apart.

mod filter;
mod intrinsics;
mod node;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

pub use self::filter::EventPattern;
use self::intrinsics::Document;
use self::node::Node;

/// What is wrong with the template, in one sentence.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct TemplateError {
    file: String,
    problem: String,
}

type Result<T> = std::result::Result<T, TemplateError>;

/// Values for the template's parameters; the others keep their defaults.
pub type Parameters = BTreeMap<String, String>;

/// The deployed system.
#[derive(Debug)]
pub struct Template {
    /// In the order of their names.
    pub tables: Vec<Table>,
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
    /// Which functions are called by the clock.
    pub schedules: Vec<Schedule>,
}

/// A DynamoDB table. Locally its name is its logical id, which is what `sam local` passes too.
#[derive(Debug, PartialEq, Eq)]
pub struct Table {
    /// The logical id.
    pub name: String,
    /// `KeySchema`, in DynamoDB's own shape.
    pub key_schema: Value,
    /// `AttributeDefinitions`, in DynamoDB's own shape.
    pub attribute_definitions: Value,
    /// Secondary indexes by name, in DynamoDB's own shape.
    pub indexes: BTreeMap<String, Value>,
    /// What the table's stream shows, if it has one.
    pub stream_view_type: Option<String>,
    /// The attribute that says when an item expires, if items do.
    pub ttl_attribute: Option<String>,
}

/// A Lambda function.
#[derive(Debug)]
pub struct Function {
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Its memory in MB, as its context shows it.
    pub memory: u32,
    /// The environment it declares. `None`: a parameter that has no default and was not given, so
    /// that whoever starts the function must say.
    pub environment: BTreeMap<String, Option<String>>,
}

/// `GET /products/{id}` -> `CatalogFunction`.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// The function's logical id.
    pub function: String,
    /// In capitals; `ANY` for all.
    pub method: String,
    /// With its `{placeholders}`.
    pub path: String,
    /// Whether the caller must show a valid token.
    pub signed_in: bool,
}

/// The HTTP API's `CorsConfiguration`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cors {
    /// Origins, or `*`.
    pub origins: Vec<String>,
    /// Methods, or `*`.
    pub methods: Vec<String>,
    /// Request headers, or `*`.
    pub headers: Vec<String>,
    /// Answer headers that scripts may read.
    pub expose: Vec<String>,
    /// Seconds a browser may remember the answer.
    pub max_age: Option<u64>,
}

/// A table's stream wakes a function.
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
    /// How often a failed batch is tried again before it is given up. `None`: for ever.
    pub maximum_retries: Option<u32>,
    /// Whether the function says itself which records failed.
    pub reports_failures: bool,
}

/// The clock wakes a function.
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

impl Template {
    /// Reads the file, with these values for its parameters.
    pub fn read(path: &Path, parameters: &Parameters) -> Result<Self> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| TemplateError {
            file: file.clone(),
            problem: error.to_string(),
        })?;
        Self::parse(&file, &text, parameters)
    }

    /// Reads `text`; `file` is the name that errors carry.
    pub fn parse(file: &str, text: &str, parameters: &Parameters) -> Result<Self> {
        let document = Document::parse(file, text, parameters)?;
        let mut template = Self {
            tables: Vec::new(),
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
                        "is {other}, which the local shop does not know; \
                         it knows HttpApi, DynamoDB, Schedule and ScheduleV2"
                    )));
                }
            }
        }
        Ok(())
    }

    /// What no single resource can know about itself.
    fn check(&self, file: &str) -> Result<()> {
        let problem = |problem| {
            Err(TemplateError {
                file: file.to_owned(),
                problem,
            })
        };
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
                    "{} {} leads to {} and to {}: drop one",
                    route.method, route.path, route.function, twin.function
                ));
            }
        }
        Ok(())
    }
}

impl Table {
    fn read(id: &str, properties: &Node<'_>) -> Result<Self> {
        let mut indexes = BTreeMap::new();
        if let Some(list) = properties.find("GlobalSecondaryIndexes")? {
            for index in list.items()? {
                let shape = json!({
                    "IndexName": index.get("IndexName")?.text()?,
                    "KeySchema": index.get("KeySchema")?.json()?,
                    "Projection": index.get("Projection")?.json()?,
                });
                indexes.insert(index.get("IndexName")?.text()?, shape);
            }
        }
        let ttl = properties.find("TimeToLiveSpecification")?;
        let ttl_attribute = match ttl {
            Some(ttl) if ttl.get("Enabled")?.flag()? => Some(ttl.get("AttributeName")?.text()?),
            _ => None,
        };
        let stream_view_type = match properties.find("StreamSpecification")? {
            Some(stream) => Some(stream.get("StreamViewType")?.text()?),
            None => None,
        };
        Ok(Self {
            name: id.to_owned(),
            key_schema: properties.get("KeySchema")?.json()?,
            attribute_definitions: properties.get("AttributeDefinitions")?.json()?,
            indexes,
            stream_view_type,
            ttl_attribute,
        })
    }
}

impl Function {
    fn read(globals: Option<&Node<'_>>, properties: &Node<'_>) -> Result<Self> {
        let mut environment = BTreeMap::new();
        for owner in globals.into_iter().chain([properties]) {
            if let Some(variables) = owner.descend(&["Environment", "Variables"])? {
                environment.extend(variables.texts_where_given()?);
            }
        }
        let setting = |name, default| match (properties.find(name)?, globals) {
            (Some(own), _) => own.number(),
            (None, Some(globals)) => globals
                .find(name)?
                .map_or(Ok(default), |shared| shared.number()),
            (None, None) => Ok(default),
        };
        Ok(Self {
            // Lambda's own defaults.
            timeout: Duration::from_secs(setting("Timeout", 3)?),
            memory: u32::try_from(setting("MemorySize", 128)?).unwrap_or(u32::MAX),
            environment,
        })
    }
}

impl StreamMapping {
    fn read(function: &str, properties: &Node<'_>) -> Result<Option<Self>> {
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
            stream.problem("is no table's stream: write !GetAtt SomeTable.StreamArn")
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
            // -1 is AWS's word for "for ever".
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

impl Schedule {
    fn read(
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
            expression.problem("is not a rate: the local shop knows rate(5 minutes) and the like")
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

/// The HTTP API, be it written out as a resource or left to SAM's `Globals`.
struct Apis<'d> {
    globals: Option<Node<'d>>,
    resource: Option<Node<'d>>,
}

impl<'d> Apis<'d> {
    fn read(document: &'d Document) -> Result<Self> {
        let mut resource = None;
        for (id, candidate) in Node::root(document).get("Resources")?.entries()? {
            if candidate.get("Type")?.text()? == "AWS::Serverless::HttpApi" {
                if resource.is_some() {
                    return Err(candidate.problem(&format!(
                        "makes {id} a second HTTP API; the local shop serves one"
                    )));
                }
                resource = candidate.find("Properties")?;
            }
        }
        Ok(Self {
            globals: Node::root(document).descend(&["Globals", "HttpApi"])?,
            resource,
        })
    }

    fn find(&self, path: &[&str]) -> Result<Option<Node<'d>>> {
        for owner in [&self.resource, &self.globals].into_iter().flatten() {
            if let Some(found) = owner.descend(path)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn route(&self, function: &str, properties: &Node<'_>) -> Result<Route> {
        let authorizer = match properties.descend(&["Auth", "Authorizer"])? {
            Some(own) => Some(own.text()?),
            None => match self.find(&["Auth", "DefaultAuthorizer"])? {
                Some(default) => Some(default.text()?),
                None => None,
            },
        };
        let signed_in = match authorizer.as_deref() {
            None | Some("NONE") => false,
            Some(name) => {
                if self.find(&["Auth", "Authorizers", name])?.is_none() {
                    return Err(properties.problem(&format!(
                        "asks for the authorizer {name}, which the HTTP API does not define"
                    )));
                }
                true
            }
        };
        let path = properties.get("Path")?;
        let text = path.text()?;
        if !text.starts_with('/') {
            return Err(path.problem("must start with /"));
        }
        Ok(Route {
            function: function.to_owned(),
            method: properties.get("Method")?.text()?.to_ascii_uppercase(),
            path: text,
            signed_in,
        })
    }

    fn cors(&self) -> Result<Option<Cors>> {
        let Some(cors) = self.find(&["CorsConfiguration"])? else {
            return Ok(None);
        };
        let texts = |name| cors.find(name)?.map_or(Ok(Vec::new()), |list| list.texts());
        Ok(Some(Cors {
            origins: texts("AllowOrigins")?,
            methods: texts("AllowMethods")?,
            headers: texts("AllowHeaders")?,
            expose: texts("ExposeHeaders")?,
            max_age: match cors.find("MaxAge")? {
                Some(seconds) => Some(seconds.number()?),
                None => None,
            },
        }))
    }
}

#[cfg(test)]
mod tests;
