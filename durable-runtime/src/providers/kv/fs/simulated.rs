//! A disk in memory that forgets, fails and fills up.
//!
//! What was written counts only when the file was synced, and names only when the folder was. A power cut leaves, of all
//! that was not, nothing or any part: blocks of files one by one, and names one by one.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};

use super::disk::{Disk, DiskFile};
use crate::providers::kv::gate::locked;

/// Small and well spread, the same on every machine (splitmix64).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

#[derive(Debug, Clone, Default)]
struct Content {
    now: Vec<u8>,
    synced: Vec<u8>,
    unsynced: Vec<(usize, Vec<u8>)>,
}

#[derive(Debug, Clone)]
enum NameChange {
    Create(String, u64),
    Rename(String, String),
    Remove(String),
}

/// Everything there is of a disk at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct World {
    files: BTreeMap<u64, Content>,
    names: BTreeMap<String, u64>,
    synced_names: BTreeMap<String, u64>,
    unsynced_names: Vec<NameChange>,
    next_file: u64,
    /// How many bytes there is room for.
    space: Option<usize>,
    /// After so many more writes and syncs everything fails.
    fails_after: Option<u64>,
    /// Whether the disk is kept as it was before every change.
    traced: bool,
    trace: Vec<Self>,
}

/// What is left of what was not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    All,
    Part,
    /// The process was killed, and the system was not.
    Nothing,
}

impl World {
    fn changes(&mut self) -> io::Result<()> {
        if self.traced {
            let before = Self { trace: Vec::new(), traced: false, ..self.clone() };
            self.trace.push(before);
        }
        match &mut self.fails_after {
            Some(0) => Err(io::Error::other("the disk is gone")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn write(&mut self, file: u64, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.changes()?;
        let used: usize = self.names.values().map(|file| self.files[file].now.len()).sum();
        let content = self.files.get_mut(&file).unwrap();
        let end = offset + bytes.len();
        let more = end.saturating_sub(content.now.len());
        if more > 0 && self.space.is_some_and(|space| used + more > space) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        put(&mut content.now, offset, bytes);
        content.unsynced.push((offset, bytes.to_vec()));
        Ok(())
    }

    fn sync(&mut self, file: u64) -> io::Result<()> {
        let changed = self.changes();
        let content = self.files.get_mut(&file).unwrap();
        let unsynced = std::mem::take(&mut content.unsynced);
        // After an error the system takes the pages for clean: the next sync does not write them.
        changed?;
        unsynced.iter().for_each(|(offset, bytes)| put(&mut content.synced, *offset, bytes));
        Ok(())
    }

    fn rename_now(names: &mut BTreeMap<String, u64>, change: &NameChange) {
        match change {
            NameChange::Create(name, file) => drop(names.insert(name.clone(), *file)),
            NameChange::Rename(from, to) => {
                if let Some(file) = names.remove(from) {
                    names.insert(to.clone(), file);
                }
            }
            NameChange::Remove(name) => drop(names.remove(name)),
        }
    }

    fn name(&mut self, change: NameChange) -> io::Result<()> {
        self.changes()?;
        Self::rename_now(&mut self.names, &change);
        self.unsynced_names.push(change);
        Ok(())
    }

    /// The disk as it is found after a power cut.
    pub(super) fn cut(&self, loss: Loss, chance: &mut Chance) -> World {
        let mut after = World { next_file: self.next_file, ..World::default() };
        // In some cuts much is kept, in others little.
        let share = chance.below(5);
        let mut kept = |loss| match loss {
            Loss::All => false,
            Loss::Part => chance.below(5) <= share,
            Loss::Nothing => true,
        };
        after.names = self.synced_names.clone();
        for change in &self.unsynced_names {
            if kept(loss) {
                Self::rename_now(&mut after.names, change);
            }
        }
        for file in after.names.values() {
            let content = &self.files[file];
            let mut found = content.synced.clone();
            for (offset, bytes) in &content.unsynced {
                for (at, block) in blocks(*offset, bytes) {
                    if kept(loss) {
                        put(&mut found, at, block);
                    }
                }
            }
            after.files.insert(*file, Content { now: found.clone(), synced: found, unsynced: Vec::new() });
        }
        after.synced_names = after.names.clone();
        after
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}

/// The parts of a write that lie in one block of the disk each.
fn blocks(offset: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let begin = at;
        at = bytes.len().min((offset + at + 1).next_multiple_of(512) - offset);
        (begin < bytes.len()).then(|| (offset + begin, &bytes[begin..at]))
    })
}

/// See the module.
#[derive(Clone, Default)]
pub(super) struct SimulatedDisk(Arc<Mutex<World>>);

impl SimulatedDisk {
    pub(super) fn of(world: World) -> Self {
        Self(Arc::new(Mutex::new(world)))
    }

    pub(super) fn world(&self) -> World {
        let world = locked(&self.0);
        World { trace: Vec::new(), traced: false, ..world.clone() }
    }

    /// Keeps the disk as it was before every change, from now on.
    pub(super) fn trace(&self) {
        locked(&self.0).traced = true;
    }

    /// The disks that were kept since the last time.
    pub(super) fn traced(&self) -> Vec<World> {
        std::mem::take(&mut locked(&self.0).trace)
    }

    pub(super) fn fail_after(&self, changes: u64) {
        locked(&self.0).fails_after = Some(changes);
    }

    pub(super) fn heal(&self) {
        locked(&self.0).fails_after = None;
    }

    pub(super) fn room_for(&self, bytes: Option<usize>) {
        locked(&self.0).space = bytes;
    }

    pub(super) fn used(&self) -> usize {
        let world = locked(&self.0);
        world.names.values().map(|file| world.files[file].now.len()).sum()
    }

    pub(super) fn read(&self, name: &str) -> Vec<u8> {
        let world = locked(&self.0);
        world.files[&world.names[name]].now.clone()
    }

    /// Changes a file behind everybody's back.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut world = locked(&self.0);
        let file = world.names[name];
        let content = world.files.get_mut(&file).unwrap();
        change(&mut content.now);
        content.synced.clone_from(&content.now);
    }
}

impl Disk for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(locked(&self.0).names.keys().cloned().collect())
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let file = locked(&self.0).names.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let mut world = locked(&self.0);
        let file = world.next_file;
        world.next_file += 1;
        world.files.insert(file, Content::default());
        world.name(NameChange::Create(name.to_owned(), file))?;
        Ok(Arc::new(SimulatedFile { disk: self.clone(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = locked(&self.0);
        if !world.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        world.name(NameChange::Rename(from.to_owned(), to.to_owned()))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = locked(&self.0);
        if !world.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        world.name(NameChange::Remove(name.to_owned()))
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut world = locked(&self.0);
        world.changes()?;
        world.synced_names = world.names.clone();
        world.unsynced_names.clear();
        Ok(())
    }
}

struct SimulatedFile {
    disk: SimulatedDisk,
    file: u64,
}

impl DiskFile for SimulatedFile {
    fn size(&self) -> io::Result<u64> {
        Ok(locked(&self.disk.0).files[&self.file].now.len() as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let world = locked(&self.disk.0);
        let offset = offset as usize;
        let found = world.files[&self.file].now.get(offset..offset + into.len());
        into.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        locked(&self.disk.0).write(self.file, offset as usize, bytes)
    }

    fn sync(&self) -> io::Result<()> {
        locked(&self.disk.0).sync(self.file)
    }
}

#[test]
fn what_was_not_synced_is_lost_and_what_was_is_not() {
    let disk = SimulatedDisk::default();
    let file = disk.create("a").unwrap();
    file.write_at(0, b"one").unwrap();
    file.sync().unwrap();
    disk.sync_folder().unwrap();
    file.write_at(3, b"two").unwrap();
    disk.create("b").unwrap();
    let cut = |loss| SimulatedDisk::of(disk.world().cut(loss, &mut Chance(1)));
    assert_eq!((cut(Loss::All).list().unwrap(), cut(Loss::All).read("a")), (vec!["a".to_owned()], b"one".to_vec()));
    assert_eq!((cut(Loss::Nothing).list().unwrap().len(), cut(Loss::Nothing).read("a")), (2, b"onetwo".to_vec()));
    let parts: Vec<_> = blocks(500, &[7; 600]).map(|(at, part)| (at, part.len())).collect();
    assert_eq!(parts, [(500, 12), (512, 512), (1024, 76)]);
}
