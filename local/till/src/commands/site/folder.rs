//! The folder that is written: whole beside its place, then put there at once.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// A site that is copied, and where to.
pub(super) struct Folder {
    source: PathBuf,
    out: PathBuf,
    /// Where it is written before it is whole.
    part: PathBuf,
}

impl Folder {
    /// Refuses what would destroy something: only a site that was built may be replaced.
    pub(super) fn between(source: &Path, out: &Path) -> anyhow::Result<Self> {
        let source = source.canonicalize().with_context(|| {
            format!(
                "there is no site at {}: say where it is with --site",
                source.display()
            )
        })?;
        let out = std::path::absolute(out).context("the current folder is gone")?;
        let Some(name) = out.file_name() else {
            bail!(
                "--out {} is not a folder that can be written",
                out.display()
            );
        };
        let there = out.canonicalize().unwrap_or_else(|_| out.clone());
        if there.starts_with(&source) || source.starts_with(&there) {
            bail!(
                "--out {} and the site in {} are in one another: choose another folder",
                out.display(),
                source.display()
            );
        }
        let is_empty = out
            .read_dir()
            .is_ok_and(|mut entries| entries.next().is_none());
        if out.exists() && !is_empty && !out.join("sitemap.xml").is_file() {
            bail!(
                "--out {} has something else in it than a site that was built: choose another folder",
                out.display()
            );
        }
        let mut part = name.to_owned();
        part.push(".part");
        let part = out.with_file_name(part);
        Ok(Self { source, out, part })
    }

    /// As a sentence names it.
    pub(super) fn name(&self) -> String {
        self.out.display().to_string()
    }

    /// Whether something will be replaced.
    pub(super) fn is_there(&self) -> bool {
        self.out.join("sitemap.xml").is_file()
    }

    /// A file of the site that is copied.
    pub(super) fn read(&self, path: &str) -> anyhow::Result<String> {
        let path = self.source.join(path);
        std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
    }

    /// The pages at the top of the site.
    pub(super) fn pages(&self) -> anyhow::Result<Vec<String>> {
        let unreadable = || format!("cannot read {}", self.source.display());
        let mut pages = Vec::new();
        for entry in self.source.read_dir().with_context(unreadable)? {
            let name = entry.with_context(unreadable)?.file_name();
            if Path::new(&name).extension() == Some(OsStr::new("html")) {
                pages.push(name.to_string_lossy().into_owned());
            }
        }
        pages.sort();
        Ok(pages)
    }

    /// Copies what browsers load.
    pub(super) fn copy(&self) -> anyhow::Result<()> {
        if self.part.exists() {
            std::fs::remove_dir_all(&self.part)
                .with_context(|| format!("cannot remove {}", self.part.display()))?;
        }
        copy(&self.source, &self.part)
    }

    /// Writes a file of the copy.
    pub(super) fn write(&self, path: &str, text: &str) -> anyhow::Result<()> {
        let path = self.part.join(path);
        let folder = path.parent().unwrap_or(&self.part);
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The copy is whole: it takes the place of the former one.
    pub(super) fn put_in_place(&self) -> anyhow::Result<()> {
        let unwritable = || format!("cannot write {}", self.out.display());
        if self.out.exists() {
            std::fs::remove_dir_all(&self.out).with_context(unwritable)?;
        }
        std::fs::rename(&self.part, &self.out).with_context(unwritable)
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("cannot write {}", to.display()))?;
    let unreadable = || format!("cannot read {}", from.display());
    for entry in from.read_dir().with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let (name, path) = (entry.file_name(), entry.path());
        let hidden = name.to_string_lossy().starts_with('.');
        // Types are for whoever writes scripts.
        if hidden || name.to_string_lossy().ends_with(".d.ts") {
            continue;
        }
        if path.is_dir() {
            copy(&path, &to.join(name))?;
        } else {
            std::fs::copy(&path, to.join(name))
                .with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_replaced_but_a_site_that_was_built() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("site/js")).unwrap();
        std::fs::create_dir_all(at("photos")).unwrap();
        std::fs::write(at("photos/ada.jpg"), "").unwrap();
        let refused = |out: &Path| {
            let between = Folder::between(&at("site"), out);
            between.err().map(|why| why.to_string())
        };
        for out in [at("site"), at("site/built"), folder.path().to_owned()] {
            assert!(refused(&out).unwrap().contains("in one another"));
        }
        assert!(refused(&at("photos")).unwrap().contains("something else"));
        assert_eq!(refused(&at("new")), None);
        std::fs::write(at("photos/sitemap.xml"), "").unwrap();
        assert_eq!(refused(&at("photos")), None);
    }
}
