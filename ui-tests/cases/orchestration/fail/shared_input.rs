#![allow(unused)]

use durable_runtime::prelude::*;

use std::rc::Rc;

#[orchestration]
async fn process(ctx: OrchestrationContext, order: Rc<String>) -> usize {
    order.len()
}

fn main() {}
