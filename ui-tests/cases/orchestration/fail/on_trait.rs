#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
trait Process {}

fn main() {}
