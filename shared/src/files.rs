//! The files that buyers download: in a private bucket, each under its product and its name.

use std::time::Duration;

use crate::{
    aws::{
        bucket::{Bucket, escaped},
        call::Unsigned,
    },
    config::{ConfigError, Environment},
    product::{FileName, ProductId},
};

/// The variable that names the bucket.
pub const FILES_BUCKET: &str = "FILES_BUCKET";

/// How long a link works: long enough to click on it, and to resume a download that broke off; too
/// short to be worth passing on. The site asks for another when one is over.
const VALID: Duration = Duration::from_secs(10 * 60);

/// The bucket with the files.
#[derive(Clone, Debug)]
pub struct Files {
    bucket: Bucket,
}

/// A link to a file, for its buyer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whoever has it can download the file.
    pub url: String,
    /// Until when, in Unix seconds. A download that has begun by then goes on.
    pub expires_at: i64,
}

impl Files {
    /// Fails if the environment does not name the bucket.
    pub fn of(environment: &Environment) -> Result<Self, ConfigError> {
        let bucket = Bucket::named(environment, environment.required(FILES_BUCKET)?)?;
        Ok(Self { bucket })
    }

    /// A link that works for some minutes from `now` on. Nobody is asked, so it says nothing of whether
    /// the file is there.
    pub fn link(&self, product: &ProductId, name: &FileName, now: i64) -> Result<Link, Unsigned> {
        let disposition = disposition(name);
        let overrides = [
            ("response-content-disposition", disposition.as_str()),
            ("response-content-type", name.media_type()),
        ];
        let url = self
            .bucket
            .link(&key(product, name), overrides, now, VALID)?;
        let valid = i64::try_from(VALID.as_secs()).unwrap_or_default();
        Ok(Link {
            url,
            expires_at: now.saturating_add(valid),
        })
    }

    /// The file's address and bucket, for the operator, who signs each request.
    pub fn place(&self, product: &ProductId, name: &FileName) -> (&Bucket, String) {
        (&self.bucket, self.bucket.address(&key(product, name)))
    }
}

/// Where the file is in the bucket. Another one of the same product and name takes its place.
fn key(product: &ProductId, name: &FileName) -> String {
    format!("{product}/{name}")
}

/// Makes browsers keep the file, under its name (RFC 6266): the second form for those that know it, the
/// first for the others.
fn disposition(name: &FileName) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || " -_.()".contains(c);
    let ascii = name.as_str().chars();
    let ascii: String = ascii.map(|c| if plain(c) { c } else { '_' }).collect();
    let encoded = escaped(name.as_str());
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files<const N: usize>(more: [(&str, &str); N]) -> Files {
        let given = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "AKID"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "to/ken="),
            (FILES_BUCKET, "files"),
        ];
        let given = given.into_iter().chain(more);
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Files::of(&Environment::from(
            given.collect::<std::collections::BTreeMap<_, _>>(),
        ))
        .unwrap()
    }

    fn link(files: &Files, name: &str) -> Link {
        let (product, name) = ("atlas".parse().unwrap(), name.parse().unwrap());
        files.link(&product, &name, 1_790_000_000).unwrap()
    }

    /// The signature was computed apart from this code, by botocore 1.43.106.
    #[test]
    fn a_link_is_signed_as_s3_reckons_it_with_the_session_and_whatever_is_in_the_name() {
        let link = link(&files([]), "Grüße & \"Atlas\" 100%.pdf");
        assert_eq!(link.expires_at, 1_790_000_600);
        let (object, query) = link.url.split_once('?').unwrap();
        assert_eq!(
            object,
            "https://files.s3.eu-central-1.amazonaws.com/atlas/\
             Gr%C3%BC%C3%9Fe%20%26%20%22Atlas%22%20100%25.pdf"
        );
        let said: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let said = |name: &str| {
            let mut found = said.iter().filter(|(said, _)| said == name);
            let value = found.next().map(|(_, value)| value.as_ref());
            assert!(found.next().is_none(), "{name} is in {query} twice");
            value.unwrap_or_default()
        };
        assert_eq!(
            said("response-content-disposition"),
            "attachment; filename=\"Gr__e _ _Atlas_ 100_.pdf\"; \
             filename*=UTF-8''Gr%C3%BC%C3%9Fe%20%26%20%22Atlas%22%20100%25.pdf"
        );
        assert_eq!(said("response-content-type"), "application/pdf");
        assert_eq!(said("X-Amz-Expires"), "600");
        assert_eq!(said("X-Amz-Security-Token"), "to/ken=");
        assert_eq!(
            said("X-Amz-Signature"),
            "053d489b61e0d495b0fa5bd5cc04861df5982b4b2820e6e6804975ee17dfb7ce"
        );
    }

    #[test]
    fn whatever_stands_in_for_s3_has_the_bucket_in_its_paths() {
        let files = files([("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:3002/")]);
        let link = link(&files, "a.zip");
        let begins = "http://127.0.0.1:3002/files/atlas/a.zip?response-content-disposition=";
        assert!(link.url.starts_with(begins), "{}", link.url);
    }
}
