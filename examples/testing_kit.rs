//! How to test: a trial of thirty days passes in a moment, the mail server is a closure, and the history can be read.
//!
//! In a project of your own this would be tests, with `durable-runtime = { version = "..", features = ["testing"] }` among
//! the dev-dependencies.

use std::error::Error;
use std::sync::mpsc;

use durable_runtime::Clock as _;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestRuntime;

const DAY: Duration = Duration::from_secs(86_400);

#[derive(Event, Serialize, Deserialize)]
struct Paid {
    plan: String,
}

#[activity(retry(max_attempts = 5, initial = "1h"))]
async fn send_mail(to: String, text: String) -> Result<(), String> {
    Err(format!("no mail server here for {to}: {text}"))
}

#[orchestration]
async fn trial(ctx: OrchestrationContext, email: String) -> Result<String, ActivityError<String>> {
    let mail = |text: &str| send_mail(&ctx, email.clone(), text.to_owned());
    mail("welcome").await?;
    for (days, text) in [(27, "three days are left"), (3, "your trial is over")] {
        select! {
            paid = ctx.event::<Paid>() => return Ok(format!("a customer, plan {}", paid.plan)),
            () = ctx.timer(DAY * days) => mail(text).await?,
        }
    }
    Ok("gone".to_owned())
}

/// A runtime whose mail server keeps what it is given.
async fn with_mails() -> Result<(TestRuntime, mpsc::Receiver<String>), Box<dyn Error>> {
    let runtime = TestRuntime::start().await?;
    let (sender, mails) = mpsc::channel();
    runtime.mock(send_mail, move |_to: String, text: String| sender.send(text).map_err(|error| error.to_string()));
    Ok((runtime, mails))
}

async fn nobody_pays() -> Result<(), Box<dyn Error>> {
    let (runtime, mails) = with_mails().await?;
    let before = runtime.clock().now();
    assert_eq!(runtime.run(trial(&runtime.client(), "ada@example.com".to_owned())).await?, "gone");
    assert_eq!(runtime.clock().now(), before.saturating_add(DAY * 30));
    assert_eq!(mails.try_iter().collect::<Vec<_>>(), ["welcome", "three days are left", "your trial is over"]);
    println!("nobody pays: thirty days and three mails");
    runtime.shutdown().await;
    Ok(())
}

async fn somebody_pays_on_day_28() -> Result<(), Box<dyn Error>> {
    let (runtime, mails) = with_mails().await?;
    let handle = trial(&runtime.client(), "ada@example.com".to_owned()).start().await?;
    runtime.advance(DAY * 28).await;
    handle.raise(Paid { plan: "yearly".to_owned() }).await?;
    assert_eq!(runtime.finish(&handle).await?, "a customer, plan yearly");
    assert_eq!(mails.try_iter().count(), 2);
    println!("somebody pays on day 28: two mails, and the timer is gone");
    runtime.shutdown().await;
    Ok(())
}

async fn the_mail_server_is_down() -> Result<(), Box<dyn Error>> {
    let (runtime, mails) = with_mails().await?;
    runtime.fail_first(send_mail, 4, || "connection refused".to_owned());
    assert_eq!(runtime.run(trial(&runtime.client(), "ada@example.com".to_owned())).await?, "gone");
    assert_eq!((runtime.attempts(send_mail), mails.try_iter().count()), (7, 3));
    println!("the mail server is down: tried again, hours apart, and no mail is lost");
    runtime.shutdown().await;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    nobody_pays().await?;
    somebody_pays_on_day_28().await?;
    the_mail_server_is_down().await
}
