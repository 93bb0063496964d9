//! The shop's ports, opened before anything answers on them, so that every part can be told the
//! addresses of the others.

use url::Url;

use super::options::Options;
use crate::environment::{Addresses, Stripe};
use crate::loopback::Door;

/// The ports.
pub(super) struct Doors {
    pub(super) shop: Door,
    pub(super) aws: Door,
    /// The stand-in's, unless the real Stripe takes the money.
    pub(super) stripe: Option<Door>,
}

impl Doors {
    pub(super) async fn open(options: &Options, stripe: &Stripe) -> anyhow::Result<Self> {
        let shop = Door::open(options.shop_port, "--port").await?;
        let aws = Door::open(options.aws_port, "--aws-port").await?;
        let aws = aws.for_containers(options.bridge).await?;
        let stripe = match stripe {
            Stripe::StandIn => {
                let door = Door::open(options.stripe_port, "--stripe-port").await?;
                Some(door.for_containers(options.bridge).await?)
            }
            Stripe::Real { .. } => None,
        };
        Ok(Self { shop, aws, stripe })
    }

    /// Their addresses; `site` is the front end that buyers use, if it is not the shop's own.
    pub(super) fn addresses(&self, site: Option<&Url>) -> Addresses {
        let shop = self.shop.url();
        Addresses {
            site: site.map_or(shop.clone(), |site| site.origin().ascii_serialization()),
            shop,
            stripe: self.stripe.as_ref().map(Door::url),
            aws: self.aws.url(),
        }
    }
}
