//! What files are for, and what each purpose takes: the table of docs.stripe.com/file-upload. Where that
//! page says nothing of a purpose, anything is taken.

use crate::engine::time::{DAY, Timestamp};
use crate::file::format::Format;
use crate::wire::errors::ApiError;

/// Stripe's largest.
pub(crate) const LARGEST: usize = 64 << 20;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What there is to know of one purpose.
#[derive(Debug)]
pub(super) struct Purpose {
    pub(super) name: &'static str,
    /// What files may be; empty if anything.
    formats: &'static [Format],
    /// The most that a file may have, in bytes.
    most: usize,
    /// How long a file is there, in seconds; for ever without.
    pub(super) lasts: Option<Timestamp>,
    /// Whether its content can be had again, and so whether there can be links to it.
    pub(super) downloadable: bool,
}

const IMAGES: &[Format] = &[Format::Jpeg, Format::Png, Format::Gif];
const DOCUMENTS: &[Format] = &[Format::Pdf, Format::Jpeg, Format::Png];

static PURPOSES: [Purpose; 15] = [
    lasting("account_requirement", DOCUMENTS, 64 * MIB, false),
    lasting("additional_verification", DOCUMENTS, 16 * MIB, false),
    lasting("business_icon", IMAGES, 512 * KIB, true),
    lasting("business_logo", IMAGES, 512 * KIB, true),
    Purpose {
        lasts: Some(7 * DAY),
        ..lasting(
            "customer_signature",
            &[Format::Jpeg, Format::Png, Format::Svg],
            4 * MIB,
            true,
        )
    },
    Purpose {
        // Nine months.
        lasts: Some(270 * DAY),
        ..lasting("dispute_evidence", DOCUMENTS, 5 * MIB, true)
    },
    lasting("identity_document", DOCUMENTS, 32 * MIB, false),
    Purpose {
        lasts: Some(730 * DAY),
        ..lasting(
            "issuing_regulatory_reporting",
            &[Format::Json],
            256 * KIB,
            true,
        )
    },
    lasting("pci_document", &[Format::Pdf], 16 * MIB, true),
    lasting(
        "platform_terms_of_service",
        &[Format::Pdf, Format::Text, Format::Markdown],
        64 * MIB,
        false,
    ),
    lasting(
        "tax_document_user_upload",
        &[
            Format::Pdf,
            Format::Csv,
            Format::Jpeg,
            Format::Png,
            Format::Xlsx,
            Format::Docx,
        ],
        16 * MIB,
        true,
    ),
    lasting("terminal_android_apk", &[], LARGEST, true),
    lasting("terminal_reader_splashscreen", IMAGES, 4 * MIB, true),
    lasting("terminal_wifi_certificate", &[], LARGEST, false),
    lasting("terminal_wifi_private_key", &[], LARGEST, false),
];

const fn lasting(
    name: &'static str,
    formats: &'static [Format],
    most: usize,
    downloadable: bool,
) -> Purpose {
    Purpose {
        name,
        formats,
        most,
        lasts: None,
        downloadable,
    }
}

impl Purpose {
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        PURPOSES.iter().find(|purpose| purpose.name == name)
    }

    /// Refuses a file that this purpose does not take.
    pub(super) fn check(&self, format: Format, size: usize) -> Result<(), ApiError> {
        if size > self.most {
            let most = match self.most {
                most if most < MIB => format!("{} KB", most / KIB),
                most => format!("{} MB", most / MIB),
            };
            return Err(ApiError::invalid(format!(
                "The file you uploaded is too large: with the purpose {}, it may have at most {most}.",
                self.name
            ))
            .param("file"));
        }
        if self.formats.is_empty() || self.formats.contains(&format) {
            return Ok(());
        }
        let formats = self.formats.iter().map(|format| format.media_type());
        let mut formats: Vec<_> = formats.collect();
        formats.sort_unstable();
        Err(ApiError::invalid(format!(
            "We don't currently support that file type. Try uploading a file with one of the following \
             mimetypes: {}.",
            formats.join(", ")
        ))
        .param("file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::description::{Description, Shape};

    #[test]
    fn every_purpose_that_stripe_takes_is_known() {
        let found = Description::newest()
            .operation("POST", "/v1/files")
            .unwrap();
        let Some(Shape::Enum(described)) = found.operation.params.get("purpose").map(|it| it.shape)
        else {
            panic!("purpose is one of several");
        };
        let known: Vec<_> = PURPOSES.iter().map(|purpose| purpose.name).collect();
        assert_eq!(known, described);
    }
}
