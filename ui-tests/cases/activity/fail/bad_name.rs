#![allow(unused)]

use durable_runtime::prelude::*;

#[activity(name = "")]
async fn one() {}

#[activity(name = "a\nb")]
async fn two() {}

#[activity(name = three)]
async fn three() {}

fn main() {}
