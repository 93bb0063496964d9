//! `till products file push`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::Args;
use shared::files::Files;
use shared::mode::Mode;
use shared::product::{FileName, Product, ProductFile, ProductId};
use shared::store::operator::StockChange;

use crate::account::s3::{S3, Upload};
use crate::commands::console::{Consent, bytes, note};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;
use crate::commands::products::one::one;
use crate::commands::products::step::{Changed, Step, write};

pub(in crate::commands::products) const ABOUT: &str = "\
Upload a file that buyers of a product download.

It goes to the shop's private bucket. Whoever has paid finds a link to it on the page of their purchase; a
refund of everything, or a dispute, ends that.

A file is kept by its product and its name. Push another under the same name, and everybody who bought the
product gets the new one, earlier buyers too; under another name, earlier buyers keep theirs.";

/// S3 takes five times as much in one piece, but it has to fit into memory.
const LARGEST: u64 = 1024 * 1024 * 1024;

#[derive(Args)]
pub(in crate::commands) struct Push {
    /// The file
    file: PathBuf,
    /// The id of the product whose buyers download it
    #[arg(long, value_name = "ID")]
    product: ProductId,
    /// What it is called on buyers' machines [default: as it is called here]
    #[arg(long)]
    name: Option<FileName>,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

impl Push {
    pub(in crate::commands::products) async fn run(self) -> anyhow::Result<Exit> {
        let name = match self.name.clone() {
            Some(name) => name,
            None => name_of(&self.file)?,
        };
        let size = size_of(&self.file)?;
        let shop = self.operator.shop().await?;
        let before = one(&shop, &self.product).await?;
        let file = ProductFile {
            name: name.clone(),
            size: Some(size),
        };
        let after = Product {
            file: Some(file),
            ..before.clone()
        };
        after.check()?;
        let (files, s3) = (shop.files()?, S3::of(&shop.environment)?);
        let (bucket, address) = files.place(&self.product, &name);
        let there = s3.size(bucket, address.clone()).await;
        let there = there.with_context(|| format!("cannot see whether {name} is there"))?;
        let step = Step::between(Some(before), after.clone(), StockChange::Keep);
        let words = step.as_ref().map(Step::text).unwrap_or_default();
        shop.announce_writing();
        if there.is_some() || shop.mode == Mode::Live {
            note(words.trim_end());
            self.consent.ask(&self.question(&name, there))?;
        }
        self.upload(&s3, &files, &name).await?;
        if let Some(step) = &step {
            write(&shop.assortment()?, step).await?;
        }
        let changed = Changed::to(&after, step.as_ref());
        self.operator.show(&changed, || {
            let id = &self.product;
            format!("{words}Buyers of {id} download {name}, {}.\n", bytes(size))
        })?;
        Ok(Exit::Done)
    }

    fn question(&self, name: &FileName, there: Option<u64>) -> String {
        let id = &self.product;
        match there {
            Some(size) => format!(
                "{id} has a file {name} already ({}). Replace it, for earlier buyers too?",
                bytes(size)
            ),
            None => format!("Upload {name} for buyers of {id}?"),
        }
    }

    async fn upload(&self, s3: &S3, files: &Files, name: &FileName) -> anyhow::Result<()> {
        let shown = self.file.display();
        let content = std::fs::read(&self.file);
        let content = content.with_context(|| format!("cannot read {shown}"))?;
        let (bucket, address) = files.place(&self.product, name);
        let upload = Upload {
            address,
            content: Bytes::from(content),
            media_type: name.media_type(),
            // Links change all the time, and what is behind them may.
            cache_control: "private, no-cache",
        };
        let put = s3.put(bucket, upload).await;
        put.with_context(|| format!("{shown} was not uploaded, and the product is as it was"))
    }
}

fn name_of(file: &Path) -> anyhow::Result<FileName> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default().parse();
    name.with_context(|| format!("{}: choose another name with --name", file.display()))
}

fn size_of(file: &Path) -> anyhow::Result<u64> {
    let shown = file.display();
    let about = std::fs::metadata(file).with_context(|| format!("cannot read {shown}"))?;
    let size = about.len();
    if !about.is_file() {
        bail!("{shown} is not a file: put what belongs together into a .zip");
    }
    if size == 0 {
        bail!("{shown} is empty");
    }
    if size > LARGEST {
        bail!(
            "{shown} has {}, and this command uploads at most {}: put it into the bucket with \
             `aws s3 cp`, as docs/OPERATIONS.md says",
            bytes(size),
            bytes(LARGEST)
        );
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_nobody_could_download_is_named_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let why = |name: &str| size_of(&folder.path().join(name)).unwrap_err().to_string();
        std::fs::write(folder.path().join("empty.pdf"), "").unwrap();
        assert!(why("empty.pdf").ends_with("empty.pdf is empty"));
        assert!(why("missing.pdf").starts_with("cannot read "));
        assert!(why("").contains("into a .zip"), "{}", why(""));
        let large = std::fs::File::create(folder.path().join("large.iso")).unwrap();
        large.set_len(LARGEST + 1).unwrap();
        assert!(why("large.iso").contains("aws s3 cp"));
        let wrong = name_of(Path::new("/tmp/.hidden")).unwrap_err();
        assert!(wrong.to_string().contains("--name"), "{wrong}");
    }
}
