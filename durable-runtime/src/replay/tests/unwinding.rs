//! Cancellation, deadlines and sagas: what is dropped, what runs then, and how it ends.

use super::*;

#[orchestration]
async fn tidy(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    ctx.on_cancel(step(&ctx, "first".into()));
    let name = step(&ctx, "work".into()).await?;
    let spare = ctx.on_cancel(step(&ctx, "never".into()));
    ctx.on_cancel(async move {
        assert!(ctx.cancelled());
        ctx.timer(Duration::from_secs(1)).await;
        let _ = step(&ctx, "second".into()).await;
    });
    spare.disarm();
    ctx.timer(Duration::from_secs(60)).await;
    Ok(name)
}

#[test]
fn cleanups_run_one_after_another_the_last_first_and_then_it_is_cancelled() {
    check::<tidy>(
        "{}",
        "done 1 \"x\"
         cancel enough
         done 1 \"late\"
         fired 3
         done 4 \"x\"
         done 5 \"x\"",
        r#"call 1 step{"name":"work"}
           timer 2 +60000
           drop 2, timer 3 +1000
           ignored
           call 4 step{"name":"second"}
           call 5 step{"name":"first"}
           cancelled: enough"#,
    );
}

#[test]
fn only_what_was_registered_by_then_runs() {
    check::<tidy>(
        "{}",
        "cancel early\ncancel twice\nfailed 2 \"no\"",
        "call 1 step{\"name\":\"work\"}\ndrop 1, call 2 step{\"name\":\"first\"}\nignored\ncancelled: early",
    );
}

#[test]
fn an_end_of_its_own_runs_no_cleanup() {
    check::<tidy>("{}", "done 1 \"x\"\nfired 2", "call 1 step{\"name\":\"work\"}\ntimer 2 +60000\noutput \"x\"");
    let failed = run::<tidy>("{}", "failed 1 \"no\"");
    assert!(failed.lines().count() == 2 && failed.contains("\nerror {\"codec\""), "{failed}");
}

#[test]
fn out_of_time_is_cleaned_up_as_a_cancellation_is() {
    check::<tidy>(
        "{}",
        "late 1h\ncancel too late\ndone 2 \"x\"",
        "call 1 step{\"name\":\"work\"}\ndrop 1, call 2 step{\"name\":\"first\"}\nignored\nfailure: timed out: 1h",
    );
}

#[orchestration]
async fn decides_itself(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    ctx.on_cancel(step(&ctx, "cleanup".into()));
    let cancel = ctx.cancellation();
    let mut rounds = 0;
    loop {
        select! {
            () = cancel.requested() => return Ok(format!("{rounds} {:?}", cancel.reason())),
            () = ctx.timer(Duration::from_secs(1)) => rounds += 1,
        }
    }
}

#[test]
fn a_body_that_decides_itself_is_not_dropped() {
    check::<decides_itself>(
        "{}",
        "fired 1\ncancel enough",
        "timer 1 +1000\ntimer 2 +1000\ndrop 2, output \"1 Some(\\\"enough\\\")\"",
    );
    assert!(run::<decides_itself>("{}", "late 1h").contains("drop 1, call 2 step{\"name\":\"cleanup\"}"));
}

#[orchestration]
async fn only_waits(ctx: OrchestrationContext) -> String {
    let cancel = ctx.cancellation();
    cancel.requested().await;
    "asked".to_owned()
}

#[test]
fn a_wait_for_a_request_is_a_wait() {
    check::<only_waits>("{}", "cancel now", "\noutput \"asked\"");
}

#[orchestration]
async fn critical_part(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    ctx.on_cancel(step(&ctx, "cleanup".into()));
    {
        let _held = ctx.cancellation();
        step(&ctx, "a".into()).await?;
        step(&ctx, "b".into()).await?;
    }
    step(&ctx, "c".into()).await
}

#[test]
fn a_part_that_must_not_be_interrupted_is_done_first() {
    check::<critical_part>(
        "{}",
        "cancel wait\ndone 1 \"x\"\ndone 2 \"x\"\ndone 4 \"x\"",
        "call 1 step{\"name\":\"a\"}\n\ncall 2 step{\"name\":\"b\"}
         call 3 step{\"name\":\"c\"}, drop 3, call 4 step{\"name\":\"cleanup\"}\ncancelled: wait",
    );
}

#[orchestration]
async fn accepts_it(ctx: OrchestrationContext) -> String {
    ctx.on_cancel(ctx.timer(Duration::from_secs(9)));
    let cancel = ctx.cancellation();
    ctx.timer(Duration::from_secs(1)).await;
    cancel.accept().await
}

#[test]
fn a_body_that_accepts_it_ends_as_one_that_never_asked() {
    let expected = "timer 1 +1000\n\ntimer 2 +9000\ncancelled: now";
    check::<accepts_it>("{}", "cancel now\nfired 1\nfired 2", expected);
    check::<accepts_it>("{}", "fired 1\ncancel now\nfired 2", expected);
}

#[orchestration]
async fn saga(ctx: OrchestrationContext, last: String) -> Result<String, ActivityError<String>> {
    let saga = ctx.saga();
    ctx.on_cancel(step(&ctx, "only when cancelled".into()));
    for name in ["a", "b"] {
        risky(&ctx, name.to_owned()).await?;
        saga.undo_with(step(&ctx, format!("undo {name}")));
    }
    if last == "keep" {
        saga.keep();
    }
    let output = risky(&ctx, last).await?;
    if output == "panic" {
        panic!("after all");
    }
    Ok(output)
}

#[test]
fn an_error_is_undone_in_reverse_before_the_end() {
    check::<saga>(
        r#"{"last":"c"}"#,
        "done 1 \"x\"\ndone 2 \"x\"\nfailed 3 \"no\"\ndone 4 \"x\"\ndone 5 \"x\"",
        r#"call 1 risky{"name":"a"}
           call 2 risky{"name":"b"}
           call 3 risky{"name":"c"}
           call 4 step{"name":"undo b"}
           call 5 step{"name":"undo a"}
           error {"failed":"no"}"#,
    );
}

#[test]
fn a_cancellation_a_panic_and_a_timeout_are_undone_too() {
    let start = "done 1 \"x\"\nfailed 2 \"no\"";
    assert!(run::<saga>(r#"{"last":"c"}"#, start).ends_with(r#"call 3 step{"name":"undo a"}"#));
    let cancelled = run::<saga>(r#"{"last":"c"}"#, "done 1 \"x\"\ncancel why\ndone 3 \"x\"\ndone 4 \"x\"");
    assert!(
        cancelled.ends_with(
            "drop 2, call 3 step{\"name\":\"undo a\"}\ncall 4 step{\"name\":\"only when cancelled\"}\ncancelled: why"
        ),
        "{cancelled}"
    );
    super::super::panics::install_hook();
    let panicked = "done 1 \"x\"\ndone 2 \"x\"\ndone 3 \"panic\"\ndone 4 \"x\"\ndone 5 \"x\"";
    assert!(run::<saga>(r#"{"last":"c"}"#, panicked).ends_with(": after all"));
    let late = run::<saga>(r#"{"last":"c"}"#, "done 1 \"x\"\nlate 1h\ndone 3 \"x\"\ndone 4 \"x\"");
    assert!(late.ends_with("failure: timed out: 1h"), "{late}");
}

#[test]
fn what_is_kept_is_not_undone() {
    let kept = run::<saga>(r#"{"last":"keep"}"#, "done 1 \"x\"\ndone 2 \"x\"\nfailed 3 \"no\"");
    assert!(kept.ends_with("\nerror {\"failed\":\"no\"}"), "{kept}");
    let done = run::<saga>(r#"{"last":"c"}"#, "done 1 \"x\"\ndone 2 \"x\"\ndone 3 \"fine\"");
    assert!(done.ends_with("\noutput \"fine\""), "{done}");
}

#[orchestration]
async fn undoes_itself(ctx: OrchestrationContext) -> Result<String, ActivityError> {
    let saga = ctx.saga();
    saga.undo_with(step(&ctx, "one".into()));
    saga.undo_with(async move {
        step(&ctx, "two".into()).await.unwrap_or_default();
        step(&ctx, "three".into()).await.unwrap_or_default();
    });
    saga.undo().await;
    step(&ctx, "after".into()).await
}

#[test]
fn a_request_to_cancel_waits_until_all_is_undone() {
    check::<undoes_itself>(
        "{}",
        "cancel now\ndone 1 \"x\"\nlate 1h\ndone 2 \"x\"\ndone 3 \"x\"",
        "call 1 step{\"name\":\"two\"}\n\ncall 2 step{\"name\":\"three\"}\n\ncall 3 step{\"name\":\"one\"}
         call 4 step{\"name\":\"after\"}, drop 4, failure: timed out: 1h",
    );
}

#[orchestration]
async fn cleans_up_badly(ctx: OrchestrationContext) -> String {
    ctx.on_cancel(step(&ctx, "last".into()));
    ctx.on_cancel(async move {
        ctx.timer(Duration::ZERO).await;
        panic!("in the cleanup");
    });
    ctx.event_named::<String>("go").await
}

#[test]
fn a_cleanup_that_panics_does_not_hold_up_the_others_and_is_seen() {
    super::super::panics::install_hook();
    let answers = run::<cleans_up_badly>("{}", "cancel now\nfired 2\ndone 3 \"x\"");
    assert!(answers.contains("call 3 step{\"name\":\"last\"}\nfailure: panicked at"), "{answers}");
    assert!(answers.ends_with(": in the cleanup"), "{answers}");
}

#[orchestration]
async fn reads_its_mail_when_cancelled(ctx: OrchestrationContext) -> String {
    let mut later = ctx.event_named::<String>("mail");
    select! {
        mail = &mut later => return mail,
        () = ctx.timer(Duration::from_secs(1)) => {},
    }
    ctx.on_cancel(async move {
        let mail = ctx.event_named::<String>("mail").await;
        let _ = step(&ctx, mail).await;
    });
    ctx.timer(Duration::from_secs(5)).await;
    later.await
}

#[test]
fn an_event_that_was_given_to_a_wait_that_did_not_look_is_there_for_the_cleanup() {
    check::<reads_its_mail_when_cancelled>(
        "{}",
        "fired 2\nraised mail \"x\"\ncancel now\ndone 5 \"y\"",
        "wait 1 mail, timer 2 +1000\ntimer 3 +5000\n\ndrop 3, wait 4 mail, call 5 step{\"name\":\"x\"}\ncancelled: now",
    );
}
