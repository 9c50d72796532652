//! Providers over a database that speaks SQL: one engine, and a dialect that knows one database.
//!
//! ```text
//! engine     the port: each method a few lines       writer     the one thread that writes, a group at a time
//! readers    threads that read beside it               write/     one transaction of the port, in statements
//! read       records of the store, and list                      lease      granting, renewing, ending
//! inbox      what waits for the writer                 counters   numbers that never repeat
//! doctor     looks through a store                 skills     who may take which turn
//! session    what a dialect has to do                  seal       what a record is known again by
//! sqlite/    the dialect: files, schema, who has the store open
//! ```
//!
//! Invariants: tables are the truth, nothing that another process must know is kept in memory; only bound parameters,
//! every statement is a constant; only the writer writes, and it answers when the disk has it.

mod counters;
mod doctor;
mod engine;
mod inbox;
mod lease;
mod list;
mod read;
mod readers;
mod seal;
mod session;
mod skills;
mod sqlite;
mod write;
mod writer;

pub use self::engine::SqlProvider;
pub use self::sqlite::{SqliteOptions, SqliteProvider};
