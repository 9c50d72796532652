//! Every embedded store against the model: the same calls, drawn by chance, and the same answers after each of them.

mod bench;
mod compare;
mod resolve;
mod steps;

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use durable_runtime::providers::{Durability, FsProvider, MemoryProvider, SledProvider};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use self::bench::{Bench, Open};

const CASES: u32 = 2_000;

/// `DURABLE_MODEL_SEED` is another seed than the usual one: a whole number.
fn seed() -> u64 {
    std::env::var("DURABLE_MODEL_SEED").map_or(20_261_121, |seed| seed.parse().expect("a whole number"))
}

fn agrees_with_the_model(open: &Open) {
    let seed = seed();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: CASES, max_shrink_iters: 4_000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let (kept, steps) = (RefCell::new(None), Cell::new(0));
    let outcome = runner.run(&steps::case(), |case| {
        // Opening is slow, so one store serves many cases; one that has failed serves no other.
        let mut bench = kept.take().unwrap_or_else(|| Bench::new(open));
        steps.set(steps.get() + case.len());
        bench.run(case)?;
        kept.replace(Some(bench));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("seed {seed} (DURABLE_MODEL_SEED): {error}");
    }
    println!("{CASES} cases, {} steps, seed {seed}", steps.get());
}

#[test]
fn memory_agrees_with_the_model() {
    agrees_with_the_model(&|clock, _| Arc::new(MemoryProvider::with_clock(clock)));
}

#[test]
fn sled_agrees_with_the_model() {
    agrees_with_the_model(&|clock, folder| {
        let options = SledProvider::options().durability(Durability::None).clock(clock);
        Arc::new(options.open(folder.join("sled")).unwrap())
    });
}

#[test]
fn fs_agrees_with_the_model() {
    agrees_with_the_model(&|clock, folder| {
        let options = FsProvider::options().durability(Durability::None).segment_bytes(64 * 1024).clock(clock);
        Arc::new(options.open(folder.join("fs")).unwrap())
    });
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_agrees_with_the_model() {
    agrees_with_the_model(&|clock, folder| {
        let options = durable_runtime::SqliteProvider::options().durability(Durability::None).clock(clock);
        Arc::new(options.open(folder.join("store.db")).unwrap())
    });
}
