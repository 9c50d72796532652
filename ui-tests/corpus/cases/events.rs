use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[derive(Event, Debug, Clone, Serialize, Deserialize)]
struct Vote {
    by: String,
    yes: bool,
}

#[derive(Event, Serialize, Deserialize)]
struct Closed;

/// Events until one of another kind says it is enough.
#[orchestration]
async fn ballot(ctx: OrchestrationContext, quorum: usize) -> (usize, usize) {
    let mut votes: Vec<Vote> = Vec::new();
    while votes.len() < quorum {
        select! {
            vote = ctx.event::<Vote>() => {
                if !votes.iter().any(|known| known.by == vote.by) {
                    votes.push(vote);
                }
            }
            Closed = ctx.event::<Closed>() => break,
        }
    }
    let (yes, no): (Vec<_>, Vec<_>) = votes.into_iter().partition(|vote| vote.yes);
    (yes.len(), no.len())
}

#[activity]
async fn remind(who: String) -> String {
    format!("dear {who}")
}

/// Reminders in one branch, the answer in the other.
#[orchestration]
async fn with_reminders(
    ctx: OrchestrationContext,
    who: String,
    most: u32,
) -> Result<(Option<Vote>, u32), ActivityError> {
    let mut reminders = 0;
    loop {
        let answer = select! {
            vote = ctx.event::<Vote>() => Some(vote),
            () = ctx.timer(Duration::from_secs(86_400)) => None,
        };
        match answer {
            Some(vote) => return Ok((Some(vote), reminders)),
            None if reminders == most => return Ok((None, reminders)),
            None => {
                remind(&ctx, who.clone()).await?;
                reminders += 1;
            }
        }
    }
}

/// What has come so far, without waiting, and names that are known only at run time.
#[orchestration]
async fn collect(ctx: OrchestrationContext, names: Vec<String>) -> Vec<u32> {
    let ready: bool = ctx.event_named("ready").await;
    let waits = names.into_iter().map(|name| ctx.event_named::<u32>(name));
    let mut numbers = if ready { join_all(waits).await } else { Vec::new() };
    while let Some(Vote { yes, .. }) = ctx.try_event::<Vote>() {
        numbers.push(u32::from(yes));
    }
    numbers
}

#[tokio::test]
async fn they_hear_everything_once() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let vote = |by: &str, yes| Vote { by: by.to_owned(), yes };
    let handle = ballot(&client, 9).start().await.unwrap();
    for vote in [vote("a", true), vote("b", false), vote("a", false), vote("c", true)] {
        handle.raise(vote).await.unwrap();
    }
    handle.raise(Closed).await.unwrap();
    assert_eq!(runtime.finish(&handle).await.unwrap(), (2, 1));

    let (nobody, reminders) = runtime.run(with_reminders(&client, "Ada".into(), 2)).await.unwrap();
    assert!(nobody.is_none() && reminders == 2);

    let handle = collect(&client, vec!["x".into(), "y".into()]).id("collector").start().await.unwrap();
    client.raise("collector", "y", &2_u32).await.unwrap();
    handle.raise(vote("a", true)).await.unwrap();
    client.raise("collector", "x", &1_u32).await.unwrap();
    client.raise("collector", "ready", &true).await.unwrap();
    assert_eq!(runtime.finish(&handle).await.unwrap(), [1, 2, 1]);
    runtime.shutdown().await;
}
