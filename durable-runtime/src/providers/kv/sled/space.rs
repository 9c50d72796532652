//! Space on the disk, as sled needs it. Whether there is some is asked before sled gets what a log holds; commits go into
//! files that have their space already. What was deleted sled writes over later, but seldom gives back to the disk.

use std::io;
use std::path::Path;

use super::{LOG_BYTES, SEGMENT_BYTES};
use crate::providers::space::Reserve;

const NAME: &str = "reserve";
/// sled fills up a part of its file when it is opened, and begins the next one when it likes to.
const PART_BYTES: u64 = SEGMENT_BYTES as u64;
const RESERVE_BYTES: u64 = PART_BYTES + 4 * LOG_BYTES;
/// With less beside the reserve the disk is full.
const NEED_BYTES: u64 = 2 * PART_BYTES + 8 * LOG_BYTES;
/// With less nothing is tried.
const LEAST_BYTES: u64 = PART_BYTES + 2 * LOG_BYTES;

/// See the module.
#[derive(Debug)]
pub(super) struct Space {
    reserve: Reserve,
    /// Only what takes away is to be kept.
    pub(super) full: bool,
    /// Not even that.
    pub(super) none: bool,
}

impl Space {
    /// Of the store in this folder, after the first look.
    pub(super) fn of(folder: &Path) -> io::Result<Self> {
        let mut space = Self { reserve: Reserve::new(folder.join(NAME), RESERVE_BYTES), full: false, none: false };
        space.look()?;
        Ok(space)
    }

    /// Looks how much there is, and gives up the reserve or makes it.
    pub(super) fn look(&mut self) -> io::Result<()> {
        self.full = self.reserve.is_needed(NEED_BYTES)?;
        self.none = self.full && self.reserve.free_bytes()? < LEAST_BYTES;
        Ok(())
    }

    /// Gives up the reserve until the next look.
    pub(super) fn lend(&self) -> io::Result<()> {
        self.reserve.remove()
    }
}
