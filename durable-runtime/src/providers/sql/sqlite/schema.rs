//! The format of the file: made when it is new, brought up to date when it is old, refused when it is newer.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use crate::providers::OpenError;
use crate::providers::sql::counters::Counters;

/// In the header of the file, so that it is known as a store: "durb".
const APPLICATION: i32 = 0x6475_7262;
/// What brings format n to n + 1, from nothing on.
const STEPS: [&str; 2] = [include_str!("schema.sql"), include_str!("schema-2.sql")];
const FIRST: &str = "INSERT INTO store (only_one, commits, fence, sequence, handles, seal) VALUES (1, 0, 0, 0, 0, ?1)";

/// Makes the file a store of the newest format, unless it is something else.
pub(super) fn bring_up(connection: &mut Connection, path: &Path) -> Result<(), Refused> {
    check(connection, path)?;
    let formats = STEPS.len() as i64;
    if format(connection)? == formats {
        return Ok(());
    }
    // Others may do the same at this moment, so look again when nobody else can write.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    check(&transaction, path)?;
    let found = usize::try_from(format(&transaction)?).unwrap_or_default();
    for step in STEPS.iter().skip(found) {
        transaction.execute_batch(step)?;
    }
    if found == 0 {
        transaction.execute(FIRST, [i64::try_from(Counters::NEW.seal()).unwrap_or_default()])?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    transaction.pragma_update(None, "user_version", formats)?;
    Ok(transaction.commit()?)
}

/// Why a file cannot be used.
pub(super) enum Refused {
    Sqlite(rusqlite::Error),
    Open(OpenError),
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn format(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn check(connection: &Connection, path: &Path) -> Result<(), Refused> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application != APPLICATION && (application != 0 || tables > 0) {
        return Err(Refused::Open(OpenError::Foreign { path: path.to_owned(), found: "a database of something else" }));
    }
    let found = format(connection)?;
    let (supported, path) = (STEPS.len() as u32, path.to_owned());
    match u32::try_from(found) {
        Ok(0) if application == 0 => Ok(()),
        Ok(found) if found > supported => Err(Refused::Open(OpenError::NewerFormat { path, found, supported })),
        Ok(1..) => Ok(()),
        _ => Err(Refused::Open(OpenError::UnknownFormat { path, found: found.to_string(), supported })),
    }
}
