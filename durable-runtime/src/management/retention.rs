//! Keeping closed instances for so long and no longer, or so many and no more.

use std::time::Duration;

use crate::client::Client;

/// How often it is looked for what is too old, at most.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// And at least this far apart, however short the retention is.
const LOOK_NO_OFTENER_THAN: Duration = Duration::from_millis(10);

/// What stays of closed instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retention {
    /// What ended so long ago goes.
    Age(Duration),
    /// So many stay, those that ended last.
    Count(usize),
}

/// Deletes what is beyond it, for ever.
pub(crate) async fn keep(client: Client, retention: Retention) {
    let (every, purge) = match retention {
        Retention::Age(age) => (age.clamp(LOOK_NO_OFTENER_THAN, LOOK_EVERY), client.purge(age)),
        Retention::Count(count) => (LOOK_EVERY, client.purge(Duration::ZERO).keep_newest(count)),
    };
    let mut interval = tokio::time::interval(every);
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match purge.clone().run().await {
            Ok(report) if report.skipped.is_empty() => {
                if !report.done.is_empty() {
                    tracing::debug!(
                        deleted = report.done.len(),
                        "closed instances were deleted: the retention is over"
                    );
                }
            }
            Ok(report) => tracing::warn!(left = report.skipped.len(), "not all closed instances could be deleted"),
            Err(error) => tracing::warn!(%error, "what is too old could not be found; it is looked for again"),
        }
    }
}
