#![allow(unused)]

use durable_runtime::prelude::*;

#[activity(tag = "gpu", tag = "cpu")]
async fn charge() {}

fn main() {}
