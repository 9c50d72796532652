//! The newsletter service: it takes its time, it is busy now and then, and it knows whom it has subscribed already.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use durable_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("busy: {0}")]
pub(crate) struct Busy(String);

#[derive(Serialize, Deserialize)]
pub(crate) struct Subscribed {
    key: String,
    email: String,
}

pub(crate) struct Newsletter {
    list: Mutex<List>,
}

struct List {
    file: File,
    /// The idempotency keys of all calls that subscribed somebody.
    keys: BTreeSet<String>,
}

impl Newsletter {
    /// Remembers from the list whom it has subscribed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let keys = read(path)?.into_iter().map(|subscribed| subscribed.key).collect();
        let file = File::options().create(true).append(true).open(path)?;
        Ok(Self { list: Mutex::new(List { file, keys }) })
    }

    pub(crate) async fn subscribe(&self, key: &str, email: &str, attempt: u32) -> Result<(), Busy> {
        tokio::time::sleep(Duration::from_millis(2)).await;
        if email.contains("7@") && attempt == 1 {
            return Err(Busy("too many calls".to_owned()));
        }
        self.add(key, email).map_err(|error| Busy(error.to_string()))
    }

    /// A call that comes again, because nobody knows whether the first one arrived, changes nothing.
    fn add(&self, key: &str, email: &str) -> io::Result<()> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.keys.contains(key) {
            return Ok(());
        }
        let line = serde_json::to_string(&Subscribed { key: key.to_owned(), email: email.to_owned() })?;
        // One write for the whole line: a process that dies leaves no half of it.
        list.file.write_all(format!("{line}\n").as_bytes())?;
        list.keys.insert(key.to_owned());
        Ok(())
    }
}

/// All that are subscribed; none if there is no list yet.
pub(crate) fn read(path: &Path) -> io::Result<Vec<Subscribed>> {
    match fs::read_to_string(path) {
        Ok(text) => text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// How many addresses are on the list more than once.
pub(crate) fn repeated(list: &[Subscribed]) -> usize {
    let mut times = BTreeMap::new();
    list.iter().for_each(|subscribed| *times.entry(&subscribed.email).or_insert(0) += 1);
    times.values().filter(|times| **times > 1).count()
}
