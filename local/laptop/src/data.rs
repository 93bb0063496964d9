//! The data folder: used by one shop at a time, and closed to everybody but its user, because it
//! says who bought what.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Marks a folder as a shop's, and is locked while the shop is open.
const LOCK: &str = "lock";

/// The data folder, which is ours alone while the lock is held.
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Opens the folder, creating it if needed, and shuts others out of it. A folder with other
    /// things in it is refused, because others may need those.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let unwritable = || {
            format!(
                "cannot write to the data folder {}; choose another with --data",
                path.display()
            )
        };
        make(path).with_context(unwritable)?;
        if !is_ours(path).with_context(unwritable)? {
            bail!(
                "the data folder {} has other files in it, and till would close it to everybody \
                 but you: choose an empty folder with --data",
                path.display()
            );
        }
        let lock = private_file(&path.join(LOCK)).with_context(unwritable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => bail!(
                "another till is using the data folder {}; stop it or choose another with --data",
                path.display()
            ),
            Err(TryLockError::Error(error)) => return Err(error).with_context(unwritable),
        }
        close_to_others(path).with_context(unwritable)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// The path of a file.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The path of a database, whose file is created here if needed: SQLite would let others read a
    /// file that it creates itself, and gives its journals the permissions of their database.
    pub(crate) fn database(&self, name: &str) -> anyhow::Result<PathBuf> {
        let file = self.file(name);
        private_file(&file).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(file)
    }
}

/// Writes a file whole or not at all, readable only by its owner.
pub(crate) fn keep(file: &Path, content: &[u8]) -> io::Result<()> {
    let half_done = file.with_extension("new");
    let mut new = private_file(&half_done)?;
    new.set_len(0)?;
    new.write_all(content)?;
    new.sync_all()?;
    fs::rename(&half_done, file)
}

fn is_ours(folder: &Path) -> io::Result<bool> {
    Ok(folder.join(LOCK).exists() || fs::read_dir(folder)?.next().is_none())
}

fn make(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens the file, or a new one that nobody else can read.
fn private_file(file: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// An earlier version may have created it open to others.
#[cfg(unix)]
fn close_to_others(folder: &Path) -> io::Result<()> {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::set_permissions(entry.path(), Permissions::from_mode(0o600))?;
        }
    }
    Ok(())
}

/// On other systems a folder has its parent's permissions, and a user's own is closed to others.
#[cfg(not(unix))]
fn close_to_others(_: &Path) -> io::Result<()> {
    Ok(())
}
