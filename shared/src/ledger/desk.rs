//! Where mails and publications are ordered, whatever they are about.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::TransactWriteItem;

use crate::{
    config::ConfigError,
    email::Frozen,
    mode::Mode,
    purchase::{Mail, Subject},
    store::{
        StoreError, Tables,
        outbox::Outbox,
        publications::Publications,
        transaction::{Dispensable, Part},
    },
    view::{Publication, Telling},
};

/// Orders mails and publications, and takes mails back.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    outbox: Outbox,
    publications: Publications,
    mode: Mode,
}

impl Desk {
    pub(crate) fn of(tables: &Tables, mode: Mode) -> Result<Self, ConfigError> {
        Ok(Self {
            outbox: Outbox::of(tables)?,
            publications: Publications::of(tables)?,
            mode,
        })
    }

    /// The parts of a transaction that order the mails that are `due` and take back those that are
    /// `superseded`. A row that is there already is left alone. If `held`, they wait until a person
    /// confirms what they are about.
    pub(crate) fn write<T>(
        &self,
        subject: &Subject,
        (due, superseded): (&BTreeSet<Mail>, &BTreeSet<Mail>),
        content: impl Fn(&Mail) -> Frozen,
        held: bool,
        now: i64,
    ) -> Result<Vec<Part<T>>, StoreError> {
        let mut parts = Vec::new();
        for mail in due {
            let row = self
                .outbox
                .put(content(mail), mail, (self.mode, held), now)?;
            parts.push(Part::optional(row, Dispensable::Mail(mail.clone())));
        }
        for mail in superseded {
            parts.push(Part::vital(self.supersede(subject, mail, now)?));
        }
        Ok(parts)
    }

    /// The part of a transaction that orders what `told` makes, if there is anything to tell. A row
    /// that is there already is left alone. If `held`, it waits as mails do.
    pub(crate) fn publish<T>(
        &self,
        told: impl FnOnce(Telling) -> Option<Publication>,
        held: bool,
        now: i64,
    ) -> Result<Option<Part<T>>, StoreError> {
        let telling = Telling {
            mode: self.mode,
            replay: false,
        };
        let Some(publication) = told(telling) else {
            return Ok(None);
        };
        let (row, id) = self.publications.put(publication, held, now)?;
        Ok(Some(Part::optional(row, Dispensable::Publication(id))))
    }

    /// Takes one mail back, unless it was sent.
    pub(crate) fn supersede(
        &self,
        subject: &Subject,
        mail: &Mail,
        now: i64,
    ) -> Result<TransactWriteItem, StoreError> {
        self.outbox.supersede(subject, mail, now)
    }
}
