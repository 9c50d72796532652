//! Files that were damaged: the store says so, or hands out what was written and nothing else.
//!
//! Two stores are damaged: one that was closed in order, which is one file, and one whose process was killed, so that
//! its last commits stand in the log beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use durable_runtime::providers::{ErrorKind, OpenError, PageRequest, Provider, ProviderError, TransactionOp};
use durable_runtime::{EventId, ExecutionId, SqliteProvider};

use super::{activities, append, everything, id, keep, turns};
use crate::crash::Chance;
use crate::providers::watch::{block_on, within_five_seconds};

const TRIALS: u64 = 300;
const INSTANCES: u64 = 30;

fn size(instance: u64) -> usize {
    [10, 700, 3_000, 9_000][instance as usize % 4]
}

/// A store with some of everything, and space that is not in use. Answers with what has to be dropped to close it.
async fn sound(folder: &Path) -> SqliteProvider {
    let store = SqliteProvider::open(folder.join("store.db")).unwrap();
    let mut commits = 1..;
    let mut commit = || commits.next().unwrap();
    for number in 0..INSTANCES {
        let (name, gone) = (format!("i{number}"), format!("gone {number}"));
        keep(&store, commit(), everything(&name, size(number))).await;
        keep(&store, commit(), everything(&gone, 2_000)).await;
        keep(&store, commit(), vec![append(&name, 1, 2, &["second"])]).await;
        keep(&store, commit(), vec![TransactionOp::DeleteInstance { instance: id(&gone) }]).await;
    }
    store
}

/// What became of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Nothing that is in use was hit.
    Unaffected,
    /// It does not open, and says what is wrong.
    Refused,
    /// It opens, and something that was asked for is damaged, which is said.
    Parked,
}

/// An answer that must be right, or say that it is damaged.
fn right<T: PartialEq + std::fmt::Debug>(found: Result<T, ProviderError>, expected: &T, case: &str) -> bool {
    match found {
        Ok(found) => {
            assert!(found == *expected, "{case}: changed in silence");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Corrupt, "{case}: {error}");
            false
        }
    }
}

async fn look(store: &SqliteProvider, case: &str) -> Outcome {
    let mut all_right = true;
    let leased = store.fetch_turns(turns()).await.unwrap();
    let messages: BTreeMap<_, _> = leased.into_iter().map(|turn| (turn.instance, turn.messages)).collect();
    let jobs = store.fetch_activities(activities()).await.unwrap();
    let jobs: BTreeMap<_, _> = jobs.into_iter().map(|job| (job.instance.clone(), job.data)).collect();
    let mut known = BTreeSet::new();
    for number in 0..INSTANCES {
        let (instance, case) = (id(&format!("i{number}")), format!("{case}, i{number}"));
        let data = vec![b'x'; size(number)];
        let record = store.instance(&instance).await;
        let record = record.map(|record| record.map(|record| (record.metadata["output"].to_vec(), record.labels)));
        let labels = BTreeMap::from([("kind".to_owned(), "order".to_owned())]);
        all_right &= right(record, &Some((data.clone(), labels)), &case);
        let history = store.history(&instance, ExecutionId::FIRST, EventId::FIRST, 10).await;
        let history = history.map(|events| events.into_iter().map(|event| event.data.to_vec()).collect::<Vec<_>>());
        all_right &= right(history, &vec![data.clone(), b"second".to_vec()], &case);
        // A turn comes with all of its messages, or not at all.
        match messages.get(&instance) {
            Some(messages) => assert!(messages.len() == 1 && messages[0].data == data, "{case}: changed in silence"),
            None => all_right = false,
        }
        match jobs.get(&instance) {
            Some(job) => assert!(*job == data, "{case}: changed in silence"),
            None => all_right = false,
        }
        known.insert(instance);
    }
    let strangers = messages.keys().chain(jobs.keys()).find(|instance| !known.contains(*instance));
    assert_eq!(strangers, None, "{case}: what was deleted is back");
    let page =
        PageRequest { labels: vec![("kind".to_owned(), "order".to_owned())], limit: 100, ..PageRequest::default() };
    let page = store.instances(page).await;
    all_right &= page.as_ref().is_ok_and(|page| page.damaged.is_empty());
    // What is damaged is named beside the others; none is missing.
    let listed = page.map(|page| (page.instances.len() + page.damaged.len()) as u64);
    all_right &= right(listed, &INSTANCES, case);
    if all_right { Outcome::Unaffected } else { Outcome::Parked }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The reserve says nothing.
    files.retain(|path| !path.to_string_lossy().ends_with("-reserve"));
    files.sort();
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        fs::copy(&file, to.join(file.file_name().unwrap())).unwrap();
    }
}

/// Damages one file, and says how.
fn damage(store: &Path, trial: u64, chance: &mut Chance) -> String {
    let files = files(store);
    let file = &files[chance.below(files.len() as u64) as usize];
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let mut bytes = fs::read(file).unwrap();
    let at = 1 + chance.below(bytes.len() as u64 - 1) as usize;
    let how = match trial % 4 {
        0 => {
            bytes[at] ^= 1 << chance.below(8);
            format!("bit flip at {at}")
        }
        1 => {
            let from = at / 4096 * 4096;
            let to = bytes.len().min(from + 4096);
            bytes[from..to].fill(0);
            format!("zeros at {from}")
        }
        2 => {
            bytes.truncate(at);
            format!("cut at {at}")
        }
        _ if name != "store.db" => {
            fs::remove_file(file).unwrap();
            return format!("{name}: removed");
        }
        // Without the file there is no store, and an empty one is made: there is nobody who could tell.
        _ => {
            let other = (at * 7) % bytes.len();
            bytes[at] ^= 1 << chance.below(8);
            bytes[other] ^= 1 << chance.below(8);
            format!("bit flips at {at} and {other}")
        }
    };
    fs::write(file, bytes).unwrap();
    format!("{name}: {how}")
}

#[test]
fn damage_is_named_and_nothing_changes_in_silence() {
    let folder = tempfile::tempdir().unwrap();
    let (working, closed, killed) =
        (folder.path().join("working"), folder.path().join("closed"), folder.path().join("killed"));
    fs::create_dir_all(&working).unwrap();
    let store = block_on(sound(&working));
    // What a kill leaves behind: nothing is under way.
    copy(&working, &killed);
    block_on(store.close());
    copy(&working, &closed);
    assert_eq!((files(&closed).len(), files(&killed).len()), (1, 4));
    let mut outcomes = BTreeMap::<_, u64>::new();
    for trial in 0..TRIALS {
        let path = folder.path().join("damaged");
        copy(if trial % 3 == 0 { &closed } else { &killed }, &path);
        let case = format!("trial {trial}: {}", damage(&path, trial / 3, &mut Chance(trial)));
        let (of_thread, damaged) = (case.clone(), path.clone());
        let outcome = within_five_seconds(&case, move || async move { outcome(&damaged, &of_thread).await });
        *outcomes.entry((trial / 3 % 4, outcome)).or_default() += 1;
        fs::remove_dir_all(&path).unwrap();
    }
    println!("{outcomes:?}");
    assert!(outcomes.keys().any(|(_, outcome)| *outcome == Outcome::Parked), "{outcomes:?}");
}

async fn outcome(path: &Path, case: &str) -> Outcome {
    match SqliteProvider::open(path.join("store.db")) {
        Ok(store) => {
            let outcome = look(&store, case).await;
            store.close().await;
            outcome
        }
        Err(
            OpenError::Corrupt { .. }
            | OpenError::Foreign { .. }
            | OpenError::NewerFormat { .. }
            | OpenError::UnknownFormat { .. }
            | OpenError::ReadOnly { .. },
        ) => Outcome::Refused,
        Err(other) => panic!("{case}: {other}"),
    }
}
