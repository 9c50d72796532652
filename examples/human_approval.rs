//! An expense waits for its approval, but not for ever: the approval or the end of patience, whichever comes first in
//! the history, decides.
//!
//! While both expenses wait, the runtime is stopped and started again, as a deploy would: they wait on.

use std::error::Error;

use durable_runtime::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct Approved {
    by: String,
}

#[activity]
async fn pay_out(expense: String) -> String {
    format!("{expense}: paid out")
}

#[orchestration]
async fn reimburse(ctx: OrchestrationContext, expense: String, patience: Duration) -> Result<String, ActivityError> {
    let approval = select! { // the loser is cancelled: no timer is left behind by an approval
        approved = ctx.event::<Approved>() => Some(approved.by),
        () = ctx.timer(patience) => None,
    };
    match approval {
        Some(by) => Ok(format!("{}, approved by {by}", pay_out(&ctx, expense).await?)),
        None => Ok(format!("{expense}: sent back, nobody looked at it in time")),
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::builder(SledProvider::open(folder.path())?).start().await?;
    let (day, second) = (Duration::from_secs(86_400), Duration::from_secs(1));
    reimburse(&runtime.client(), "train to Oslo".to_owned(), day).id("expense-1").start().await?;
    reimburse(&runtime.client(), "lunch for nine".to_owned(), second).id("expense-2").start().await?;
    println!("two expenses wait; now the program stops ...");
    runtime.shutdown(Duration::from_secs(5)).await;

    let runtime = Runtime::builder(SledProvider::open(folder.path())?).start().await?;
    println!("... and is back");
    let train = runtime.client().handle::<reimburse>("expense-1")?;
    let lunch = runtime.client().handle::<reimburse>("expense-2")?;
    train.raise(Approved { by: "Grace".to_owned() }).await?;
    println!("{}", train.result().await?);
    println!("{}", lunch.result().await?);
    runtime.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
