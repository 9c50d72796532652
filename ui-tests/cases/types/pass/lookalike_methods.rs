#![allow(unused)]

use std::collections::BTreeMap;

use durable_runtime::prelude::*;

struct Stopwatch(u64);

impl Stopwatch {
    fn elapsed(&self) -> u64 {
        self.0
    }
}

struct Registry {
    names: Vec<String>,
}

impl Registry {
    fn keys(&self) -> std::slice::Iter<'_, String> {
        self.names.iter()
    }

    fn lock(&mut self) -> Guard<'_> {
        Guard(self)
    }

    fn with<T>(self, then: impl FnOnce(Self) -> T) -> T {
        then(self)
    }
}

struct Guard<'a>(&'a mut Registry);

impl Guard<'_> {
    fn read(&self) -> usize {
        self.0.names.len()
    }

    fn send(self, name: &str) {
        self.0.names.push(name.to_owned());
    }
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> usize {
    let watch = Stopwatch(5);
    let mut registry = Registry { names: vec!["a".into()] };
    for name in registry.keys() {}
    registry.lock().send("b");
    let count = registry.lock().read() + watch.elapsed() as usize;
    registry.with(|registry| registry.names.len() + count)
}

fn main() {}
