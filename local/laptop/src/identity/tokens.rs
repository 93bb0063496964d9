//! Tokens like Cognito's: RS256, with the ID token for the API.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{Jwk, PublicKeyUse, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::data;

pub(super) const LIFETIME_SECONDS: i64 = 3600;

/// Who is signed in.
#[derive(Clone)]
pub(super) struct Person {
    subject: String,
    email: String,
    verified: bool,
}

impl Person {
    /// The subject follows from the address, so that a purchase history survives a fresh start.
    pub(super) fn new(email: String, verified: bool) -> Self {
        let mut bytes = [0; 16];
        bytes
            .iter_mut()
            .zip(Sha256::digest(&email))
            .for_each(|(byte, hash)| *byte = hash);
        let subject = uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string();
        Self {
            subject,
            email,
            verified,
        }
    }
}

pub(super) struct Keys {
    issuer: String,
    client_id: &'static str,
    signing: EncodingKey,
    verifying: DecodingKey,
    public: Jwk,
}

impl Keys {
    /// The key in `file`, which is created if needed; without a file, a key that is not kept.
    pub(super) fn open(
        issuer: &str,
        client_id: &'static str,
        file: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let pem = match file {
            Some(file) if file.exists() => fs::read_to_string(file)
                .with_context(|| format!("cannot read {}", file.display()))?,
            Some(file) => {
                let pem = new_key()?;
                // It is on disk before it signs anything.
                data::keep(file, pem.as_bytes())
                    .with_context(|| format!("cannot write {}", file.display()))?;
                pem
            }
            None => new_key()?,
        };
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).with_context(|| {
            let file = file.unwrap_or(Path::new("the key")).display();
            format!("{file} is not a signing key; delete it, and a new one is made")
        })?;
        let mut public = Jwk::from_encoding_key(&signing, Algorithm::RS256)?;
        public.common.public_key_use = Some(PublicKeyUse::Signature);
        public.common.key_id = Some(public.thumbprint(ThumbprintHash::SHA256)?);
        let verifying = DecodingKey::from_jwk(&public)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            client_id,
            signing,
            verifying,
            public,
        })
    }

    pub(super) fn jwks(&self) -> Value {
        json!({ "keys": [self.public] })
    }

    pub(super) fn id_token(
        &self,
        person: &Person,
        nonce: Option<&str>,
    ) -> jsonwebtoken::errors::Result<String> {
        let mut claims = self.claims(person, "id");
        claims.insert("aud".into(), self.client_id.into());
        claims.insert("email".into(), person.email.clone().into());
        claims.insert("email_verified".into(), person.verified.into());
        if let Some(nonce) = nonce {
            claims.insert("nonce".into(), nonce.into());
        }
        self.sign(&claims)
    }

    /// Like Cognito's: without an audience and an address, so the shop has no use for it, but
    /// OpenID Connect requires one.
    pub(super) fn access_token(&self, person: &Person) -> jsonwebtoken::errors::Result<String> {
        let mut claims = self.claims(person, "access");
        claims.insert("client_id".into(), self.client_id.into());
        claims.insert("scope".into(), "openid email".into());
        self.sign(&claims)
    }

    fn claims(&self, person: &Person, token_use: &str) -> Map<String, Value> {
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let claims = json!({
            "iss": self.issuer,
            "sub": person.subject,
            "token_use": token_use,
            "iat": now,
            "auth_time": now,
            "exp": now.saturating_add(LIFETIME_SECONDS),
            "jti": Uuid::now_v7().to_string(),
        });
        if let Value::Object(claims) = claims {
            claims
        } else {
            Map::new()
        }
    }

    fn sign(&self, claims: &Map<String, Value>) -> jsonwebtoken::errors::Result<String> {
        let mut header = Header::new(Algorithm::RS256);
        header.kid.clone_from(&self.public.common.key_id);
        jsonwebtoken::encode(&header, claims, &self.signing)
    }

    /// The claims of a token, if it is ours, unchanged, for this client and not expired; otherwise
    /// what is wrong with it.
    pub(super) fn verify(&self, token: &str) -> Result<Map<String, Value>, &'static str> {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.leeway = 0;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer]);
        validation.set_required_spec_claims(&["exp", "iss"]);
        // Checked below, as API Gateway does: `aud`, or `client_id` where there is none.
        validation.validate_aud = false;
        let token = jsonwebtoken::decode::<Map<String, Value>>(token, &self.verifying, &validation)
            .map_err(|error| match error.kind() {
                ErrorKind::ExpiredSignature => "the token has expired",
                ErrorKind::ImmatureSignature => "the token is not valid yet",
                ErrorKind::InvalidIssuer => "invalid issuer",
                ErrorKind::MissingRequiredClaim(_) => "a required claim is missing",
                ErrorKind::InvalidSignature => "signature is invalid",
                ErrorKind::InvalidAlgorithm => "signing method is invalid",
                _ => "unable to parse the token",
            })?;
        let audience = token
            .claims
            .get("aud")
            .or_else(|| token.claims.get("client_id"));
        let for_us = match audience {
            Some(Value::String(one)) => one == self.client_id,
            Some(Value::Array(several)) => several.iter().any(|one| one == self.client_id),
            _ => false,
        };
        if for_us {
            Ok(token.claims)
        } else {
            Err("the token does not have a valid audience")
        }
    }
}

/// A private key as PEM.
fn new_key() -> anyhow::Result<String> {
    let pair = KeyPair::generate(KeySize::Rsa2048).context("cannot make a signing key")?;
    let der = STANDARD.encode(
        pair.as_der()
            .context("cannot write a signing key")?
            .as_ref(),
    );
    Ok(format!(
        "-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n"
    ))
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    const ISSUER: &str = "http://127.0.0.1:3000/_local/identity";

    fn keys() -> Keys {
        Keys::open(ISSUER, "till-local", None).unwrap()
    }

    fn ada() -> Person {
        Person::new("ada@example.com".into(), true)
    }

    #[test]
    fn id_tokens_and_access_tokens_are_accepted() {
        let keys = keys();
        let claims = keys
            .verify(&keys.id_token(&ada(), Some("n")).unwrap())
            .unwrap();
        assert_eq!(claims["email"], "ada@example.com");
        assert_eq!(claims["token_use"], "id");
        assert_eq!(claims["nonce"], "n");
        assert_eq!(claims["sub"], ada().subject);
        let claims = keys.verify(&keys.access_token(&ada()).unwrap()).unwrap();
        assert_eq!(claims.get("email"), None);
    }

    #[test]
    fn a_token_is_refused_for_anything_that_can_be_wrong_with_it() {
        let keys = keys();
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let right = json!({ "iss": ISSUER, "aud": "till-local", "exp": now + 60 });
        let with = |name: &str, value: Value| {
            let mut claims = right.clone();
            claims[name] = value;
            keys.sign(claims.as_object().unwrap()).unwrap()
        };
        assert!(
            keys.verify(&with("aud", json!(["other", "till-local"])))
                .is_ok()
        );
        for (token, why) in [
            (with("exp", json!(now - 1)), "the token has expired"),
            (with("exp", json!("soon")), "a required claim is missing"),
            (with("nbf", json!(now + 30)), "the token is not valid yet"),
            (
                with("iss", json!("https://elsewhere.example")),
                "invalid issuer",
            ),
            (
                with("aud", json!("other")),
                "the token does not have a valid audience",
            ),
            (
                with("aud", json!(["other"])),
                "the token does not have a valid audience",
            ),
            ("nonsense".to_owned(), "unable to parse the token"),
            (String::new(), "unable to parse the token"),
        ] {
            assert_eq!(keys.verify(&token), Err(why), "{token}");
        }
        let stranger = Keys::open(ISSUER, "till-local", None).unwrap();
        let forged = stranger.id_token(&ada(), None).unwrap();
        assert_eq!(keys.verify(&forged), Err("signature is invalid"));
    }

    #[test]
    fn a_token_without_a_signature_or_signed_with_the_public_key_is_refused() {
        let keys = keys();
        let now = OffsetDateTime::now_utc().unix_timestamp();
        let claims = json!({ "iss": ISSUER, "aud": "till-local", "exp": now + 60 });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let public = keys.jwks()["keys"][0]["n"].as_str().unwrap().to_owned();
        let unsigned = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
        assert!(keys.verify(&unsigned).is_err());
        let public = EncodingKey::from_secret(public.as_bytes());
        let confused =
            jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &public).unwrap();
        assert_eq!(keys.verify(&confused), Err("signing method is invalid"));
    }

    #[test]
    fn the_same_key_signs_after_a_restart_and_nobody_else_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("identity.pem");
        let first = Keys::open(ISSUER, "till-local", Some(&file)).unwrap();
        let token = first.id_token(&ada(), None).unwrap();
        let second = Keys::open(ISSUER, "till-local", Some(&file)).unwrap();
        assert!(second.verify(&token).is_ok());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&file).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        fs::write(&file, b"rubbish").unwrap();
        let error = Keys::open(ISSUER, "till-local", Some(&file))
            .err()
            .unwrap()
            .to_string();
        assert!(
            error.contains("identity.pem is not a signing key"),
            "{error}"
        );
    }

    #[test]
    fn one_address_is_one_person() {
        assert_eq!(ada().subject, ada().subject);
        assert_ne!(
            ada().subject,
            Person::new("bob@example.com".into(), true).subject
        );
        assert!(Uuid::parse_str(&ada().subject).is_ok());
    }
}
