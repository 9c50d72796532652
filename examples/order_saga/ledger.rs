//! The ledger of the bank: a line for every call that reached it, or should have.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) order_id: String,
    pub(crate) cents: u64,
    pub(crate) call: Call,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Call {
    Charged,
    Refunded,
    Declined,
    NotReached,
    Repeated,
}

impl Call {
    pub(crate) fn moves_money(self) -> bool {
        matches!(self, Self::Charged | Self::Refunded)
    }
}

pub(crate) fn open(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

/// One write for the whole line: a process that dies leaves no half of it.
pub(crate) fn append(ledger: &mut File, entry: &Entry) -> io::Result<()> {
    ledger.write_all(format!("{}\n", serde_json::to_string(entry)?).as_bytes())
}

/// All entries; none if there is no ledger yet.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Entry>> {
    match fs::read_to_string(path) {
        Ok(text) => text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
