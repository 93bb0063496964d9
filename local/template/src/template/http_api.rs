//! The HTTP API: its routes, and which other origins may call it.

use super::error::Result;
use super::intrinsics::Document;
use super::node::Node;

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

/// The HTTP API, whether it is a resource of its own or left to SAM's `Globals`.
pub(super) struct Apis<'d> {
    globals: Option<Node<'d>>,
    resource: Option<Node<'d>>,
}

impl<'d> Apis<'d> {
    pub(super) fn read(document: &'d Document) -> Result<Self> {
        let mut resource = None;
        for (id, candidate) in Node::root(document).get("Resources")?.entries()? {
            if candidate.get("Type")?.text()? == "AWS::Serverless::HttpApi" {
                if resource.is_some() {
                    return Err(candidate.problem(&format!(
                        "makes {id} a second HTTP API: the local shop serves only one, so \
                         remove the other"
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

    pub(super) fn route(&self, function: &str, properties: &Node<'_>) -> Result<Route> {
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

    pub(super) fn cors(&self) -> Result<Option<Cors>> {
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
