//! What a store that several processes share owes besides.

use durable_runtime::providers::SqliteProvider;
use durable_runtime::testing::conformance;

conformance::suite!(on_sqlite, |clock| async {
    let folder = tempfile::tempdir().unwrap();
    (SqliteProvider::options().clock(clock).open(folder.path().join("store.db")).unwrap(), folder)
});
