#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge(ctx: ActivityContext, again: ActivityContext) {}

fn main() {}
