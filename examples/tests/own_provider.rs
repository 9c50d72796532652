//! The provider of the example, judged by the suite that judges every store.

use durable_runtime::testing::conformance;

#[path = "../own_provider/shelf.rs"]
mod shelf;

conformance::suite!(on_the_shelf, |clock| async { (shelf::Shelf::new(clock), ()) });
