use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[activity]
async fn job_state(job: String, asked: u32) -> Result<Option<String>, String> {
    match asked {
        0..=3 => Ok(None),
        _ => Ok(Some(format!("{job} is done"))),
    }
}

/// Asks again and again, each time after a longer pause.
#[orchestration]
async fn poll_with_backoff(ctx: OrchestrationContext, job: String) -> Result<String, ActivityError<String>> {
    let mut pause = Duration::from_secs(1);
    let mut asked = 0;
    loop {
        if let Some(answer) = job_state(&ctx, job.clone(), asked).await? {
            break Ok(answer);
        }
        asked += 1;
        ctx.timer(pause).await;
        pause = (pause * 2).min(Duration::from_secs(60));
    }
}

/// Until a moment, which is computed from the time of the event.
#[orchestration]
async fn poll_until(
    ctx: OrchestrationContext,
    job: String,
    patience: Duration,
) -> Result<String, ActivityError<String>> {
    let deadline = ctx.now() + patience;
    let mut asked = 0;
    'asking: while ctx.now() < deadline {
        let Some(answer) = job_state(&ctx, job.clone(), asked).await? else {
            asked += 1;
            ctx.timer(Duration::from_secs(30)).await;
            continue 'asking;
        };
        return Ok(answer);
    }
    Ok(format!("gave up after {asked}"))
}

/// The poll is one branch, the deadline the other.
#[orchestration]
async fn poll_or_deadline(
    ctx: OrchestrationContext,
    job: String,
    seconds: u64,
) -> Result<String, ActivityError<String>> {
    let polling = async {
        for asked in 0.. {
            if let Some(answer) = job_state(&ctx, job.clone(), asked).await? {
                return Ok(answer);
            }
            ctx.timer(Duration::from_secs(10)).await;
        }
        unreachable!("there is always a next number")
    };
    select! {
        answer = polling => answer,
        () = ctx.timer(Duration::from_secs(seconds)) => Ok("too late".to_owned()),
    }
}

#[tokio::test]
async fn they_ask_until_they_know() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let done = "job is done";
    assert_eq!(runtime.run(poll_with_backoff(&client, "job".into())).await.unwrap(), done);
    let long = Duration::from_secs(86_400);
    assert_eq!(runtime.run(poll_until(&client, "job".into(), long)).await.unwrap(), done);
    let short = Duration::from_secs(60);
    let gave_up = runtime.run(poll_until(&client, "job".into(), short)).await.unwrap();
    assert!(gave_up.starts_with("gave up"));
    assert_eq!(runtime.run(poll_or_deadline(&client, "job".into(), 86_400)).await.unwrap(), done);
    let late = runtime.run(poll_or_deadline(&client, "job".into(), 15)).await.unwrap();
    assert_eq!(late, "too late");
    runtime.shutdown().await;
}
