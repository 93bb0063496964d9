//! `template.yaml`, which people edit.

use std::collections::BTreeMap;

use template::Template;

/// A template is read, or the error names the file.
pub(crate) fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Err(error) = Template::parse("template.yaml", text, &BTreeMap::new()) {
        assert!(error.to_string().starts_with("template.yaml"), "{error}");
    }
}
