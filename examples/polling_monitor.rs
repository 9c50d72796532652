//! Waits for a slow machine that cannot call back: a video is encoded, and somebody has to ask now and then.
//!
//! The orchestration asks less and less often, says how far it is, and gives up when it takes too long. It waits without a
//! thread, and a restart of the program would not be noticed.

use std::error::Error;
use std::sync::atomic::{AtomicU8, Ordering};

use durable_runtime::prelude::*;

/// The machine: each look at it finds it further.
#[derive(Default)]
struct Encoder {
    percent: AtomicU8,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum MonitorError {
    #[error("still at {percent} % after {looks} looks")]
    TooSlow { percent: u8, looks: u32 },
    #[error(transparent)]
    Encoder(#[from] ActivityError),
}

#[activity]
fn look(encoder: State<Encoder>, step: u8) -> u8 {
    encoder.percent.fetch_add(step, Ordering::Relaxed).saturating_add(step).min(100)
}

/// Returns how often it had to look.
#[orchestration]
async fn await_encoding(ctx: OrchestrationContext, step: u8, patience: Duration) -> Result<u32, MonitorError> {
    let deadline = ctx.now() + patience;
    let mut pause = Duration::from_millis(10);
    for looks in 1.. {
        let percent = look(&ctx, step).await?;
        ctx.set_status(&format!("{percent} % encoded"));
        if percent == 100 {
            return Ok(looks);
        }
        if ctx.now() + pause > deadline {
            return Err(MonitorError::TooSlow { percent, looks });
        }
        ctx.timer(pause).await;
        pause = (pause * 3 / 2).min(Duration::from_secs(60));
    }
    Ok(0)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let films = [("short film", 17, Duration::from_secs(60)), ("long film", 1, Duration::from_millis(500))];
    for (film, step, patience) in films {
        let folder = tempfile::tempdir()?;
        let runtime = Runtime::builder(SledProvider::open(folder.path())?).state(Encoder::default()).start().await?;
        let monitor = await_encoding(&runtime.client(), step, patience).start().await?;
        match monitor.result().await {
            Ok(looks) => println!("{film}: done, seen at look {looks}"),
            Err(error) => println!("{film}: given up, {error}"),
        }
        runtime.shutdown(Duration::from_secs(5)).await;
    }
    Ok(())
}
