//! Rounds of work, kill and audit on one store (I1, I2, I3, I5, I7, I8, I13, I17, I18).

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use durable_runtime::{Client, InstanceStatus, Runtime, Status};

use super::audit::{self, Audit, numbers_so_far};
use super::child;
use super::ledger::{self, Chance, Ledger};
use super::orchestrations::{LAST, activities, crash_collects, expected};
use super::stores::Store;

const ROUNDS_OF_SLED: u64 = 200;
const ROUNDS_OF_FS: u64 = 100;
#[cfg(feature = "sqlite")]
const ROUNDS_OF_SQLITE: u64 = 100;
/// When the child is killed, counted from its start: so that some die while they open the store.
const KILLED_AFTER_MS: (u64, u64) = (20, 500);
/// How many times later, after rounds in which nothing was acknowledged.
const PATIENCE_MAX: u32 = 16;
const SEED: &str = "DURABLE_CRASH_SEED";

/// What was looked for and must not be found.
#[derive(Debug, Default, PartialEq)]
struct Faults {
    lost: Vec<String>,
    doubled: Vec<String>,
}

#[test]
fn what_was_acknowledged_survives_every_kill_and_nothing_is_done_twice() {
    kill_again_and_again(Store::Sled, ROUNDS_OF_SLED);
}

#[test]
fn what_was_acknowledged_survives_every_kill_with_fs_and_nothing_is_done_twice() {
    kill_again_and_again(Store::Fs, ROUNDS_OF_FS);
}

/// One process in two rounds of five, two in the others; in one of these, one of them is stopped until its leases have
/// passed to the other, and wakes up again.
#[cfg(feature = "sqlite")]
#[test]
fn what_was_acknowledged_survives_every_kill_with_sqlite_and_nothing_is_done_twice() {
    kill_again_and_again(Store::Sqlite, ROUNDS_OF_SQLITE);
}

fn kill_again_and_again(store: Store, rounds: u64) {
    let by_time = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = std::env::var(SEED).map_or_else(|_| by_time(), |seed| seed.parse().unwrap());
    println!("{SEED}={seed}");
    let (begun, mut chance, folder) = (Instant::now(), Chance(seed), tempfile::tempdir().unwrap());
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let (mut audit, mut acknowledged, mut patience) = (Audit::default(), 0, 1);
    for round in 1..=rounds {
        let live_max = if chance.below(3) == 0 { 1 } else { 4_096 };
        let after = KILLED_AFTER_MS.0 + chance.below(KILLED_AFTER_MS.1 - KILLED_AFTER_MS.0);
        let after = Duration::from_millis(after) * patience;
        match store {
            #[cfg(feature = "sqlite")]
            Store::Sqlite if round % 5 < 3 => two::kill_after(folder.path(), round, live_max, after),
            _ => kill_after(store, folder.path(), round, live_max, after),
        }
        let faults = tokio.block_on(compare(store, folder.path(), &mut audit, round));
        assert_eq!(faults, Faults::default(), "{SEED}={seed} round {round}");
        // On a busy machine a child may not come to its work before it is killed; the next one has longer.
        let before = std::mem::replace(&mut acknowledged, Ledger::read(folder.path()).acknowledged);
        patience = if acknowledged > before { 1 } else { (patience * 2).min(PATIENCE_MAX) };
    }
    let ledger = tokio.block_on(finish(store, folder.path(), &mut audit));
    let runs: u32 = ledger.runs.values().sum();
    println!(
        "{store:?}: {rounds} rounds, {} acknowledged ({} instances, {} executions of activities, {} of them repeated), 0 lost, 0 \
         doubled, {:?}",
        ledger.acknowledged,
        audit.outputs.len(),
        runs,
        runs as usize - ledger.runs.len(),
        begun.elapsed()
    );
    assert!(ledger.acknowledged >= 500, "too little was done to say anything");
    assert!(audit.outputs.len() >= 100 && runs >= 200);
}

fn kill_after(store: Store, folder: &Path, round: u64, live_max: usize, after: Duration) {
    let child = child::spawn(store, folder, round, live_max, 0);
    std::thread::sleep(after); // the moment is chance; nothing is waited for
    kill(child, round);
}

/// It must be alive, and must have nothing to complain of.
fn kill(mut child: Child, round: u64) {
    let alive = child.try_wait().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(alive.is_none(), "the child ended by itself in round {round}: {said}");
    assert!(!said.contains("panicked"), "round {round}: {said}");
}

/// Two processes on one store.
#[cfg(feature = "sqlite")]
mod two {
    use std::path::Path;
    use std::process::{Child, Command};
    use std::time::Duration;

    use super::super::child;
    use super::super::stores::{SHORT, Store};

    pub(super) fn kill_after(folder: &Path, round: u64, live_max: usize, after: Duration) {
        let one = child::spawn(Store::Sqlite, folder, round, live_max, 0);
        let other = child::spawn(Store::Sqlite, folder, round, live_max, child::CLIENTS);
        std::thread::sleep(after); // the moment is chance; nothing is waited for
        if round.is_multiple_of(5) {
            signal(&one, "STOP");
            // Its leases end, and the other goes on with what it had.
            std::thread::sleep(SHORT + after); // the moment is chance; nothing is waited for
            signal(&one, "CONT");
            std::thread::sleep(after); // the moment is chance; nothing is waited for
        }
        super::kill(one, round);
        // The other goes on alone.
        std::thread::sleep(after); // the moment is chance; nothing is waited for
        super::kill(other, round);
    }

    fn signal(child: &Child, name: &str) {
        let sent = Command::new("sh").args(["-c", &format!("kill -{name} {}", child.id())]).status();
        assert!(sent.unwrap().success());
    }
}

/// Opens what the child left, and compares it with what it wrote down.
async fn compare(store: Store, folder: &Path, audit: &mut Audit, crashes: u64) -> Faults {
    let store = store.open(folder);
    let (ledger, client) = (Ledger::read(folder), Client::new(store.clone()));
    let open = audit.check(&store, &activities()).await;
    let mut faults = Faults::default();

    let there: BTreeSet<_> = open.instances.iter().map(|status| status.instance.to_string()).collect();
    faults.lost.extend(ledger.started.difference(&there).map(|id| format!("start of {id}")));
    for status in &open.instances {
        let id = status.instance.to_string();
        let mut arrived = audit.numbers.get(&id).cloned().unwrap_or_default();
        arrived.extend(numbers_so_far(&client, status).await);
        if !arrived.is_sorted_by(|before, after| before < after) {
            faults.doubled.push(format!("numbers of {id}: {arrived:?}"));
        }
        let queued = open.queued_numbers.get(&id).cloned().unwrap_or_default();
        if queued.iter().any(|number| arrived.contains(number)) {
            faults.doubled.push(format!("a number of {id} is in the history and in the queue"));
        }
        let kept: BTreeSet<u64> = arrived.into_iter().chain(queued).collect();
        let acknowledged = ledger.raised.get(&id).cloned().unwrap_or_default();
        faults.lost.extend(acknowledged.difference(&kept).map(|number| format!("number {number} for {id}")));
    }
    faults.lost.extend(ledger.runs.keys().filter(|key| !audit.scheduled.contains(*key)).map(|key| {
        format!("the schedule of {key}, which ran") // it ran before it was durable
    }));
    // Once for each kill, and where two processes work, once for each lease that may have ended.
    let too_often = ledger.runs.iter().filter(|(_, runs)| u64::from(**runs) > 1 + 3 * crashes);
    faults.doubled.extend(too_often.map(|(key, runs)| format!("{key} ran {runs} times")));
    durable_runtime::Provider::close(&store).await;
    faults
}

/// Lets everything come to its end, without a kill.
async fn finish(store: Store, folder: &Path, audit: &mut Audit) -> Ledger {
    ledger::open(folder);
    let runtime = Runtime::builder(store.open(folder)).limits(child::limits()).start().await.unwrap();
    let client = runtime.client();
    let instances = audit::all(&client).await; // also those whose start nobody acknowledged
    for status in &instances {
        let id = status.instance.as_str();
        match status.name.as_str() {
            "crash_collects" => client.raise(id, "number", &LAST).await.unwrap(),
            // Its client may have died before it raised them; more than it takes does no harm.
            "crash_pair" if !status.status.is_closed() => {
                let _ = client.raise(id, "number", &(u64::MAX - 1)).await;
                let _ = client.raise(id, "number", &u64::MAX).await;
            }
            _ => {}
        }
    }
    for InstanceStatus { instance: id, .. } in &instances {
        let ended = client.handle::<crash_collects>(id).unwrap().wait_for(Duration::from_secs(20)).await;
        if let Err(error) = ended {
            panic!("`{id}` does not end: {error}; it is {:?}", client.status(id).await);
        }
    }
    runtime.shutdown(Duration::from_secs(5)).await;
    check_end(store, folder, audit).await
}

async fn check_end(store: Store, folder: &Path, audit: &mut Audit) -> Ledger {
    let store = store.open(folder);
    let open = audit.check(&store, &activities()).await;
    let ledger = Ledger::read(folder);
    for status in open.instances {
        let id = status.instance.as_str();
        let output = status.output.unwrap_or_else(|| panic!("`{id}` is {}", status.status));
        assert_eq!(status.status, Status::Completed, "`{id}`");
        let numbers = audit.numbers.get(id).map_or(0, Vec::len) as u64;
        match expected(&status.name) {
            Some(expected) => assert_eq!(output.decode::<u32>().unwrap(), expected, "`{id}`"),
            None => assert_eq!(
                output.decode::<u64>().unwrap(),
                numbers - 1,
                "`{id}` took what was raised, but for the last"
            ),
        }
    }
    let stats = durable_runtime::Provider::stats(&store).await.unwrap();
    assert_eq!((stats.turn_messages, stats.activities), (0, 0), "nothing is left over");
    durable_runtime::Provider::close(&store).await;
    ledger
}
