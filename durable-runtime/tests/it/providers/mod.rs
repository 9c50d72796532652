//! What every provider owes, and what each does besides.

mod fs;
mod full;
mod layers;
mod model;
mod multiexec;
mod opening;
pub(crate) mod sled;
mod small_disk;
#[cfg(feature = "sqlite")]
mod sqlite;
mod suite;
mod upkeep;
mod watch;

use durable_runtime::providers::{FsProvider, MemoryProvider, SledProvider};
use durable_runtime::testing::{ManualClock, conformance};
use tempfile::{TempDir, tempdir};

conformance::suite!(memory, |clock| async { (MemoryProvider::with_clock(clock), ()) });

async fn open_sled(clock: ManualClock, folder: TempDir) -> (SledProvider, TempDir) {
    (SledProvider::options().clock(clock).open(folder.path()).unwrap(), folder)
}

conformance::suite!(on_sled, |clock| open_sled(clock, tempdir().unwrap()), reopen: open_sled);

async fn open_fs(clock: ManualClock, folder: TempDir) -> (FsProvider, TempDir) {
    (FsProvider::options().segment_bytes(64 * 1024).clock(clock).open(folder.path()).unwrap(), folder)
}

conformance::suite!(on_fs, |clock| open_fs(clock, tempdir().unwrap()), reopen: open_fs);
