//! Programs that one build cannot be: two functions of one name, states that nobody gave. Everything here is registered
//! by hand, so it has a binary of its own.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../it/engine/counted.rs"]
#[allow(dead_code)] // shared; not all of it is needed here
mod counted;
#[path = "../it/engine/kit.rs"]
#[allow(dead_code)] // shared; not all of it is needed here
mod kit;

mod builds;
mod duplicates;
mod states;
