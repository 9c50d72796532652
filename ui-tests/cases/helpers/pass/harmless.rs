#![allow(unused)]

use durable_runtime::prelude::*;

mod found;

use std::time::{Duration, Instant};

fn never_called() -> Instant {
    Instant::now()
}

#[deterministic]
fn checked_at_home(number: u64) -> u64 {
    number + 1
}

#[activity]
fn anything() -> u64 {
    never_called();
    rand::random()
}

struct Clock(u64);

impl Clock {
    fn now(&self) -> u64 {
        self.0
    }

    fn start() -> Self {
        Self(Self::zero())
    }

    fn zero() -> u64 {
        found::inner::zero()
    }
}

trait Named {
    fn name() -> String {
        String::from("named")
    }
}

impl Named for Clock {}

fn even(depth: u64) -> bool {
    depth == 0 || odd(depth - 1)
}

fn odd(depth: u64) -> bool {
    depth != 0 && even(depth - 1)
}

#[cfg(test)]
fn only_in_tests() -> Instant {
    Instant::now()
}

mod tokio {
    pub fn spawn(number: u64) -> u64 {
        number
    }
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> u64 {
    let clock = Clock::start();
    let name = Clock::name();
    let day = Duration::from_secs(86_400);
    let charged = anything(&ctx).await.unwrap_or_default();
    if even(4) { tokio::spawn(checked_at_home(clock.now())) } else { charged }
}

fn main() {}
