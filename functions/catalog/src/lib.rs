//! GET /products and /products/{id}: what is sold. Open to anybody.

use http::{HeaderValue, Response, StatusCode, header};
use lambda_http::{Body, Request, RequestExt};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use shared::{
    aws::{self, call::Service},
    config::{ConfigError, Environment},
    http::{Problem, json, next_cursor, page_cursor, page_limit, request_id},
    product::{Product, ProductId},
    store::{Tables, products::Shelf},
};

/// The function: shows what is for sale.
#[derive(Clone)]
pub struct Catalog {
    products: Shelf,
}

impl Catalog {
    /// Shows the products table that the environment names.
    pub async fn new(environment: &Environment) -> Result<Self, ConfigError> {
        aws::prepare(environment, Service::DynamoDb)?;
        let products = Shelf::of(&Tables::of(environment)?)?;
        Ok(Self { products })
    }

    /// Answers a request.
    pub async fn handle(&self, request: Request) -> Response<Body> {
        let answer = match request
            .path_parameters_ref()
            .and_then(|path| path.first("id"))
        {
            Some(id) => self.one(id, &request).await,
            None => self.list(&request).await,
        };
        answer.unwrap_or_else(|problem| problem.into_response(&request_id(&request)))
    }

    async fn one(&self, id: &str, request: &Request) -> Result<Response<Body>, Problem> {
        let unknown = || Problem::not_found("There is no product with this id.");
        let id: ProductId = id.parse().map_err(|_| unknown())?;
        let product = self
            .products
            .get(&id)
            .await
            .map_err(|error| Problem::store(&error))?;
        cacheable(&Shown::from(product.ok_or_else(unknown)?), request)
    }

    async fn list(&self, request: &Request) -> Result<Response<Body>, Problem> {
        let limit = page_limit(request)?;
        let after: Option<ProductId> = page_cursor(request)?;
        let page = self.products.list(limit, after.as_ref()).await;
        let page = page.map_err(|error| Problem::store(&error))?;
        let products: Vec<_> = page.products.into_iter().map(Shown::from).collect();
        cacheable(
            &json!({ "products": products, "next": next_cursor(page.next) }),
            request,
        )
    }
}

/// A product as strangers see it: without what is the seller's business alone.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    product: Product,
    #[serde(skip_serializing_if = "Option::is_none")]
    download: Option<Download>,
}

/// What is to be known of a product's file before it is bought. Its name is only for its buyers.
#[derive(Serialize)]
struct Download {
    #[serde(rename = "type")]
    media_type: &'static str,
    /// In bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
}

impl From<Product> for Shown {
    fn from(mut product: Product) -> Self {
        product.low_stock = None;
        let file = product.file.take();
        let download = file.map(|file| Download {
            media_type: file.name.media_type(),
            size: file.size,
        });
        Self { product, download }
    }
}

/// An answer that may be cached for a minute, and revalidated by its ETag after that.
fn cacheable(body: &impl Serialize, request: &Request) -> Result<Response<Body>, Problem> {
    let mut response = json(StatusCode::OK, body)?;
    let text: &[u8] = response.body();
    let hash = hex::encode(Sha256::digest(text));
    let etag = format!("\"{}\"", hash.get(..32).unwrap_or(&hash));
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|known| known.to_str().ok());
    let is_known = known.is_some_and(|known| {
        known
            .split(',')
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == etag || tag == "*")
    });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::Empty;
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    let headers = response.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=60"),
    );
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    Ok(response)
}
