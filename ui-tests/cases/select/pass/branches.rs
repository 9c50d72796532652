#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn charge() -> u64 {
    5
}

#[derive(Event, Serialize, Deserialize)]
struct Approved(u64);

#[orchestration]
async fn process(ctx: OrchestrationContext, patience: u64) -> u64 {
    let day = Duration::from_secs(86_400);
    let mut waited = 0;
    'rounds: loop {
        let one = select! {
            Ok(cents) = charge(&ctx), if patience > 1 => {
                waited += cents;
                ctx.timer(day).await;
                continue 'rounds;
            }
            Approved(by) | Approved(by) = ctx.event::<Approved>() => by,
            _ = async { charge(&ctx).await.is_ok() } => return 7,
            else => 8,
        };
        let alone = durable_runtime::select! { () = ctx.timer(day) => 1 };
        let mut slow = ctx.timer(day);
        let inner = select! {
            () = &mut slow => 1,
            (a, b) = async { join!(charge(&ctx), charge(&ctx)) } => select! { () = ctx.timer(day) => 1, () = &mut slow => 2 },
        };
        break one + alone + inner + waited;
    }
}

fn main() {}
