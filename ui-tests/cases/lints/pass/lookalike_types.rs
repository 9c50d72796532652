#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Debug)]
struct Instant;

impl Instant {
    fn now() -> Self {
        Self
    }
}

fn random() -> u64 {
    4
}

mod rand {
    pub fn random() -> u64 {
        4
    }
}

mod tokio {
    pub fn spawn(number: u64) -> u64 {
        number
    }
}

struct Dice;

impl Dice {
    fn random() -> u64 {
        4
    }
}

macro_rules! println {
    ($($anything:tt)*) => {};
}

#[orchestration(macros(println))]
async fn process(ctx: OrchestrationContext) {
    let start = Instant::now();
    let number = random() + rand::random() + tokio::spawn(3) + Dice::random();
    println!("{number} {start:?}");
}

fn main() {}
