//! Objects, as files in a folder: one folder per bucket, and below it the key.

use std::io::{self, SeekFrom};
use std::path::{Component, Path, PathBuf};

use axum::body::Bytes;
use futures::{Stream, StreamExt as _, stream};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};
use uuid::Uuid;

/// How many bytes are read at once.
const CHUNK: usize = 64 * 1024;

/// Where objects are kept.
pub(crate) struct Objects {
    folder: PathBuf,
    /// Those that there are.
    buckets: Vec<String>,
    /// Of a shop that keeps nothing: the folder is deleted when the shop closes.
    _until_closed: Option<TempDir>,
}

/// Why there is no object.
#[derive(Debug)]
pub(super) enum Unstored {
    NoBucket,
    NoKey,
    NotAKey,
    /// They do not have the hash that was signed.
    OtherBytes,
    BrokenOff,
    Failed(io::Error),
}

impl From<io::Error> for Unstored {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

/// An object that can be read.
pub(super) struct Object {
    file: File,
    pub(super) size: u64,
    changed: u128,
}

impl Objects {
    /// In this folder; `None` for as long as the shop is open.
    pub(crate) fn open_in(folder: Option<PathBuf>, buckets: Vec<String>) -> io::Result<Self> {
        let (folder, until_closed) = match folder {
            Some(folder) => (folder, None),
            None => {
                let folder = tempfile::Builder::new().prefix("till-").tempdir()?;
                (folder.path().to_owned(), Some(folder))
            }
        };
        Ok(Self {
            folder,
            buckets,
            _until_closed: until_closed,
        })
    }

    /// The folder of a bucket, whether it exists or not.
    pub(crate) fn folder_of(&self, bucket: &str) -> PathBuf {
        self.folder.join(bucket)
    }

    fn path(&self, bucket: &str, key: &str) -> Result<PathBuf, Unstored> {
        if !self.buckets.iter().any(|known| known == bucket) {
            return Err(Unstored::NoBucket);
        }
        let key = Path::new(key);
        // Nothing outside the bucket's folder, and nothing that is under way.
        let is_file = key.components().all(|part| match part {
            Component::Normal(name) => !name.to_string_lossy().starts_with('.'),
            _ => false,
        });
        match is_file && key.file_name().is_some() {
            true => Ok(self.folder_of(bucket).join(key)),
            false => Err(Unstored::NotAKey),
        }
    }

    pub(super) async fn open(&self, bucket: &str, key: &str) -> Result<Object, Unstored> {
        let path = self.path(bucket, key)?;
        let file = File::open(&path).await.map_err(missing)?;
        let about = file.metadata().await?;
        if !about.is_file() {
            return Err(Unstored::NoKey);
        }
        let changed = about.modified()?.duration_since(std::time::UNIX_EPOCH);
        Ok(Object {
            file,
            size: about.len(),
            changed: changed.map_or(0, |since| since.as_nanos()),
        })
    }

    /// Keeps an object whole or not at all, if its bytes have the hash, and are as many as expected.
    pub(super) async fn put(
        &self,
        bucket: &str,
        key: &str,
        body: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin,
        expected: (Option<&str>, u64),
    ) -> Result<String, Unstored> {
        let path = self.path(bucket, key)?;
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).await?;
        let half_done = folder.join(format!(".{}", Uuid::now_v7()));
        let kept = match write(&half_done, body, expected).await {
            Ok(()) => fs::rename(&half_done, &path).await.map_err(Unstored::from),
            Err(error) => Err(error),
        };
        if let Err(error) = kept {
            // What is left has no name that anybody asks for.
            let _ = fs::remove_file(&half_done).await;
            return Err(error);
        }
        Ok(self.open(bucket, key).await?.etag())
    }
}

async fn write(
    path: &Path,
    mut body: impl Stream<Item = Result<Bytes, axum::Error>> + Unpin,
    (hash, length): (Option<&str>, u64),
) -> Result<(), Unstored> {
    let mut file = File::create(path).await?;
    let (mut hashed, mut written) = (Sha256::new(), 0_u64);
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|_| Unstored::BrokenOff)?;
        file.write_all(&bytes).await?;
        hashed.update(&bytes);
        written = written.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    }
    file.sync_all().await?;
    if written != length {
        return Err(Unstored::BrokenOff);
    }
    match hash {
        Some(hash) if hash != hex::encode(hashed.finalize()) => Err(Unstored::OtherBytes),
        _ => Ok(()),
    }
}

fn missing(error: io::Error) -> Unstored {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unstored::NoKey,
        _ => Unstored::Failed(error),
    }
}

impl Object {
    /// Another one for other bytes, as far as the file's time and size tell.
    pub(super) fn etag(&self) -> String {
        format!("\"{:x}-{:x}\"", self.changed, self.size)
    }

    /// So many of its bytes.
    pub(super) async fn bytes(
        mut self,
        first: u64,
        length: u64,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + use<>, Unstored> {
        self.file.seek(SeekFrom::Start(first)).await?;
        let file = self.file.take(length);
        Ok(stream::try_unfold(file, |mut file| async move {
            let mut chunk = vec![0; CHUNK];
            let read = file.read(&mut chunk).await?;
            chunk.truncate(read);
            Ok((read > 0).then(|| (Bytes::from(chunk), file)))
        }))
    }
}
