//! `till products images push`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use shared::aws::bucket::Bucket;
use shared::mode::Mode;
use shared::product::{Product, ProductId};
use shared::store::operator::StockChange;

use super::picture::Picture;
use crate::account::s3::{S3, Upload};
use crate::commands::console::{Consent, count, note};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;
use crate::commands::products::one::one;
use crate::commands::products::step::{Changed, Step, write};

pub(in crate::commands::products) const ABOUT: &str = "\
Upload pictures to the site, and show them as a product's, the first one first.

They take the place of those that the product has, unless --add is given. JPEG, PNG, WebP, AVIF and GIF are
taken, of at most 5 MB; of a folder, all pictures in it, by name.

A picture is called after its content, so that browsers may keep it forever: pushing it again changes
nothing.";

#[derive(Args)]
pub(in crate::commands) struct Push {
    /// Pictures, or folders with pictures
    #[arg(required = true, value_name = "FILE|FOLDER")]
    pictures: Vec<PathBuf>,
    /// The id of the product that they show
    #[arg(long, value_name = "ID")]
    product: ProductId,
    /// Keep the product's other pictures, and put these behind them
    #[arg(long)]
    add: bool,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

impl Push {
    pub(in crate::commands::products) async fn run(self) -> anyhow::Result<Exit> {
        let files = files(&self.pictures)?;
        let pictures = files.iter().map(|file| Picture::read(file));
        let pictures: Vec<_> = pictures.collect::<anyhow::Result<_>>()?;
        let shop = self.operator.shop().await?;
        let bucket = shop.site_bucket()?;
        let before = one(&shop, &self.product).await?;
        let site = shop.environment.site_url()?;
        let after = self.with_pictures(&before, &pictures, &site);
        after
            .check()
            .and_then(|()| after.check_images(shop.site()))?;
        let step = Step::between(Some(before), after.clone(), StockChange::Keep);
        let words = match &step {
            Some(step) => step.text(),
            None => format!("{} shows them already.\n", self.product),
        };
        shop.announce_writing();
        if shop.mode == Mode::Live {
            note(words.trim_end());
            let number = count(pictures.len(), "picture");
            self.consent.ask(&format!("Upload {number}?"))?;
        }
        let s3 = S3::of(&shop.environment)?;
        for picture in &pictures {
            upload(&s3, &bucket, picture).await?;
        }
        if let Some(step) = &step {
            write(&shop.assortment()?, step).await?;
        }
        let changed = Changed::to(&after, step.as_ref());
        self.operator.show(&changed, || words)?;
        Ok(Exit::Done)
    }

    fn with_pictures(&self, before: &Product, pictures: &[Picture], site: &str) -> Product {
        let mut images = match self.add {
            true => before.images.clone(),
            false => Vec::new(),
        };
        for picture in pictures {
            let address = format!("{site}/{}", picture.key());
            if !images.contains(&address) {
                images.push(address);
            }
        }
        Product {
            images,
            ..before.clone()
        }
    }
}

async fn upload(s3: &S3, bucket: &Bucket, picture: &Picture) -> anyhow::Result<()> {
    let upload = Upload {
        address: bucket.address(&picture.key()),
        content: picture.content.clone(),
        media_type: picture.media_type(),
        // It never changes under this name.
        cache_control: "public, max-age=31536000, immutable",
    };
    let put = s3.put(bucket, upload).await;
    put.with_context(|| {
        let shown = picture.file.display();
        format!("{shown} was not uploaded, and the product is as it was")
    })
}

/// The files as they are given, and those in folders by their names.
fn files(given: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in given {
        match path.is_dir() {
            true => files.extend(in_folder(path)?),
            false => files.push(path.clone()),
        }
    }
    Ok(files)
}

/// Without folders in it, and hidden files.
fn in_folder(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for entry in folder.read_dir().with_context(unreadable)? {
        let entry = entry.with_context(unreadable)?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        if entry.path().is_file() && !hidden {
            files.push(entry.path());
        }
    }
    if files.is_empty() {
        bail!("there are no pictures in {}", folder.display());
    }
    files.sort();
    Ok(files)
}
