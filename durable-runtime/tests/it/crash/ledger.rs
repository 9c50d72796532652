//! Files that are written beside the store: by clients after an acknowledgement, by bodies when they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::OnceLock;

static ACKNOWLEDGED: OnceLock<File> = OnceLock::new();
static RAN: OnceLock<File> = OnceLock::new();

/// What this process does is written into these files from now on.
pub(super) fn open(folder: &Path) {
    let file = |name: &str| File::options().create(true).append(true).open(folder.join(name)).unwrap();
    ACKNOWLEDGED.get_or_init(|| file("acknowledged"));
    RAN.get_or_init(|| file("ran"));
}

/// An instance was started.
pub(super) fn started(id: &str) {
    write(&ACKNOWLEDGED, &format!("start {id}\n"));
}

/// A number was raised.
pub(super) fn raised(id: &str, number: u64) {
    write(&ACKNOWLEDGED, &format!("raise {id} {number}\n"));
}

/// A body runs.
pub(super) fn ran(key: &str) {
    write(&RAN, &format!("{key}\n"));
}

fn write(file: &OnceLock<File>, line: &str) {
    // One call: a kill leaves whole lines. What has been given to the system survives the process.
    if let Some(mut file) = file.get() {
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// What was written so far.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) started: BTreeSet<String>,
    pub(super) raised: BTreeMap<String, BTreeSet<u64>>,
    pub(super) runs: BTreeMap<String, u32>,
    pub(super) acknowledged: usize,
}

impl Ledger {
    pub(super) fn read(folder: &Path) -> Self {
        let mut ledger = Self::default();
        for line in fs::read_to_string(folder.join("acknowledged")).unwrap_or_default().lines() {
            ledger.acknowledged += 1;
            let _is_new = match line.split(' ').collect::<Vec<_>>()[..] {
                ["start", id] => ledger.started.insert(id.to_owned()),
                ["raise", id, number] => {
                    ledger.raised.entry(id.to_owned()).or_default().insert(number.parse().unwrap())
                }
                _ => panic!("the ledger has the line {line:?}"),
            };
        }
        for key in fs::read_to_string(folder.join("ran")).unwrap_or_default().lines() {
            *ledger.runs.entry(key.to_owned()).or_default() += 1;
        }
        ledger
    }
}

/// Chance that a seed repeats (splitmix64).
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    /// A number below `most`.
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }
}
