#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct NightShiftBegins;

#[derive(Event, Serialize, Deserialize)]
#[event(name = "payment.received")]
enum Payment {
    Cash,
    Card { number: String },
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> bool {
    let NightShiftBegins = ctx.event().await;
    matches!(ctx.event::<Payment>().await, Payment::Card { .. })
}

fn main() {
    assert_eq!((NightShiftBegins::NAME, Payment::NAME), ("night_shift_begins", "payment.received"));
}
