//! Power cuts at every moment, whatever of the unsynced writes the disk has by then; journals that end at every byte; a
//! disk that fails. What was synced is there, of each other batch all or nothing, and nothing of one whose predecessor
//! is not there.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::journal::{Journal, Settings};
use super::segment::{self, FIRST_FRAME};
use super::simulated::{Chance, Loss, SimulatedDisk, World};
use crate::providers::kv::store::{Batch, Order, OrderedStore, StoreError};

/// So small that a scenario goes through everything there is: segments, snapshots, cleaning, spares used again.
const SMALL: Settings = Settings { segment_bytes: 16 << 10, snapshot_after: 24 << 10 };
const NAME: [u8; 16] = *b"a store of tests";

type Keys = BTreeMap<Vec<u8>, Vec<u8>>;

fn open(disk: &SimulatedDisk) -> Result<Journal, super::fault::Fault> {
    Journal::open(Arc::new(disk.clone()), SMALL, NAME)
}

fn keys_of(journal: &Journal) -> Keys {
    let pairs = journal.scan(&[]..&[0xff; 4], Order::Ascending, usize::MAX).unwrap();
    pairs.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
}

fn change(keys: &mut Keys, batch: &Batch) {
    for (key, value) in batch {
        match value {
            Some(value) => drop(keys.insert(key.clone(), value.clone())),
            None => drop(keys.remove(key)),
        }
    }
}

/// Some keys, with values of every size class.
fn batch(chance: &mut Chance) -> Batch {
    let keys = match chance.below(12) {
        0 => 12,
        1 => 0,
        _ => 1 + chance.below(4),
    };
    let value = |chance: &mut Chance| {
        let bytes = match chance.below(12) {
            0 => 4096,
            1 => 511 + chance.below(3),
            2 => 0,
            3 => 1500,
            _ => chance.below(200),
        };
        let first = chance.below(256);
        (0..bytes).map(|at| (first + at) as u8).collect()
    };
    let pair = |_| {
        let key = format!("key {}", chance.below(40)).into_bytes();
        let value = (chance.below(3) > 0).then(|| value(chance));
        (key, value)
    };
    // As the engine gives them: each key once.
    (0..keys).map(pair).collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// What a journal may hold after a cut: the keys after the last batch that was synced, and after each one since.
type Allowed = Vec<Keys>;

struct Scenario {
    disk: SimulatedDisk,
    chance: Chance,
    allowed: Allowed,
    cuts: u64,
}

impl Scenario {
    fn new(disk: SimulatedDisk, seed: u64) -> Self {
        disk.trace();
        Self { disk, chance: Chance(seed), allowed: vec![Keys::new()], cuts: 0 }
    }

    /// Cuts the power at every moment since the last time.
    fn cut_everywhere(&mut self, what: &str) {
        for world in self.disk.traced() {
            for loss in [Loss::All, Loss::Part, Loss::Nothing] {
                self.cut(&world, loss, what);
            }
        }
    }

    fn cut(&mut self, world: &World, loss: Loss, what: &str) {
        self.cuts += 1;
        let disk = SimulatedDisk::of(world.cut(loss, &mut self.chance));
        let case = format!("cut {} in {what}, lost: {loss:?}", self.cuts);
        // The power may fail once more while the store is opened.
        if self.cuts.is_multiple_of(16) {
            disk.trace();
            drop(open(&disk));
            let worlds = disk.traced();
            let at = self.chance.below(worlds.len().max(1) as u64) as usize;
            if let Some(world) = worlds.get(at) {
                let again = SimulatedDisk::of(world.cut(Loss::Part, &mut self.chance));
                self.check(&again, &format!("{case}, and again while it was opened"));
            }
        }
        self.check(&disk, &case);
    }

    fn check(&self, disk: &SimulatedDisk, case: &str) {
        let mut journal = open(disk).unwrap_or_else(|error| panic!("{case}: {error}"));
        let found = keys_of(&journal);
        assert!(self.allowed.contains(&found), "{case}: the keys are of no moment that is allowed");
        // And it goes on from there.
        let more = vec![(b"more".to_vec(), Some(b"value".to_vec()))];
        journal.apply(more.clone()).unwrap();
        journal.sync().unwrap();
        drop(journal);
        let mut expected = found;
        change(&mut expected, &more);
        assert_eq!(keys_of(&open(disk).unwrap_or_else(|error| panic!("{case}, opened again: {error}"))), expected);
    }

    fn apply(&mut self, journal: &mut Journal) {
        let batch = batch(&mut self.chance);
        let mut after = self.allowed.last().unwrap().clone();
        change(&mut after, &batch);
        self.allowed.push(after);
        journal.apply(batch).unwrap();
    }

    fn synced(&mut self) {
        self.allowed.drain(..self.allowed.len() - 1);
    }
}

#[test]
fn a_power_cut_at_any_moment_loses_nothing_that_was_synced() {
    let (mut cuts, mut snapshots) = (0, 0);
    for seed in 0..6 {
        let disk = SimulatedDisk::default();
        let mut scenario = Scenario::new(disk.clone(), seed);
        for _ in 0..3 {
            let mut journal = open(&disk).unwrap();
            scenario.cut_everywhere("opening");
            assert_eq!(keys_of(&journal), scenario.allowed[0]);
            for _ in 0..40 {
                // Sometimes several are applied before they are synced, as with a weaker durability.
                for _ in 0..1 + scenario.chance.below(4) / 3 * 2 {
                    scenario.apply(&mut journal);
                    scenario.cut_everywhere("a batch");
                }
                journal.sync().unwrap();
                scenario.cut_everywhere("a sync");
                scenario.synced();
                assert_eq!(keys_of(&journal), scenario.allowed[0]);
            }
            if seed % 3 == 0 {
                journal.compact().unwrap();
                scenario.cut_everywhere("compacting");
                assert_eq!(keys_of(&journal), scenario.allowed[0]);
            }
            drop(journal);
            scenario.cut_everywhere("closing");
        }
        cuts += scenario.cuts;
        snapshots += u64::from(disk_has(&disk, "snapshot-"));
    }
    println!("{cuts} power cuts, 0 lost, 0 unopenable");
    assert!(cuts > 3_000 && snapshots == 6, "{cuts} cuts, {snapshots} stores with a snapshot say nothing");
}

fn disk_has(disk: &SimulatedDisk, prefix: &str) -> bool {
    use super::disk::Disk as _;
    disk.list().unwrap().iter().any(|name| name.starts_with(prefix))
}

#[test]
fn a_journal_that_ends_at_any_byte_is_that_of_its_last_whole_frame() {
    let disk = SimulatedDisk::default();
    let mut journal = open(&disk).unwrap();
    let before = disk.world();
    let (mut chance, mut states, mut ends) = (Chance(7), vec![Keys::new()], vec![FIRST_FRAME as usize]);
    while ends.len() < 30 && *ends.last().unwrap() < 9_000 {
        let batch = batch(&mut chance);
        let mut after = states.last().unwrap().clone();
        change(&mut after, &batch);
        journal.apply(batch).unwrap();
        journal.sync().unwrap();
        states.push(after);
        ends.push(journal.at.offset as usize);
    }
    let name = segment::name(1);
    let written = disk.read(&name);
    let last = *ends.last().unwrap();
    for end in FIRST_FRAME as usize..=last {
        // The manifest as it was before the first batch: it knows of no frame.
        let cut = SimulatedDisk::of(before.clone());
        cut.change(&name, |bytes| bytes[..end].copy_from_slice(&written[..end]));
        // Frames are padded; without the padding they are whole.
        let whole = ends.partition_point(|at| *at <= end + 7) - 1;
        let found = keys_of(&open(&cut).unwrap_or_else(|error| panic!("byte {end}: {error}")));
        let padded = found == states[whole] || ends[whole] > end && found == states[whole - 1];
        assert!(padded, "byte {end} of {last}");
    }
    // A torn tail: any of the blocks of the last frame are there, the others are not.
    for seed in 0..300 {
        let frame = 1 + chance.below(ends.len() as u64 - 1) as usize;
        let (from, to) = (ends[frame - 1], ends[frame]);
        let mut torn = Chance(seed);
        let cut = SimulatedDisk::of(before.clone());
        let mut all = true;
        cut.change(&name, |bytes| {
            bytes[..from].copy_from_slice(&written[..from]);
            for at in (from..to).step_by(16) {
                let end = (at + 16).min(to);
                if torn.below(4) > 0 {
                    bytes[at..end].copy_from_slice(&written[at..end]);
                }
            }
            all = bytes[from..to] == written[from..to];
        });
        let found = keys_of(&open(&cut).unwrap());
        assert_eq!(found, states[if all { frame } else { frame - 1 }], "frame {frame}, seed {seed}");
    }
}

#[test]
fn a_damaged_frame_with_another_behind_it_is_named_and_never_passed_over() {
    let disk = SimulatedDisk::default();
    let mut journal = open(&disk).unwrap();
    let mut starts = Vec::new();
    for number in 0..12_u8 {
        starts.push(journal.at.offset);
        journal.apply(vec![(vec![number], Some(vec![number; 100]))]).unwrap();
        journal.sync().unwrap();
    }
    let (world, end) = (disk.world(), journal.at.offset as usize);
    for at in FIRST_FRAME as usize..end {
        let damaged = SimulatedDisk::of(world.clone());
        damaged.change(&segment::name(1), |bytes| bytes[at] ^= 0x40);
        let frame = starts.partition_point(|start| *start as usize <= at) - 1;
        let last = frame + 1 == starts.len();
        match open(&damaged) {
            // The store was not closed: the last frame may have been under way.
            Ok(journal) => {
                // Nobody reads the zeros between two frames.
                let padding = at + 8 >= starts.get(frame + 1).map_or(end, |next| *next as usize);
                let keys = keys_of(&journal).len();
                assert!(keys == 12 && padding || keys == 11 && last, "byte {at} was passed over");
            }
            Err(error) => {
                let says = format!("`{}`, at byte {}: frame {} is damaged", segment::name(1), starts[frame], frame + 1);
                assert!(!last && error.to_string().starts_with(&says), "byte {at}: {error}");
            }
        }
    }
    // After it was closed in order, the last frame is known too.
    drop(journal);
    disk.change(&segment::name(1), |bytes| bytes[end - 8..end].fill(0));
    let error = open(&disk).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains("frame 12 is damaged; the store had 12 of them"), "{error}");
}

#[test]
fn a_damaged_copy_of_the_manifest_has_a_twin_and_two_are_named() {
    let disk = SimulatedDisk::default();
    let mut journal = open(&disk).unwrap();
    journal.apply(vec![(b"a".to_vec(), Some(b"b".to_vec()))]).unwrap();
    journal.sync().unwrap();
    drop(journal);
    for at in [5, 4096 + 5] {
        let damaged = SimulatedDisk::of(disk.world());
        damaged.change("manifest", |bytes| bytes[at] ^= 1);
        assert_eq!(keys_of(&open(&damaged).unwrap()).len(), 1);
    }
    disk.change("manifest", |bytes| bytes.fill(1));
    let error = open(&disk).map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "`manifest`, at byte 0: both copies of it are unreadable");
}

#[test]
fn after_an_error_the_handle_writes_nothing_more_and_the_next_one_has_what_was_synced() {
    for changes in 0..60 {
        let disk = SimulatedDisk::default();
        let mut scenario = Scenario::new(disk.clone(), 3);
        let mut journal = open(&disk).unwrap();
        for _ in 0..30 {
            scenario.apply(&mut journal);
            journal.sync().unwrap();
            scenario.synced();
        }
        disk.fail_after(changes);
        let failed = (0..200).any(|_| {
            let batch = batch(&mut scenario.chance);
            let mut after = scenario.allowed.last().unwrap().clone();
            change(&mut after, &batch);
            scenario.allowed.push(after);
            let done = journal.apply(batch).and_then(|()| journal.sync());
            if done.is_ok() {
                scenario.synced();
            }
            done.is_err()
        });
        assert!(failed);
        disk.heal();
        assert!(journal.apply(batch(&mut scenario.chance)).is_err() && journal.sync().is_err());
        drop(journal);
        for loss in [Loss::All, Loss::Part, Loss::Nothing] {
            let after = disk.world().cut(loss, &mut scenario.chance);
            scenario.check(&SimulatedDisk::of(after), &format!("an error after {changes} changes, {loss:?}"));
        }
        // What a failed sync left in memory is written once more before it counts.
        let reopened = open(&disk).unwrap();
        let found = keys_of(&reopened);
        let after = disk.world().cut(Loss::All, &mut scenario.chance);
        assert_eq!(keys_of(&open(&SimulatedDisk::of(after)).unwrap()), found);
    }
}

#[test]
fn what_was_written_before_a_restart_counts_for_the_next_snapshot() {
    let disk = SimulatedDisk::default();
    for round in 0..30_u8 {
        let mut journal = open(&disk).unwrap();
        journal.apply(vec![(vec![round], Some(vec![round; 2_000]))]).unwrap();
        journal.sync().unwrap();
    }
    assert!(disk_has(&disk, "snapshot-"), "30 × 2 KB were written, and one is due after 24 KiB");
    assert_eq!(keys_of(&open(&disk).unwrap()).len(), 30);
}

#[test]
fn a_full_disk_is_noticed_in_time_still_takes_deletions_and_goes_on_when_there_is_room() {
    for room in (200_000..900_000).step_by(61_001) {
        let disk = SimulatedDisk::default();
        let mut journal = open(&disk).unwrap();
        disk.room_for(Some(room));
        let mut keys = Keys::new();
        for round in 0..4 {
            let mut put = |journal: &mut Journal, number: u32| {
                let batch = vec![(format!("{round} {number:05}").into_bytes(), Some(vec![7; 900]))];
                journal.apply(batch.clone())?;
                journal.sync()?;
                change(&mut keys, &batch);
                Ok::<_, StoreError>(())
            };
            let mut number = 0;
            while !journal.is_full() {
                put(&mut journal, number).unwrap();
                number += 1;
                assert!(number < 10_000, "the disk does not fill up");
            }
            assert!(round > 0 || number > 50, "only {number} fit into {room}");
            assert!(disk.used() <= room);
            // It opens without any room, and knows after a while that it has none.
            drop(journal);
            journal = open(&disk).unwrap();
            assert_eq!(keys_of(&journal), keys);
            // All but every tenth is deleted, one by one.
            for key in
                keys.keys().cloned().enumerate().filter(|(at, _)| at % 10 != 0).map(|(_, key)| key).collect::<Vec<_>>()
            {
                let batch = vec![(key, None)];
                journal.apply(batch.clone()).unwrap_or_else(|error| panic!("room {room}, round {round}: {error}"));
                journal.sync().unwrap();
                change(&mut keys, &batch);
            }
            if journal.is_full() {
                journal.make_room().unwrap();
            }
            assert!(!journal.is_full(), "room {room}, round {round}");
            assert_eq!(keys_of(&journal), keys);
        }
    }
}
