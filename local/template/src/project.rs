//! Where the shop's files are.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// A checkout of the shop.
#[derive(Debug, Clone)]
pub struct Project {
    /// The deployed system.
    pub template: PathBuf,
    /// The static site's folder.
    pub site: PathBuf,
}

impl Project {
    /// The checkout that the current folder is in, else the one that this program was built from.
    pub fn find() -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("the current folder is gone")?;
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = here
            .ancestors()
            .chain(built_from.ancestors().skip(1))
            .find_map(Self::at);
        match found {
            Some(project) => Ok(project),
            None => bail!(
                "there is no template.yaml in {} or any folder above it, and no longer one where till was \
                 built ({}): start till in a checkout of the shop",
                here.display(),
                built_from.display()
            ),
        }
    }

    /// The checkout in this folder, if it has a template.
    pub fn at(folder: &Path) -> Option<Self> {
        let template = folder.join("template.yaml");
        template.is_file().then(|| Self {
            template,
            site: folder.join("site"),
        })
    }
}
