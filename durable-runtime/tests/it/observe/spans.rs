//! Spans around user code, and the trace that an instance belongs to.

use durable_runtime::history::EventKind;
use durable_runtime::observe::TraceContext;
use durable_runtime::prelude::*;

use super::captured;
use crate::engine::kit::{each_store, end, soon};

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn trace() -> TraceContext {
    TRACE.parse::<TraceContext>().unwrap().with_state("rojo=1").unwrap()
}

#[activity]
async fn traced_call(ctx: ActivityContext, of: String) -> Result<Option<String>, String> {
    tokio::task::yield_now().await;
    tracing::info!(of, "in an activity");
    Ok(ctx.trace().map(|trace| format!("{} {:?}", trace.traceparent(), trace.tracestate())))
}

#[activity]
fn traced_blocking(of: String) {
    tracing::info!(of, "in a blocking activity");
}

#[activity]
async fn traced_start(ctx: ActivityContext, id: String) -> bool {
    traced_child(ctx.client(), 9).id(id).start().await.is_ok()
}

#[orchestration]
async fn traced_child(ctx: OrchestrationContext, generation: u32) -> Result<Option<String>, ActivityError<String>> {
    match generation {
        0 => traced_child(&ctx, 1).continue_as_new().await,
        _ => traced_call(&ctx, ctx.instance_id().to_string()).await,
    }
}

#[orchestration(version = "1.2.0")]
async fn traced_parent(ctx: OrchestrationContext) -> Result<Option<String>, ChildError<ActivityError<String>>> {
    let id = ctx.instance_id();
    tracing::info!(%id, "in an orchestration");
    let _ = traced_blocking(&ctx, id.to_string()).await;
    let _ = traced_start(&ctx, format!("{id} started")).await;
    traced_child(&ctx, 0).id(format!("{id} child")).await
}

/// What `traced_call` saw.
fn seen() -> Option<String> {
    Some(format!("{TRACE} Some(\"rojo=1\")"))
}

#[tokio::test]
async fn a_trace_reaches_activities_children_and_what_they_start() {
    captured::begin();
    for test in each_store() {
        let runtime = test.runtime().metrics_clock(test.clock.clone()).start().await.unwrap();
        let client = runtime.client();
        let id = test.named("traced");
        let started = client.handle::<traced_child>(format!("{id} started")).unwrap();
        let handle = traced_parent(&client).id(&id).trace(trace()).start().await.unwrap();
        assert_eq!(soon(handle.result()).await.unwrap(), seen());
        assert_eq!(soon(started.result()).await.unwrap(), seen());
        let history = handle.history().await.unwrap();
        assert!(matches!(&history[0].kind, EventKind::Started(started) if started.trace == Some(trace())));
        end(runtime).await;

        let of = |text: &str| captured::lines(text).into_iter().filter(|line| line.contains(&id)).collect::<Vec<_>>();
        let turn = format!(
            "[turn instance={id} execution=1 attempt=1 orchestration=traced_parent version=1.2.0 traceparent={TRACE}"
        );
        assert_eq!(of("in an orchestration").len(), 1);
        assert!(of("in an orchestration")[0].contains(&turn), "{:?}", of("in an orchestration"));
        let blocking = format!(
            "[activity instance={id} execution=1 activity=traced_blocking command=1 attempt=1 traceparent={TRACE}"
        );
        assert!(of("in a blocking activity")[0].contains(&blocking), "{:?}", of("in a blocking activity"));
        let child = of("in an activity").into_iter().find(|line| line.contains("child")).unwrap();
        let span = format!(
            "[activity instance={id} child execution=2 activity=traced_call command=1 attempt=1 traceparent={TRACE}"
        );
        assert!(child.contains(&span), "{child}");
    }
}

#[tokio::test]
async fn a_trace_is_found_where_the_start_is_made_and_is_no_part_of_a_decision() {
    tokio::task_local! { static CURRENT: &'static str; }
    let store = MemoryProvider::new();
    let find = || CURRENT.try_with(|current| current.parse().ok()).ok().flatten();
    let runtime = Runtime::builder(store.clone()).trace_source(find).start().await.unwrap();
    let client = runtime.client();
    let with = CURRENT.scope(TRACE, traced_child(&client, 9).id("found").start()).await.unwrap();
    let without = traced_child(&client, 9).id("not found").start().await.unwrap();
    assert_eq!(soon(with.result()).await.unwrap(), Some(format!("{TRACE} None")));
    assert_eq!(soon(without.result()).await.unwrap(), None);
    let text = serde_json::to_string(&without.history().await.unwrap()).unwrap();
    assert!(!text.contains("trace\""), "an instance without a trace costs nothing: {text}");
    end(runtime).await;
}
