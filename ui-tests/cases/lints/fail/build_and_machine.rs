#![allow(unused)]

use durable_runtime::prelude::*;

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let place = std::panic::Location::caller();
    let trace = std::backtrace::Backtrace::capture();
    let layout = std::alloc::Layout::new::<u64>();
    let waiting = std::thread::available_parallelism();
    let sockets = std::net::ToSocketAddrs::to_socket_addrs("localhost:80");
    let path = std::path::Path::exists(std::path::Path::new("a"));
    let input = std::io::read_to_string(std::io::empty());
}

fn main() {}
