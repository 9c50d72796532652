//! What is run.

use std::time::Duration;

use durable_workloads::{Job, Note, ran};
use duroxide::runtime::registry::ActivityRegistry;
use duroxide::{ActivityContext, OrchestrationContext, OrchestrationRegistry};

/// The queue that waiting instances take their event from.
pub const EVENT: &str = "go";
const ECHO: &str = "echo";

/// The orchestration of a job.
pub fn name(job: &Job) -> &'static str {
    match job {
        Job::Steps { .. } => "steps",
        Job::FanOut { .. } => "fan_out",
        Job::Sleep { .. } => "sleep",
        Job::Wait { .. } => "wait",
        Job::Generations { .. } => "generations",
    }
}

pub fn activities() -> ActivityRegistry {
    let echo = |_: ActivityContext, note: String| async move {
        ran(&serde_json::from_str::<Note>(&note).map_err(|error| error.to_string())?);
        Ok(note)
    };
    ActivityRegistry::builder().register(ECHO, echo).build()
}

pub fn orchestrations() -> OrchestrationRegistry {
    OrchestrationRegistry::builder()
        .register("steps", run)
        .register("fan_out", run)
        .register("sleep", run)
        .register("wait", run)
        .register("generations", run)
        .build()
}

async fn run(ctx: OrchestrationContext, input: String) -> Result<String, String> {
    match serde_json::from_str(&input).map_err(|error| error.to_string())? {
        Job::Steps { count, note } => {
            let mut note = text(&note)?;
            for _ in 0..count {
                note = ctx.schedule_activity(ECHO, note).await?;
            }
            Ok(note)
        }
        Job::FanOut { count, note } => {
            let note = text(&note)?;
            let all = (0..count).map(|_| ctx.schedule_activity(ECHO, note.clone())).collect();
            ctx.join(all).await.into_iter().next_back().unwrap_or(Ok(note))
        }
        Job::Sleep { millis, note } => {
            ctx.schedule_timer(Duration::from_millis(millis)).await;
            text(&note)
        }
        Job::Wait { .. } => Ok(ctx.dequeue_event(EVENT).await),
        Job::Generations { count: 0, note } => text(&note),
        Job::Generations { count, note } => {
            let next = Job::Generations { count: count - 1, note };
            ctx.continue_as_new(serde_json::to_string(&next).map_err(|error| error.to_string())?).await
        }
    }
}

fn text(note: &Note) -> Result<String, String> {
    serde_json::to_string(note).map_err(|error| error.to_string())
}
