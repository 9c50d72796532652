//! What is run. An activity is a `ctx.run`, an instance an invocation.

use std::time::Duration;

use durable_workloads::{Job, Note, ran};
use restate_sdk::prelude::*;
use tokio::sync::Notify;

/// Set when the last generation has ended: nothing awaits the first one till then.
pub static LAST_GENERATION: Notify = Notify::const_new();

/// All jobs but waiting.
pub struct Runner;

#[service]
impl Runner {
    #[handler]
    async fn run(&self, ctx: Context<'_>, Json(job): Json<Job>) -> HandlerResult<Json<Note>> {
        match job {
            Job::Steps { count, note } => {
                let mut note = note;
                for _ in 0..count {
                    note = ctx.run(|| echo(note)).await?.into_inner();
                }
                Ok(Json(note))
            }
            Job::FanOut { count, note } => {
                let call = |_| ctx.service_client::<RunnerClient>().echo(Json(note.clone())).call();
                let mut all: DurableFuturesUnordered<_> = (0..count).map(call).collect();
                while let Some((_, result)) = all.next().await? {
                    result?;
                }
                Ok(Json(note))
            }
            Job::Sleep { millis, note } => {
                ctx.sleep(Duration::from_millis(millis)).await?;
                Ok(Json(note))
            }
            Job::Generations { count: 0, note } => {
                LAST_GENERATION.notify_one();
                Ok(Json(note))
            }
            Job::Generations { count, note } => {
                let next = Job::Generations { count: count - 1, note: note.clone() };
                ctx.service_client::<RunnerClient>().run(Json(next)).send();
                Ok(Json(note))
            }
            Job::Wait { .. } => Err(TerminalError::new("what waits is a workflow").into()),
        }
    }

    /// An activity that others can run beside: a `ctx.run` cannot be joined with others.
    #[handler]
    async fn echo(&self, _ctx: Context<'_>, Json(note): Json<Note>) -> HandlerResult<Json<Note>> {
        echo(note).await
    }
}

async fn echo(note: Note) -> HandlerResult<Json<Note>> {
    ran(&note);
    Ok(Json(note))
}

/// Waits for an event: a durable promise of a workflow, which is named by its key.
pub struct Waiter;

#[workflow]
impl Waiter {
    #[handler]
    async fn run(&self, ctx: WorkflowContext<'_>, _note: Json<Note>) -> HandlerResult<Json<Note>> {
        Ok(ctx.promise::<Json<Note>>("go").await?)
    }

    #[handler]
    async fn go(&self, ctx: SharedWorkflowContext<'_>, note: Json<Note>) -> HandlerResult<()> {
        ctx.resolve_promise("go", note);
        Ok(())
    }
}
