//! Opening purchases: at most one per request, and within what their buyer may hold.

use crate::{
    config::ConfigError,
    product::{Product, ProductId},
    purchase::{HoldLimits, Purchase, Subject, TooMuch},
    store::{
        StoreError, TRIES, Tables,
        bookkeeping::Bookkeeping,
        holds::{BuyersHolds, StoredHolds},
        later::Written,
        openings::Openings,
        purchases::{Purchases, Stored},
        requests::{IdempotentRequest, RequestItem, Requests},
        transaction::{Part, Step, Writer},
    },
};

/// Opens purchases.
#[derive(Clone, Debug)]
pub struct Orders {
    writer: Writer,
    openings: Openings,
    purchases: Purchases,
    books: Bookkeeping,
    requests: Requests,
    holds: BuyersHolds,
}

/// Why no purchase was opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The caller used the key for something else.
    #[error("the idempotency key was used for another cart")]
    KeyReused,
    /// Others bought what was left.
    #[error("not enough of {0} is left")]
    SoldOut(ProductId),
    /// The buyer's other requests kept changing what they hold.
    #[error("the same buyer's other requests got there first, {TRIES} times in a row")]
    Rush,
    /// The buyer holds as much as one buyer may.
    #[error(transparent)]
    TooMuch(#[from] TooMuch),
    /// DynamoDB failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a purchase begins with.
pub struct Beginning {
    /// What was requested earlier under the request's key.
    pub earlier: Earlier,
    /// Those of the products that exist.
    pub products: Vec<Product>,
    /// What the buyer holds.
    pub held: StoredHolds,
}

/// What is known of an idempotency key.
pub enum Earlier {
    /// The key is free. If it used to stand for something that came to nothing, this is what, so
    /// that the key can be reused.
    Free(Option<Subject>),
    /// It stands for this purchase.
    Known(Box<Stored>),
}

/// A request with a key, and what the key used to stand for.
pub type Keyed<'a> = (&'a IdempotentRequest, Option<Subject>);

impl Orders {
    /// Fails if the environment does not name all of the tables it writes to.
    pub fn of(tables: &Tables) -> Result<Self, ConfigError> {
        Ok(Self {
            writer: tables.writer(),
            openings: Openings::of(tables)?,
            purchases: Purchases::of(tables)?,
            books: Bookkeeping::of(tables)?,
            requests: Requests::of(tables)?,
            holds: BuyersHolds::of(tables)?,
        })
    }

    /// What a purchase of these products begins with. At most 90 products.
    pub async fn begin<'a>(
        &self,
        subject: &str,
        request: Option<&IdempotentRequest>,
        products: impl IntoIterator<Item = &'a ProductId>,
        now: i64,
    ) -> Result<Beginning, OpenError> {
        let before = self.openings.read(subject, request, products, now).await?;
        let earlier = match request.zip(before.request) {
            Some((request, known)) => self.earlier(request, known).await?,
            None => Earlier::Free(None),
        };
        Ok(Beginning {
            earlier,
            products: before.products,
            held: before.held,
        })
    }

    /// What was requested earlier under the request's key.
    async fn earlier(
        &self,
        request: &IdempotentRequest,
        known: RequestItem,
    ) -> Result<Earlier, OpenError> {
        if known.fingerprint != request.fingerprint {
            return Err(OpenError::KeyReused);
        }
        // Nothing but purchases is opened here.
        let Subject::Purchase(id) = known.subject else {
            return Ok(Earlier::Free(Some(known.subject)));
        };
        match self.purchases.get(id).await? {
            Some(stored) if !stored.purchase.is_over() => Ok(Earlier::Known(Box::new(stored))),
            _ => Ok(Earlier::Free(Some(known.subject))),
        }
    }

    /// Stores a new purchase together with the stock it reserves, what its buyer then holds, which
    /// must be within the limits, and the request's key if it has one. If another request with the
    /// same key was faster, returns that one's purchase. `held` is what the buyer held before.
    pub async fn open(
        &self,
        purchase: Purchase,
        request: Option<Keyed<'_>>,
        held: StoredHolds,
        limits: HoldLimits,
        now: i64,
    ) -> Result<Stored, OpenError> {
        let buyer = purchase.order().buyer.subject.clone().unwrap_or_default();
        let (request, replaced) = request.unzip();
        let first = held.version;
        let known = (Earlier::Free(replaced.flatten()), held);
        let read = || async {
            let again = self.begin(&buyer, request, [], now).await?;
            Ok((again.earlier, again.held))
        };
        let decide = |(earlier, held)| match earlier {
            Earlier::Known(faster) => Ok(Step::Done(Ok(*faster))),
            Earlier::Free(replaced) => {
                let request = request.map(|request| (request, replaced));
                self.opening(&purchase, request, &held, limits, now)
            }
        };
        let opened = self.writer.run(Some(known), read, decide).await;
        let error = match opened.and_then(|opened| opened.answer) {
            Err(
                error @ (OpenError::SoldOut(_)
                | OpenError::TooMuch(_)
                | OpenError::Store(StoreError::Contended(_))),
            ) => error,
            otherwise => return otherwise,
        };
        // Only a key or other requests can make another answer of it.
        if request.is_none() && !matches!(error, OpenError::Store(_)) {
            return Err(error);
        }
        let now_there = self.begin(&buyer, request, [], now).await?;
        // An earlier try of the same request may have taken the last one.
        if let Earlier::Known(faster) = now_there.earlier {
            return Ok(*faster);
        }
        match error {
            OpenError::Store(StoreError::Contended(_)) if now_there.held.version != first => {
                Err(OpenError::Rush)
            }
            error => Err(error),
        }
    }

    fn opening(
        &self,
        purchase: &Purchase,
        request: Option<Keyed<'_>>,
        held: &StoredHolds,
        limits: HoldLimits,
        now: i64,
    ) -> Result<Step<Result<Stored, OpenError>>, OpenError> {
        let mut holds = held.holds.clone();
        if let Some(hold) = purchase.hold() {
            holds.add(purchase.id(), hold, limits, now)?;
        }
        let mut stored = Stored {
            purchase: purchase.clone(),
            version: 0,
            written: Written::default(),
        };
        let mut parts = Vec::new();
        for (product, quantity) in purchase.order().reserved() {
            let sold_out = Err(OpenError::SoldOut(product.clone()));
            parts.push(self.books.reserve(product, quantity, sold_out)?);
        }
        parts.push(self.books.put(&stored, now)?);
        let buyer = purchase
            .order()
            .buyer
            .subject
            .as_deref()
            .unwrap_or_default();
        parts.push(Part::vital(self.holds.put(buyer, held, holds, now)?));
        if let Some((request, replaced)) = request {
            let key = self
                .requests
                .put(request, purchase.id().into(), replaced, now)?;
            parts.push(Part::vital(key));
        }
        stored.version = 1;
        Ok(Step::Write(parts, Ok(stored)))
    }
}
