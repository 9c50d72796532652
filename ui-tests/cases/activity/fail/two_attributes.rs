#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
#[orchestration]
async fn process(ctx: ActivityContext) {}

fn main() {}
