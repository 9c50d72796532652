#![allow(unused)]

use durable_runtime::prelude::*;

#[activity(retry(factor = 0.5))]
async fn one() {}

#[activity(retry(max_attempts = 0))]
async fn two() {}

#[activity(retry = 3)]
async fn three() {}

fn main() {}
