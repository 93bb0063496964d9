//! What a file is, by what is in it.

use serde::{Deserialize, Serialize};

use crate::wire::multipart::Upload;

/// The formats that Stripe takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Format {
    Pdf,
    Jpeg,
    Png,
    Gif,
    Svg,
    Csv,
    Docx,
    Xlsx,
    Json,
    Text,
    Markdown,
    /// Something else, for the few purposes that take whatever there is.
    Other,
}

/// What files of a format begin with.
const SIGNATURES: [(&[u8], Format); 5] = [
    (b"%PDF-", Format::Pdf),
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
];

/// What files are that consist of text or are archives, by how their names end.
const ENDINGS: [(&str, Format, Sort); 7] = [
    ("docx", Format::Docx, Sort::Archive),
    ("xlsx", Format::Xlsx, Sort::Archive),
    ("svg", Format::Svg, Sort::Text),
    ("csv", Format::Csv, Sort::Text),
    ("json", Format::Json, Sort::Text),
    ("txt", Format::Text, Sort::Text),
    ("md", Format::Markdown, Sort::Text),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Archive,
    Text,
}

impl Format {
    /// What an upload is. Its content decides, and its name where that leaves a choice.
    pub(super) fn of(upload: &Upload) -> Self {
        let bytes = upload.bytes.as_slice();
        if let Some((_, format)) = SIGNATURES
            .iter()
            .find(|(start, _)| bytes.starts_with(start))
        {
            return *format;
        }
        let sort = if bytes.starts_with(b"PK\x03\x04") {
            Sort::Archive
        } else if !bytes.is_empty() && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok() {
            Sort::Text
        } else {
            return Self::Other;
        };
        let ending = upload.filename.rsplit_once('.').map(|(_, ending)| ending);
        let ending = ending.unwrap_or_default();
        let named = ENDINGS
            .iter()
            .find(|(its, _, of)| *of == sort && its.eq_ignore_ascii_case(ending));
        match named {
            Some((_, format, _)) if format.is_sound(bytes) => *format,
            _ => Self::Other,
        }
    }

    fn is_sound(self, bytes: &[u8]) -> bool {
        match self {
            Self::Json => serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok(),
            Self::Svg => bytes.windows(4).any(|window| window == b"<svg"),
            _ => true,
        }
    }

    /// As in the field `type`; nothing for what has no name.
    pub(super) fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Pdf => "pdf",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Svg => "svg",
            Self::Csv => "csv",
            Self::Docx => "docx",
            Self::Xlsx => "xlsx",
            Self::Json => "json",
            Self::Text => "txt",
            Self::Markdown => "md",
            Self::Other => return None,
        })
    }

    pub(super) fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Svg => "image/svg+xml",
            Self::Csv => "text/csv",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Json => "application/json",
            Self::Text => "text/plain",
            Self::Markdown => "text/markdown",
            Self::Other => "application/octet-stream",
        }
    }
}
