//! The programs whose histories are stored. They stay as they are: a change that a stored history does not go along with would
//! suspend it.

use durable_runtime::prelude::*;

#[activity(name = "stored.echo")]
pub(super) async fn echo(text: String) -> String {
    text
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{text} does not work")]
pub(super) struct Broken {
    text: String,
}

#[activity(name = "stored.breaks", retry(max_attempts = 3, initial = "1s"))]
pub(super) async fn breaks(ctx: ActivityContext, text: String, until: u32) -> Result<u32, Broken> {
    if ctx.attempt() < until { Err(Broken { text }) } else { Ok(ctx.attempt()) }
}

#[activity(name = "stored.panics")]
pub(super) async fn panics(text: String) -> u32 {
    panic!("{text}")
}

#[activity(name = "stored.unserved", tag = "nobody serves this", schedule_to_start = "1m")]
pub(super) async fn unserved() {}

#[derive(Event, Serialize, Deserialize)]
#[event(name = "stored.go")]
pub(super) struct Go {
    pub(super) by: String,
}

#[orchestration(name = "stored.nothing")]
pub(super) async fn nothing(ctx: OrchestrationContext) {
    let _ = ctx;
}

#[orchestration(name = "stored.in_turn")]
pub(super) async fn in_turn(ctx: OrchestrationContext, texts: Vec<String>) -> Result<Vec<String>, ActivityError> {
    let mut echoed = Vec::new();
    for text in texts {
        echoed.push(echo(&ctx, text).await?);
    }
    Ok(echoed)
}

#[orchestration(name = "stored.side_by_side")]
pub(super) async fn side_by_side(ctx: OrchestrationContext, texts: Vec<String>) -> Result<Vec<String>, ActivityError> {
    try_join_all(texts.into_iter().map(|text| echo(&ctx, text))).await
}

#[orchestration(name = "stored.retried")]
pub(super) async fn retried(ctx: OrchestrationContext, until: u32) -> Result<u32, ActivityError<Broken>> {
    breaks(&ctx, "the lift".to_owned(), until).await
}

#[orchestration(name = "stored.settings")]
pub(super) async fn settings(ctx: OrchestrationContext) -> Result<u32, ActivityError<Broken>> {
    let policy = RetryPolicy::attempts(2).initial(Duration::from_secs(2)).max(Duration::from_secs(9));
    let minute = Duration::from_secs(60);
    let call = breaks(&ctx, "nothing".to_owned(), 1).retry(policy).timeout(minute).heartbeat_timeout(minute);
    call.schedule_to_start(minute).schedule_to_close(minute * 2).await
}

#[orchestration(name = "stored.survives_a_panic")]
pub(super) async fn survives_a_panic(ctx: OrchestrationContext) -> String {
    panics(&ctx, "out of paper".to_owned()).await.unwrap_err().to_string()
}

#[orchestration(name = "stored.gives_up")]
pub(super) async fn gives_up(ctx: OrchestrationContext) -> Result<(), ActivityError> {
    unserved(&ctx).await
}

#[orchestration(name = "stored.sleeps")]
pub(super) async fn sleeps(ctx: OrchestrationContext, hours: u64) -> String {
    let begin = ctx.now();
    ctx.timer(Duration::from_secs(hours * 3_600)).await;
    ctx.sleep_until(begin + Duration::from_secs(1)).await;
    format!("{:?}", ctx.now().duration_since(begin).unwrap())
}

#[orchestration(name = "stored.approval")]
pub(super) async fn approval(ctx: OrchestrationContext) -> String {
    select! {
        go = ctx.event::<Go>() => format!("approved by {}", go.by),
        () = ctx.timer(Duration::from_secs(86_400)) => "not approved".to_owned(),
    }
}

#[orchestration(name = "stored.mailbox")]
pub(super) async fn mailbox(ctx: OrchestrationContext, wanted: usize) -> Vec<String> {
    let mut got = Vec::new();
    while got.len() < wanted {
        got.push(ctx.event::<Go>().await.by);
    }
    while let Some(more) = ctx.try_event::<Go>() {
        got.push(format!("and {}", more.by));
    }
    got
}

#[orchestration(name = "stored.limited")]
pub(super) async fn limited(ctx: OrchestrationContext) -> bool {
    ctx.timeout(Duration::from_secs(60), ctx.event::<Go>()).await.is_ok()
}

#[orchestration(name = "stored.draws")]
pub(super) async fn draws(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    let effect = ctx.side_effect("stored.number", || 7_u32);
    ctx.set_status(&effect);
    echo(&ctx, format!("{} {} {effect}", ctx.new_guid(), ctx.random())).await
}

#[orchestration(name = "stored.child", version = "2.1.0")]
pub(super) async fn child(ctx: OrchestrationContext, text: String, seconds: u64) -> Result<String, Broken> {
    ctx.timer(Duration::from_secs(seconds)).await;
    let text = echo(&ctx, text).await.unwrap_or_default();
    if text == "broken" { Err(Broken { text }) } else { Ok(text) }
}

#[orchestration(name = "stored.parent")]
pub(super) async fn parent(ctx: OrchestrationContext, texts: Vec<String>) -> Vec<String> {
    let children = (1..).zip(texts).map(|(at, text)| match at {
        1 => child(&ctx, text, at),
        at => child(&ctx, text, at).id(format!("{}-{at}", ctx.instance_id())),
    });
    let ends = join_all(children).await;
    ends.into_iter().map(|end| end.unwrap_or_else(|error| error.to_string())).collect()
}

#[orchestration(name = "stored.detaches")]
pub(super) async fn detaches(ctx: OrchestrationContext) -> String {
    child(&ctx, "on its own".to_owned(), 1).detach().unwrap().to_string()
}

#[orchestration(name = "stored.loses_a_child")]
pub(super) async fn loses_a_child(ctx: OrchestrationContext) -> String {
    select! {
        _ = approval(&ctx).id("stored-lost-child") => "the child".to_owned(),
        go = ctx.event::<Go>() => go.by,
    }
}

#[orchestration(name = "stored.generations")]
pub(super) async fn generations(ctx: OrchestrationContext, left: u32) -> u32 {
    ctx.timer(Duration::from_secs(1)).await;
    match left {
        0 => 0,
        left => generations(&ctx, left - 1).continue_as_new().await,
    }
}

/// Takes one event a generation; the others are carried.
#[orchestration(name = "stored.takes_one")]
pub(super) async fn takes_one(ctx: OrchestrationContext, taken: Vec<String>, wanted: usize) -> Vec<String> {
    ctx.timer(Duration::from_secs(1)).await;
    let mut taken = taken;
    taken.push(ctx.event::<Go>().await.by);
    if taken.len() < wanted {
        return takes_one(&ctx, taken, wanted).continue_as_new().await;
    }
    taken
}

#[orchestration(name = "stored.fails")]
pub(super) async fn fails(ctx: OrchestrationContext, text: String) -> Result<(), Broken> {
    ctx.timer(Duration::from_secs(1)).await;
    Err(Broken { text })
}

#[orchestration(name = "stored.panics_itself")]
pub(super) async fn panics_itself(ctx: OrchestrationContext) {
    ctx.timer(Duration::from_secs(1)).await;
    panic!("at the third second");
}

#[orchestration(name = "stored.never_wakes")]
pub(super) async fn never_wakes(ctx: OrchestrationContext) {
    ctx.timer(Duration::from_secs(1)).await;
    let none: Vec<durable_runtime::context::Timer> = Vec::new();
    race(none).await;
}

#[orchestration(name = "stored.nested")]
pub(super) async fn nested(ctx: OrchestrationContext, rounds: u32) -> Result<Vec<String>, ActivityError> {
    let mut seen = Vec::new();
    for round in 0..rounds {
        let (won, echoed) = join!(
            async {
                select! {
                    go = ctx.event::<Go>() => go.by,
                    () = ctx.timer(Duration::from_secs(30)) => "nobody".to_owned(),
                }
            },
            async { try_join!(echo(&ctx, format!("left {round}")), echo(&ctx, format!("right {round}"))) },
        );
        let (left, right) = echoed?;
        seen.push(format!("{won} {left} {right}"));
    }
    Ok(seen)
}

#[activity(name = "stored.undo")]
pub(super) async fn undo(what: String) {
    drop(what);
}

#[orchestration(name = "stored.cleans_up")]
pub(super) async fn cleans_up(ctx: OrchestrationContext) -> String {
    ctx.on_cancel(undo(&ctx, "first".to_owned()));
    ctx.on_cancel(async move {
        undo(&ctx, "last".to_owned()).await.ok();
        ctx.timer(Duration::from_secs(5)).await;
    });
    ctx.event::<Go>().await.by
}

#[orchestration(name = "stored.saga")]
pub(super) async fn saga(ctx: OrchestrationContext, fails_at: u32) -> Result<(), Broken> {
    let saga = ctx.saga();
    for step in 1..=3 {
        let text = echo(&ctx, format!("step {step}")).await.unwrap_or_default();
        if step == fails_at {
            return Err(Broken { text });
        }
        saga.undo_with(undo(&ctx, text));
    }
    ctx.event::<Go>().await;
    saga.keep();
    Ok(())
}

#[orchestration(name = "stored.decides_itself")]
pub(super) async fn decides_itself(ctx: OrchestrationContext) -> u32 {
    let cancel = ctx.cancellation();
    for round in 1.. {
        select! {
            () = cancel.requested() => return round,
            () = ctx.timer(Duration::from_secs(10)) => {},
        }
    }
    0
}

#[orchestration(name = "stored.has_an_hour", timeout = "1h")]
pub(super) async fn has_an_hour(ctx: OrchestrationContext) -> String {
    ctx.on_cancel(undo(&ctx, "the hour".to_owned()));
    ctx.event::<Go>().await.by
}

#[orchestration(name = "stored.leaves_children")]
pub(super) async fn leaves_children(ctx: OrchestrationContext) -> String {
    use durable_runtime::history::ClosePolicy;
    let policies = [ClosePolicy::Terminate, ClosePolicy::Cancel, ClosePolicy::Abandon];
    let children = policies.map(|policy| approval(&ctx).on_close(policy));
    select! {
        _ = race(children) => "a child".to_owned(),
        go = ctx.event::<Go>() => go.by,
    }
}

#[orchestration(name = "stored.keeps")]
pub(super) async fn keeps(ctx: OrchestrationContext, execution: u32) -> Option<String> {
    let before = ctx.kv().get::<String>("kept").ok().flatten();
    if execution == 0 {
        ctx.kv().set("kept", "value").ok()?;
        ctx.kv().set("other", "value").ok()?;
        ctx.labels().set("kept", "label").ok()?;
        return keeps(&ctx, 1).continue_as_new().await;
    }
    ctx.kv().remove("other").ok()?;
    if ctx.patched("a timer before the end") {
        ctx.timer(Duration::ZERO).await;
    }
    before
}

#[orchestration(name = "stored.looks_up")]
pub(super) async fn looks_up(ctx: OrchestrationContext, texts: Vec<String>) -> Result<String, ActivityError<Broken>> {
    let mut all = String::new();
    for text in texts {
        all += &echo(&ctx, text).local().await.unwrap();
    }
    Ok(format!("{all}{}", breaks(&ctx, "the first".to_owned(), 2).local().await?))
}
