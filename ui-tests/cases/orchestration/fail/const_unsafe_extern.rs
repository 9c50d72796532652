#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async unsafe fn process(ctx: OrchestrationContext) {}

#[orchestration]
async extern "C" fn ship(ctx: OrchestrationContext) {}

fn main() {}
