#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
const fn one() -> u64 {
    1
}

#[activity]
unsafe fn two() -> u64 {
    2
}

#[activity]
extern "C" fn three() -> u64 {
    3
}

fn main() {}
