#![allow(unused)]

use durable_runtime::prelude::*;

#[activity(timeout = "soon", heartbeat = "0s", retry(max_attempts = 3, initial = 200, max = "5us"))]
async fn charge() {}

fn main() {}
