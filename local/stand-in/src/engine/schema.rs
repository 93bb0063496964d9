//! The tables, and whether a file has them as they are now.

use std::path::Path;

use anyhow::{Context as _, bail};
use rusqlite::Connection;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS objects (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL,
        kind TEXT NOT NULL,
        created INTEGER NOT NULL,
        -- When time alone changes it; null when time no longer can.
        expires_at INTEGER,
        -- What the stand-in knows of it; null where that is no more than the API shows.
        state TEXT,
        -- As the API shows it, nothing expanded.
        shown TEXT NOT NULL,
        -- Fields of what is shown, by which objects are looked up (LINKS).
        charge TEXT,
        customer TEXT,
        invoice TEXT,
        payment_intent TEXT,
        -- Of an event: the id of what it is about.
        subject TEXT,
        -- The test clock in whose time it lives; null for the account's own.
        clock TEXT
    );
    -- Shops choose the ids of some kinds, and a coupon may be called what a product is.
    CREATE UNIQUE INDEX IF NOT EXISTS objects_by_id ON objects (id, kind);
    CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, sequence);
    CREATE INDEX IF NOT EXISTS objects_by_expiry
        ON objects (clock, expires_at, sequence) WHERE expires_at IS NOT NULL;
    CREATE INDEX IF NOT EXISTS objects_by_clock ON objects (clock, kind, sequence)
        WHERE clock IS NOT NULL;

    CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (kind, charge, sequence)
        WHERE charge IS NOT NULL;
    CREATE INDEX IF NOT EXISTS objects_by_customer ON objects (kind, customer, sequence)
        WHERE customer IS NOT NULL;
    CREATE INDEX IF NOT EXISTS objects_by_invoice ON objects (kind, invoice, sequence)
        WHERE invoice IS NOT NULL;
    CREATE INDEX IF NOT EXISTS objects_by_payment_intent ON objects (kind, payment_intent, sequence)
        WHERE payment_intent IS NOT NULL;
    CREATE INDEX IF NOT EXISTS events_by_subject ON objects (subject, sequence)
        WHERE subject IS NOT NULL;

    CREATE TABLE IF NOT EXISTS webhooks (
        event TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        -- What is posted and signed, byte for byte, however the event is shown later.
        body TEXT NOT NULL,
        state TEXT NOT NULL,
        since INTEGER NOT NULL,
        tries INTEGER NOT NULL,
        -- Null when it needs no further try.
        due INTEGER,
        -- Somebody asked for it: it goes out even while deliveries are held.
        asked INTEGER NOT NULL DEFAULT 0,
        -- How often it is to be delivered again after it was taken.
        repeats INTEGER NOT NULL DEFAULT 0,
        -- It lets a later event of its endpoint go first.
        gives_way INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (event, endpoint)
    );
    CREATE INDEX IF NOT EXISTS webhooks_by_due ON webhooks (due) WHERE due IS NOT NULL;
    CREATE INDEX IF NOT EXISTS webhooks_by_turn ON webhooks (asked, due) WHERE due IS NOT NULL;
    -- Looked through after every delivery, and hardly ever is there any.
    CREATE INDEX IF NOT EXISTS webhooks_giving_way ON webhooks (endpoint) WHERE gives_way;

    CREATE TABLE IF NOT EXISTS attempts_made (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        event TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS attempts_made_by_webhook ON attempts_made (event, endpoint, sequence);

    CREATE TABLE IF NOT EXISTS idempotency (
        key TEXT PRIMARY KEY,
        created INTEGER NOT NULL,
        endpoint TEXT NOT NULL,
        parameters TEXT NOT NULL,
        request TEXT NOT NULL,
        status INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS idempotency_by_age ON idempotency (created);

    -- What is in files.
    CREATE TABLE IF NOT EXISTS contents (file TEXT PRIMARY KEY, bytes BLOB NOT NULL);

    -- The log of API calls: see wire/requests.rs.
    CREATE TABLE IF NOT EXISTS requests (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        created INTEGER NOT NULL,
        method TEXT NOT NULL,
        path TEXT NOT NULL,
        params TEXT NOT NULL,
        idempotency_key TEXT,
        api_version TEXT,
        user_agent TEXT,
        status INTEGER NOT NULL,
        answer TEXT NOT NULL,
        replay_of TEXT,
        fault TEXT,
        microseconds INTEGER NOT NULL
    );

    -- Whose account this is: one row.
    CREATE TABLE IF NOT EXISTS owner (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        account TEXT NOT NULL,
        -- What people recognise it by.
        name TEXT NOT NULL
    );

    CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
";

/// Changes whenever a database of an earlier build can no longer be read.
const FORMAT: i64 = 9;

/// Makes the tables that are not there. Refuses a file that another format was written in.
pub(super) fn prepare(connection: &Connection, file: Option<&Path>) -> anyhow::Result<()> {
    check_format(connection, file)?;
    connection
        .execute_batch(SCHEMA)
        .context("cannot prepare the database's tables")?;
    connection.pragma_update(None, "user_version", FORMAT)?;
    Ok(())
}

fn check_format(connection: &Connection, file: Option<&Path>) -> anyhow::Result<()> {
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let format: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if tables > 0 && format != FORMAT {
        bail!(
            "{} was written by another version of the stand-in: delete it, and the shop's data \
             beside it, or start in another folder",
            file.unwrap_or(Path::new("the database")).display()
        );
    }
    Ok(())
}
