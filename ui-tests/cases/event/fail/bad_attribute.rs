#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Event, Serialize, Deserialize)]
#[event(nam = "approved")]
struct One;

#[derive(Event, Serialize, Deserialize)]
#[event = "approved"]
struct Two;

#[derive(Event, Serialize, Deserialize)]
#[event(name = "")]
struct Three;

fn main() {}
