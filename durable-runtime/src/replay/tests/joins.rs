//! Many side by side: each is polled when something came for it.

use std::cell::Cell;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::*;
use crate::context::LocalBoxDurable;

thread_local! {
    static POLLS: Cell<usize> = const { Cell::new(0) };
}

/// Counts how often it is polled.
struct Counted<F>(F);

impl<F: Future + Unpin> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        POLLS.set(POLLS.get() + 1);
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<F: DurableFuture + Unpin> DurableFuture for Counted<F> {
    fn waits_for(&self) -> Option<CommandId> {
        self.0.waits_for()
    }
}

#[orchestration]
async fn many(ctx: OrchestrationContext, count: usize) -> usize {
    join_all((0..count).map(|number| Counted(step(&ctx, number.to_string())))).await.len()
}

#[orchestration]
async fn try_many(ctx: OrchestrationContext, count: usize) -> Result<usize, ActivityError> {
    Ok(try_join_all((0..count).map(|number| Counted(step(&ctx, number.to_string())))).await?.len())
}

fn polls_of<O: Orchestration>(count: usize) -> usize {
    POLLS.set(0);
    let mut execution = execution::<O>(Limits::default());
    let lines = (1..=count).rev().map(|number| incoming(&format!("done {number} \"x\"")));
    let start = started::<O>(&format!(r#"{{"count":{count}}}"#), Vec::new());
    for kind in std::iter::once(start).chain(lines) {
        execution.apply(kind, Timestamp::from_millis(1));
    }
    assert!(execution.has_ended());
    POLLS.get()
}

#[test]
fn each_call_is_polled_when_it_is_asked_for_and_when_it_has_come_back() {
    assert_eq!(polls_of::<many>(300), 600);
    assert_eq!(polls_of::<try_many>(300), 600);
}

#[orchestration]
async fn of_all_kinds(ctx: OrchestrationContext) -> Vec<String> {
    let block = async {
        let once = step(&ctx, "a".to_owned()).await.unwrap_or_default();
        step(&ctx, once).await.unwrap_or_default()
    };
    let timer = async {
        ctx.timer(Duration::from_secs(5)).await;
        "fired".to_owned()
    };
    let event = async { ctx.event::<Go>().await.by };
    let plain = step(&ctx, "b".to_owned());
    let called = async { plain.await.unwrap_or_default() };
    let all: Vec<LocalBoxDurable<'_, String>> =
        vec![Box::pin(block), Box::pin(timer), Box::pin(event), Box::pin(called)];
    join_all(all).await
}

#[test]
fn those_that_wait_for_more_than_one_thing_go_on_too() {
    let arrivals = [r#"done 1 "x""#, "fired 2", r#"raised go {"by":"me"}"#, r#"done 4 "y""#];
    for first in 0..arrivals.len() {
        let lines: Vec<&str> = arrivals.iter().cycle().skip(first).take(arrivals.len()).copied().collect();
        let answers = run::<of_all_kinds>("{}", &format!("{}\ndone 5 \"z\"", lines.join("\n")));
        assert!(answers.ends_with(r#"output ["z","fired","me","y"]"#), "{answers}");
    }
}

#[orchestration]
async fn some_fail(ctx: OrchestrationContext) -> Result<usize, ActivityError<String>> {
    Ok(try_join_all(["a", "b", "c", "d"].map(|name| risky(&ctx, name.to_owned()))).await?.len())
}

#[test]
fn the_first_error_ends_it_and_the_others_are_cancelled() {
    let answers = run::<some_fail>("{}", "done 3 \"x\"\nfailed 2 \"no\"");
    assert!(answers.ends_with("drop 1, drop 4, error {\"failed\":\"no\"}"), "{answers}");
}
