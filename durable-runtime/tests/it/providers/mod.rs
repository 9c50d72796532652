//! What every provider owes, and what each does besides.

mod sled;

use durable_runtime::providers::{MemoryProvider, SledProvider};
use durable_runtime::testing::conformance;

conformance::suite!(memory, |clock| async { (MemoryProvider::with_clock(clock), ()) });

conformance::suite!(on_sled, |clock| async {
    let folder = tempfile::tempdir().unwrap();
    (SledProvider::options().clock(clock).open(folder.path()).unwrap(), folder)
});
