//! `till products file remove`.

use clap::Args;
use shared::mode::Mode;
use shared::product::{Product, ProductId};
use shared::store::operator::StockChange;

use crate::commands::console::{Consent, note};
use crate::commands::exit::Exit;
use crate::commands::operator::Operator;
use crate::commands::products::one::one;
use crate::commands::products::step::{Changed, Step, write};

pub(in crate::commands::products) const ABOUT: &str = "\
Sell a product without its file from now on.

Whoever bought it before can still download what they bought: the file stays in the bucket.";

#[derive(Args)]
pub(in crate::commands) struct Remove {
    /// The product's id
    #[arg(long, value_name = "ID")]
    product: ProductId,
    #[command(flatten)]
    consent: Consent,
    #[command(flatten)]
    operator: Operator,
}

impl Remove {
    pub(in crate::commands::products) async fn run(self) -> anyhow::Result<Exit> {
        let shop = self.operator.shop().await?;
        let before = one(&shop, &self.product).await?;
        let after = Product {
            file: None,
            ..before.clone()
        };
        let step = Step::between(Some(before), after.clone(), StockChange::Keep);
        let changed = Changed::to(&after, step.as_ref());
        let Some(step) = step else {
            let none = format!("{} has no file; nothing was changed.\n", self.product);
            self.operator.show(&changed, || none)?;
            return Ok(Exit::Done);
        };
        let words = step.text();
        shop.announce_writing();
        if shop.mode == Mode::Live {
            note(words.trim_end());
            self.consent.ask("Remove it?")?;
        }
        write(&shop.assortment()?, &step).await?;
        self.operator.show(&changed, || {
            format!("{words}Earlier buyers can still download it.\n")
        })?;
        Ok(Exit::Done)
    }
}
