//! What every provider owes, and what each does besides.

mod fs;
mod sled;
#[cfg(feature = "sqlite")]
mod sqlite;

use durable_runtime::providers::{FsProvider, MemoryProvider, SledProvider};
use durable_runtime::testing::conformance;

conformance::suite!(memory, |clock| async { (MemoryProvider::with_clock(clock), ()) });

conformance::suite!(on_sled, |clock| async {
    let folder = tempfile::tempdir().unwrap();
    (SledProvider::options().clock(clock).open(folder.path()).unwrap(), folder)
});

conformance::suite!(on_fs, |clock| async {
    let folder = tempfile::tempdir().unwrap();
    (FsProvider::options().segment_bytes(64 * 1024).clock(clock).open(folder.path()).unwrap(), folder)
});
