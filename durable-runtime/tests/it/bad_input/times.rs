//! Durations and moments of none at all, of almost none, in the past, and without end: in each place where one can stand.

use std::time::SystemTime;

use durable_runtime::client::ResultError;
use durable_runtime::management::{Stage, WaitsOn};
use durable_runtime::prelude::*;
use durable_runtime::{Client, Clock as _, InstanceId, Timestamp};

use crate::engine::kit::{TestStore, each_store, end, soon};

/// A hundred years.
const CENTURY: Duration = Duration::from_secs(100 * 366 * 86_400);

/// How long the second attempt waits, if nothing else is said: longer than a nanosecond, which counts as a millisecond.
const WAIT: Duration = Duration::from_millis(5);

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
enum Kind {
    Timer,
    SleepUntil,
    Timeout,
    RetryWait,
    RetryMax,
    RetryTotal,
    ScheduleToClose,
}

/// What each of them does for these durations: zero, a nanosecond, a century, the longest.
const TABLE: [(Kind, [&str; 4]); 7] = [
    (Kind::Timer, ["fires", "fires", "waits", "waits"]),
    (Kind::SleepUntil, ["fires", "fires", "waits", "waits"]),
    (Kind::Timeout, ["fires", "fires", "waits", "waits"]),
    (Kind::RetryWait, ["tries again", "tries again", "waits", "waits"]),
    (Kind::RetryMax, ["tries again", "tries again", "tries again", "tries again"]),
    (Kind::RetryTotal, ["gives up", "gives up", "tries again", "tries again"]),
    (Kind::ScheduleToClose, ["`schedule_to_close` of zero", "gives up|time", "tries again", "tries again"]),
];

#[activity]
async fn fails_once(ctx: ActivityContext) -> Result<String, String> {
    if ctx.attempt() == 1 { Err("gives up".to_owned()) } else { Ok("tries again".to_owned()) }
}

#[orchestration]
async fn takes_its_time(ctx: OrchestrationContext, kind: Kind, duration: Duration) -> Result<String, String> {
    let policy = || RetryPolicy::attempts(2).initial(WAIT);
    let call = || fails_once(&ctx);
    let call = match kind {
        Kind::Timer => {
            ctx.timer(duration).await;
            return Ok("fires".to_owned());
        }
        Kind::SleepUntil => {
            // From the beginning of all time on: what would be beyond it is its end.
            let moment =
                if duration < CENTURY { Some(SystemTime::UNIX_EPOCH) } else { ctx.now().checked_add(duration) };
            ctx.sleep_until(moment.unwrap_or(SystemTime::UNIX_EPOCH + Duration::from_secs(400_000_000_000))).await;
            return Ok("fires".to_owned());
        }
        Kind::Timeout => {
            let event = ctx.timeout(duration, ctx.event_named::<u32>("never")).await;
            return event.map(|_| String::new()).or(Ok("fires".to_owned()));
        }
        Kind::RetryWait => call().retry(RetryPolicy::attempts(2).initial(duration).max(duration)),
        Kind::RetryMax => call().retry(policy().max(duration.min(WAIT))),
        Kind::RetryTotal => call().retry(policy().total(duration)),
        Kind::ScheduleToClose => call().retry(policy()).schedule_to_close(duration),
    };
    call.await.map_err(|error| error.to_string())
}

async fn settles(test: &TestStore, client: &Client, kind: Kind, duration: Duration) -> String {
    let handle = takes_its_time(client, kind, duration).start().await.unwrap();
    // A few milliseconds at a time: enough for what is short, and nothing for a century.
    for _ in 0..1_000 {
        test.clock.advance(Duration::from_millis(2));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        match handle.wait_for(Duration::ZERO).await {
            Ok(text) => return text,
            Err(ResultError::Failed(text)) => return text,
            Err(ResultError::TimedOut) => {}
            Err(error) => panic!("{kind:?} {duration:?}: {error}"),
        }
        if waits_long(test, client, handle.id()).await {
            handle.terminate("it would take too long").await.unwrap();
            return "waits".to_owned();
        }
    }
    panic!("{kind:?} {duration:?} does not settle")
}

/// Whether it waits for a moment that is decades away.
async fn waits_long(test: &TestStore, client: &Client, id: &InstanceId) -> bool {
    let far = |moment: Timestamp| moment.saturating_since(test.clock.now()) > CENTURY / 2;
    client.why(id).await.unwrap().waits.iter().any(|wait| match &wait.on {
        WaitsOn::Timer { fire_at } => far(*fire_at),
        WaitsOn::Activity(activity) => match activity.stage {
            Stage::BackingOff { next_attempt_at } => far(next_attempt_at),
            _ => false,
        },
        _ => false,
    })
}

#[tokio::test]
async fn no_time_and_all_time_are_times_like_others() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        for (kind, expected) in TABLE {
            let durations = [Duration::ZERO, Duration::from_nanos(1), CENTURY, Duration::MAX];
            for (duration, expected) in durations.into_iter().zip(expected) {
                let found = soon(settles(&test, &runtime.client(), kind, duration)).await;
                assert!(
                    expected.split('|').any(|expected| found.contains(expected)),
                    "{kind:?} of {duration:?}: {found}, not {expected}"
                );
            }
        }
        assert!(test.is_quiet().await, "{:?}", test.store.stats().await);
        end(runtime).await;
    }
}
