#![allow(unused)]

use durable_runtime::prelude::*;

use std::rc::Rc;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let value = 5_u64;
    let cast = &value as *const u64;
    let raw = &raw const value;
    let shown = format!("{value} is at {:p}", &value);
    let text = String::from("text").as_ptr();
    let counted = Rc::as_ptr(&Rc::new(value));
    let same = std::ptr::eq(&value, &value);
    let both = Rc::ptr_eq(&Rc::new(1), &Rc::new(1));
}

fn main() {}
