//! Metadata within parameters, within Stripe's limits.

use super::Params;
use crate::engine::resource::Metadata;
use crate::wire::errors::ApiError;
use crate::wire::form::Node;

impl Params {
    /// Up to 50 pairs of a short key and a text.
    pub(crate) fn metadata(&mut self, field: &str) -> Result<Metadata, ApiError> {
        let mut metadata = Metadata::new();
        self.metadata_update(field)?.apply(&mut metadata)?;
        Ok(metadata)
    }

    /// What is to become of metadata there already is.
    pub(crate) fn metadata_update(&mut self, field: &str) -> Result<MetadataUpdate, ApiError> {
        let name = self.name(field);
        let refuse = |message: &str, name: String| Err(ApiError::invalid(message).param(name));
        if matches!(self.fields.get(field), Some(Node::Text(text)) if text.is_empty()) {
            self.fields.remove(field);
            return Ok(MetadataUpdate::Clear);
        }
        let mut pairs = Metadata::new();
        for (key, node) in self.object(field)?.fields {
            let name = format!("{name}[{key}]");
            match node {
                _ if key.chars().count() > 40 => {
                    return refuse("Metadata keys may have at most 40 characters.", name);
                }
                Node::Fields(_) => return refuse("Metadata values must be strings.", name),
                Node::Text(text) if text.chars().count() > 500 => {
                    return refuse("Metadata values may have at most 500 characters.", name);
                }
                Node::Text(text) => {
                    pairs.insert(key, text);
                }
            }
        }
        Ok(MetadataUpdate::Set { name, pairs })
    }
}

/// A change of metadata.
#[derive(Debug)]
pub(crate) enum MetadataUpdate {
    /// Takes everything away.
    Clear,
    /// Sets keys; one with an empty value is taken away.
    Set { name: String, pairs: Metadata },
}

impl MetadataUpdate {
    pub(crate) fn apply(self, metadata: &mut Metadata) -> Result<(), ApiError> {
        match self {
            Self::Clear => metadata.clear(),
            Self::Set { name, pairs } => {
                metadata.extend(pairs);
                metadata.retain(|_, value| !value.is_empty());
                if metadata.len() > 50 {
                    return Err(ApiError::invalid("Metadata may have at most 50 keys.").param(name));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_keeps_to_stripes_limits() {
        let read = |form: String| Params::parse(form.as_bytes()).unwrap().metadata("metadata");
        assert_eq!(
            read("metadata[a]=1&metadata[0]=2&metadata[gone]=".into())
                .unwrap()
                .len(),
            2
        );
        assert!(read(format!("metadata[{}]=1", "k".repeat(41))).is_err());
        assert!(read(format!("metadata[k]={}", "v".repeat(501))).is_err());
        let many: Vec<_> = (0..51).map(|n| format!("metadata[k{n}]=v")).collect();
        assert!(read(many.join("&")).is_err());
    }
}
