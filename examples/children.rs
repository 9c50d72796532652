//! Month end: every branch of a company is closed by a child of its own, side by side. A branch that does not balance is
//! an error of that child, with its type, and the others are not lost. The audit is started, and nobody waits for it.

use std::error::Error;

use durable_runtime::prelude::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum CloseError {
    #[error("{cents} cents are missing in the till")]
    Unbalanced { cents: u64 },
    #[error(transparent)]
    Books(#[from] ActivityError),
}

/// What the books of a branch say, and what is in its till.
#[derive(Serialize, Deserialize)]
struct Books {
    sold: u64,
    till: u64,
}

#[activity]
fn read_books(branch: String) -> Books {
    let sold = branch.bytes().map(u64::from).sum::<u64>() * 1_000;
    let till = if branch == "Graz" { sold - 250 } else { sold };
    Books { sold, till }
}

#[orchestration]
async fn close_branch(ctx: OrchestrationContext, branch: String) -> Result<u64, CloseError> {
    let Books { sold, till } = read_books(&ctx, branch).await?;
    match sold.checked_sub(till) {
        Some(cents) if cents > 0 => Err(CloseError::Unbalanced { cents }),
        _ => Ok(sold),
    }
}

#[orchestration]
async fn audit(ctx: OrchestrationContext, month: String, sold: u64) -> String {
    ctx.timer(Duration::from_millis(10)).await; // auditors take their time
    format!("the audit of {month} confirms {} EUR", sold / 100)
}

/// How the month ended in each branch.
type Month = Vec<(String, Result<u64, String>)>;

#[orchestration]
async fn close_month(ctx: OrchestrationContext, month: String, branches: Vec<String>) -> Result<Month, ChildError> {
    // An id that says what it is can be found again; without one, children are named after their parent.
    let closing = |branch: &String| close_branch(&ctx, branch.clone()).id(format!("{month}/{branch}"));
    let closed = join_all(branches.iter().map(closing)).await;
    let sold = closed.iter().flatten().sum();
    audit(&ctx, month.clone(), sold).id(format!("{month}/audit")).detach()?;
    let outcomes = closed.into_iter().map(|outcome| outcome.map_err(|error| error.to_string()));
    Ok(branches.into_iter().zip(outcomes).collect())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::builder(SledProvider::open(folder.path())?).start().await?;
    let client = runtime.client();
    let branches = ["Graz", "Lyon", "Oslo", "Rome"].map(str::to_owned).to_vec();
    let month = close_month(&client, "2026-10".to_owned(), branches).id("2026-10").start().await?;
    for (branch, outcome) in month.result().await? {
        match outcome {
            Ok(cents) => println!("{branch}: closed, {} EUR sold", cents / 100),
            Err(error) => println!("{branch}: not closed, {error}"),
        }
    }
    println!("{}", client.handle::<audit>("2026-10/audit")?.result().await?);
    runtime.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
