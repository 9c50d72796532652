//! 10,000 members are imported into a newsletter service that takes 50 calls at a time and is busy now and then.
//!
//! Stop it, kill it, let it crash (`--crash-after 3000`), start it again: it goes on with the page it was at, and nobody is
//! subscribed twice.

mod import;
mod members;
mod newsletter;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use durable_runtime::client::ResultError;
use durable_runtime::prelude::*;
use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use import::{import_members, subscribe};
use newsletter::Newsletter;

/// How many calls the service takes at a time.
const CALLS_MAX: usize = 50;

/// Imports members into a newsletter. Stop it whenever you like: started again, it goes on where it was
#[derive(Parser)]
struct Args {
    /// Where the store, the file of members and the list of the newsletter are kept
    #[arg(long, value_name = "DIR", default_value = "target/rate_limited_import")]
    data: PathBuf,
    /// How many members to write into the file, if it is not there yet
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    rows: u32,
    /// Forget what earlier runs did
    #[arg(long)]
    fresh: bool,
    /// Abort the process, as a crash would, once so many members are imported
    #[arg(long, value_name = "N")]
    crash_after: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Box<dyn Error>> {
    let (store, file, list) =
        (args.data.join("store"), args.data.join("members.csv"), args.data.join("newsletter.jsonl"));
    if args.fresh {
        forget(&store, &[&file, &list])?;
    }
    fs::create_dir_all(&args.data)?;
    if !file.exists() {
        members::write(&file, args.rows)?;
    }
    let rows = members::count(&file)?;

    let builder = Runtime::builder(SledProvider::open(&store)?).state(Newsletter::open(&list)?);
    let runtime = builder.max_concurrent(subscribe::NAME, CALLS_MAX).start().await?;
    let request = import_members(&runtime.client(), file.clone(), 0).id("members").if_exists(IfExists::UseExisting);
    let import = request.start().await?;
    let imported = watch(&import, rows, args.crash_after).await?;
    runtime.shutdown(Duration::from_secs(5)).await;

    let subscribed = newsletter::read(&list)?;
    println!("{} members imported from {}", HumanCount(imported), file.display());
    println!("{} subscribed, {} of them twice", HumanCount(subscribed.len() as u64), newsletter::repeated(&subscribed));
    Ok(())
}

/// Shows how far it is, until it is done.
async fn watch(import: &Handle<import_members>, rows: u64, crash_after: Option<u64>) -> Result<u64, Box<dyn Error>> {
    let bar = ProgressBar::new(rows)
        .with_style(ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} members, done in {eta}")?);
    let mut seen_first = None;
    loop {
        match import.wait_for(Duration::from_millis(50)).await {
            Err(ResultError::TimedOut) => {}
            ended => {
                bar.finish_and_clear();
                return Ok(ended?);
            }
        }
        let Some(status) = import.status().await?.custom_status else { continue };
        let done: u64 = status.decode()?;
        if *seen_first.get_or_insert(done) == done && done > 0 && bar.position() == 0 {
            bar.println(format!("{} members are imported so far", HumanCount(done)));
        }
        bar.set_position(done);
        if crash_after.is_some_and(|crash_after| done >= crash_after) {
            bar.finish_and_clear();
            eprintln!("crashing after {done} members, as asked; run again to go on");
            std::process::abort();
        }
    }
}

/// Removes what earlier runs kept. The store is opened first: one that another process uses is not removed, nor a
/// folder that is no store.
fn forget(store: &Path, files: &[&Path]) -> Result<(), Box<dyn Error>> {
    drop(SledProvider::open(store)?);
    fs::remove_dir_all(store)?;
    for file in files.iter().filter(|file| file.exists()) {
        fs::remove_file(file)?;
    }
    Ok(())
}
