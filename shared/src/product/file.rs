//! The file that a product is, or comes with.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::plain::is_plain;

/// A file that whoever buys the product may download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductFile {
    /// What it is called on the buyer's machine.
    pub name: FileName,
    /// How many bytes it has, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// The name of a file: a line of plain characters that every file system takes, 200 bytes at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileName(String);

/// Not the name of a file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a file's name is 1 to {LONGEST} bytes of plain characters, without / or \\, and does not begin \
     with a dot"
)]
pub struct NotAFileName;

/// In bytes: file systems take 255, of which a browser may need some to number copies.
const LONGEST: usize = 200;

/// How files are told to browsers, by the end of their names; what is not here is just bytes.
const MEDIA_TYPES: [(&str, &str); 22] = [
    ("avif", "image/avif"),
    ("csv", "text/csv"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    ("epub", "application/epub+zip"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("m4a", "audio/mp4"),
    ("mobi", "application/x-mobipocket-ebook"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("wav", "audio/wav"),
    ("webp", "image/webp"),
    ("zip", "application/zip"),
];

impl FileName {
    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of file its name says it is.
    pub fn media_type(&self) -> &'static str {
        let end = self.0.rsplit_once('.').map(|(_, end)| end);
        let end = end.unwrap_or_default().to_ascii_lowercase();
        let known = MEDIA_TYPES.iter().find(|(known, _)| *known == end);
        known.map_or("application/octet-stream", |(_, media_type)| media_type)
    }
}

impl FromStr for FileName {
    type Err = NotAFileName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=LONGEST).contains(&text.len()) && text.trim() == text;
        let is_one = !text.starts_with('.') && !text.contains(['/', '\\']);
        match fits && is_one && text.chars().all(is_plain) {
            true => Ok(Self(text.to_owned())),
            false => Err(NotAFileName),
        }
    }
}

impl TryFrom<String> for FileName {
    type Error = NotAFileName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FileName> for String {
    fn from(name: FileName) -> Self {
        name.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_every_machine_can_keep_and_nobody_misreads() {
        for name in [
            "Atlas.pdf",
            "Grüße aus Wien (2. Auflage).epub",
            "100% \"yes\".zip",
            "a",
        ] {
            assert_eq!(name.parse::<FileName>().unwrap().as_str(), name);
        }
        for name in [
            "",
            ".htaccess",
            "..",
            "a/b.pdf",
            "a\\b.pdf",
            " atlas.pdf",
            "atlas.pdf\r\nX: y",
            "atlas\u{202e}fdp.exe",
            &"x".repeat(201),
        ] {
            assert_eq!(name.parse::<FileName>(), Err(NotAFileName), "{name:?}");
        }
    }

    #[test]
    fn what_kind_of_file_it_is_follows_from_the_end_of_its_name() {
        let of = |name: &str| name.parse::<FileName>().unwrap().media_type();
        assert_eq!(of("Atlas.PDF"), "application/pdf");
        assert_eq!(of("pdf"), "application/octet-stream");
        assert_eq!(of("atlas.pdf.exe"), "application/octet-stream");
    }
}
