#![allow(unused)]

use durable_runtime::prelude::*;

// `reqwest` is a stand-in with the same paths: the real one would build a hundred crates.
use reqwest::Client;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let client = Client::new();
    let page = reqwest::blocking::get("http://example.com");
    let status = reqwest::StatusCode(200);
}

fn main() {}
