#![allow(unused)]

use durable_runtime::prelude::*;

use std::net::{Ipv4Addr, TcpStream};

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let stream = TcpStream::connect("localhost:80");
}

fn main() {}
