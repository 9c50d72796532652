//! Files that wait to become segments: the next one is filled in small steps while the one before is written. They are
//! also what tells in time that the disk is full, before a transaction finds out.

use std::collections::VecDeque;
use std::io;

use super::disk::Disk;
use super::reserve::Reserve;
use super::segment::{self, Growing, Segment, Spare};

/// Spares that are kept to be used again.
const SPARES_MAX: usize = 2;

/// See the module.
#[derive(Default)]
pub(super) struct Spares {
    ready: VecDeque<Spare>,
    growing: Option<Growing>,
    named: u64,
    /// There was no space for the next one.
    pub(super) low: bool,
    reserve: Reserve,
}

impl Spares {
    /// Takes in the spares of the time before, and puts away what was being made.
    pub(super) fn open(disk: &dyn Disk, names: &[String]) -> io::Result<Self> {
        let mut spares = Self { reserve: Reserve::open(disk, names)?, ..Self::default() };
        for name in names {
            if segment::is_unfinished(name) {
                disk.remove(name)?;
            } else if segment::is_spare(name) {
                spares.add(disk, Spare { segment: Segment::open(disk, name)?, name: name.clone() })?;
            }
            let number = name.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default();
            spares.named = spares.named.max(number);
        }
        Ok(spares)
    }

    /// A file that holds nothing any more: kept if it can be of use.
    pub(super) fn add(&mut self, disk: &dyn Disk, spare: Spare) -> io::Result<()> {
        // Without space the next segment comes first, so that more can be taken away, and then the reserve.
        if self.low && self.has_ready() && !self.reserve.is_there() {
            if !self.reserve.adopt(disk, &spare.name, spare.segment.bytes)? {
                disk.remove(&spare.name)?;
                self.reserve.fill(disk);
            }
            return Ok(());
        }
        let smallest = self.ready.iter().enumerate().min_by_key(|(_, spare)| spare.segment.bytes);
        if self.ready.len() < SPARES_MAX {
            self.ready.push_back(spare);
            self.low = self.low && !self.reserve.is_there();
            return Ok(());
        }
        match smallest.filter(|(_, small)| small.segment.bytes < spare.segment.bytes).map(|(at, _)| at) {
            Some(at) => {
                let small = self.ready.remove(at);
                self.ready.push_back(spare);
                small.map_or(Ok(()), |small| disk.remove(&small.name))
            }
            None => disk.remove(&spare.name),
        }
    }

    /// Fills the next spare some more, if there is none. A full disk is noted, and is no error.
    pub(super) fn grow(&mut self, disk: &dyn Disk, bytes: u32, most: u32) -> io::Result<()> {
        if self.ready.iter().any(|spare| spare.segment.bytes >= bytes) {
            return Ok(());
        }
        self.low |= !self.reserve.fill(disk);
        match self.try_grow(disk, bytes, most) {
            Err(error) if error.kind() == io::ErrorKind::StorageFull => {
                self.run_out(disk);
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    fn try_grow(&mut self, disk: &dyn Disk, bytes: u32, most: u32) -> io::Result<()> {
        if self.growing.as_ref().is_some_and(|growing| growing.bytes() < bytes) {
            self.give_up(disk);
        }
        let mut growing = match self.growing.take() {
            Some(growing) => growing,
            None => {
                self.named += 1;
                Growing::begin(disk, self.named, bytes)?
            }
        };
        match growing.grow(disk, most) {
            Ok(Some(spare)) => self.add(disk, spare),
            Ok(None) => {
                self.growing = Some(growing);
                Ok(())
            }
            Err(error) => {
                self.growing = Some(growing);
                Err(error)
            }
        }
    }

    /// A file of `bytes`, made now if there is none, and if there is no space one of at least `need`.
    pub(super) fn take(&mut self, disk: &dyn Disk, need: u32, bytes: u32) -> io::Result<Spare> {
        if let Some(spare) = self.find(bytes) {
            return Ok(spare);
        }
        let grown = self.try_grow(disk, bytes, u32::MAX);
        if grown.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::StorageFull) {
            self.run_out(disk);
        }
        match self.find(need) {
            Some(spare) => Ok(spare),
            None => Err(grown.err().unwrap_or_else(|| io::Error::other("a new segment got lost"))),
        }
    }

    fn find(&mut self, bytes: u32) -> Option<Spare> {
        let found = self.ready.iter().position(|spare| spare.segment.bytes >= bytes);
        found.and_then(|at| self.ready.remove(at))
    }

    fn run_out(&mut self, disk: &dyn Disk) {
        self.give_up(disk);
        if !std::mem::replace(&mut self.low, true) {
            tracing::warn!("the disk is full: soon only what takes away can be kept, until there is space");
        }
    }

    /// Gives the space up that was kept back; answers whether there was any.
    pub(super) fn release(&mut self, disk: &dyn Disk) -> io::Result<bool> {
        self.reserve.release(disk)
    }

    fn give_up(&mut self, disk: &dyn Disk) {
        if let Some(growing) = self.growing.take() {
            let _ = disk.remove(&growing.unfinished());
        }
    }

    /// Whether the next segment is there already.
    fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether there is space for a snapshot.
    pub(super) fn has_reserve(&self) -> bool {
        self.reserve.is_there()
    }

    /// Looks whether somebody has made space; answers whether it is still short.
    pub(super) fn is_low(&mut self, disk: &dyn Disk, bytes: u32) -> bool {
        if self.low {
            let tried = self.grow(disk, bytes, u32::MAX);
            self.low = tried.is_err() || !self.has_ready() || !self.reserve.is_there();
        }
        self.low
    }

    /// Keeps so much space for a time when there is none.
    pub(super) fn reserve(&mut self, disk: &dyn Disk, bytes: u64) {
        self.reserve.need(bytes);
        self.low |= !self.reserve.fill(disk);
    }

    /// Takes all spares away.
    pub(super) fn clear(&mut self, disk: &dyn Disk) -> io::Result<()> {
        self.give_up(disk);
        self.ready.drain(..).try_for_each(|spare| disk.remove(&spare.name))
    }
}
