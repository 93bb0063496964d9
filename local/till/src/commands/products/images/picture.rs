//! A picture, and what kind its bytes say it is: its name may say anything.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::commands::console::bytes;

/// More than this, and buyers on the road would wait for it; no screen shows what it would gain.
const LARGEST: u64 = 5 * 1024 * 1024;

/// A picture that pages can show.
pub(super) struct Picture {
    pub(super) file: PathBuf,
    pub(super) content: Bytes,
    kind: Kind,
}

/// A format that browsers show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Avif,
    Gif,
    Jpeg,
    Png,
    Webp,
}

impl Kind {
    fn of(content: &[u8]) -> Option<Self> {
        let begins = |bytes: &[u8]| content.starts_with(bytes);
        let at = |place: usize, bytes: &[u8]| {
            let rest = content.get(place..).unwrap_or_default();
            rest.starts_with(bytes)
        };
        // Where ISO's container says what is in it, AVIF says this.
        let is_avif = at(4, b"ftyp") && (at(8, b"avif") || at(8, b"avis"));
        let checks = [
            (Self::Jpeg, begins(b"\xff\xd8\xff")),
            (Self::Png, begins(b"\x89PNG\r\n\x1a\n")),
            (Self::Gif, begins(b"GIF87a") || begins(b"GIF89a")),
            (Self::Webp, begins(b"RIFF") && at(8, b"WEBP")),
            (Self::Avif, is_avif),
        ];
        let found = checks.into_iter().find(|(_, holds)| *holds);
        found.map(|(kind, _)| kind)
    }

    fn extension(self) -> &'static str {
        match self {
            Self::Avif => "avif",
            Self::Gif => "gif",
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }
}

impl Picture {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let shown = file.display();
        let about = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?;
        if about.len() > LARGEST {
            bail!(
                "{shown} has {}, and a picture may have {}: make it smaller; 1600 pixels are wide enough",
                bytes(about.len()),
                bytes(LARGEST)
            );
        }
        let content = std::fs::read(file).with_context(|| format!("cannot read {shown}"))?;
        let Some(kind) = Kind::of(&content) else {
            let start =
                String::from_utf8_lossy(content.get(..1000).unwrap_or(&content)).into_owned();
            if start.contains("<svg") {
                bail!(
                    "{shown} is an SVG, which is a document that may run scripts on the shop's site: save \
                     it as PNG or WebP"
                );
            }
            bail!(
                "{shown} is not a picture that every browser shows: use JPEG, PNG, WebP, AVIF or GIF"
            );
        };
        Ok(Self {
            file: file.to_owned(),
            content: content.into(),
            kind,
        })
    }

    /// `pictures/<hash>.<ext>`: another picture has another name, so that none is ever out of date.
    pub(super) fn key(&self) -> String {
        let hash = hex::encode(Sha256::digest(&self.content));
        let hash = hash.get(..32).unwrap_or(&hash);
        format!("pictures/{hash}.{}", self.kind.extension())
    }

    pub(super) fn media_type(&self) -> &'static str {
        match self.kind {
            Kind::Avif => "image/avif",
            Kind::Gif => "image/gif",
            Kind::Jpeg => "image/jpeg",
            Kind::Png => "image/png",
            Kind::Webp => "image/webp",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        for (content, kind) in [
            (&b"\xff\xd8\xff\xe0\x00\x10JFIF"[..], Kind::Jpeg),
            (b"\x89PNG\r\n\x1a\n\x00\x00", Kind::Png),
            (b"GIF89a\x01\x00", Kind::Gif),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", Kind::Webp),
            (b"\x00\x00\x00\x20ftypavif\x00", Kind::Avif),
        ] {
            assert_eq!(Kind::of(content), Some(kind));
        }
        for other in [
            &b""[..],
            b"RIFF\x24\x00\x00\x00WAVE",
            b"\x00\x00\x00\x20ftypmp42",
            b"%PDF-1.7",
        ] {
            assert_eq!(Kind::of(other), None, "{other:?}");
        }
    }

    #[test]
    fn what_pages_cannot_show_or_should_not_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str, content: &[u8]| {
            let file = folder.path().join(name);
            std::fs::write(&file, content).unwrap();
            let refused = Picture::read(&file).map(|picture| picture.key());
            refused.unwrap_err().to_string()
        };
        let svg = refused(
            "mug.png",
            b"<?xml version=\"1.0\"?>\n<svg onload=\"alert(1)\"/>",
        );
        assert!(svg.contains("may run scripts"), "{svg}");
        assert!(refused("mug.jpg", b"%PDF-1.7").contains("use JPEG"));
        let large = std::fs::File::create(folder.path().join("large.jpg")).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        let large = Picture::read(&folder.path().join("large.jpg")).map(|picture| picture.key());
        assert!(large.unwrap_err().to_string().contains("make it smaller"));
    }
}
