#![allow(unused)]

use durable_runtime::prelude::*;

struct Mail {
    std: std::sync::mpsc::Receiver<u32>,
    tokio: tokio::sync::mpsc::Receiver<u32>,
    sender: tokio::sync::oneshot::Sender<u32>,
}

fn pick<T>(from: &mut Option<T>) -> Option<T> {
    from.take()
}

#[orchestration]
async fn process(ctx: OrchestrationContext) {
    let mut mail: Option<Mail> = None;
    if let Some(mut mail) = pick(&mut mail) {
        let one = mail.std.recv();
        let two = mail.tokio.try_recv();
        let three = mail.sender.send(3);
        for number in &mail.std {}
    }
}

fn main() {}
