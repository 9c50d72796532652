//! Keeping closed instances for so long and no longer.

use std::time::Duration;

use crate::client::Client;

/// How often it is looked for what is too old, at most.
const LOOK_EVERY: Duration = Duration::from_secs(600);
/// And at least this far apart, however short the retention is.
const LOOK_NO_OFTENER_THAN: Duration = Duration::from_millis(10);

/// Deletes what ended longer ago than `age`, for ever.
pub(crate) async fn keep(client: Client, age: Duration) {
    let mut interval = tokio::time::interval(age.clamp(LOOK_NO_OFTENER_THAN, LOOK_EVERY));
    interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        match client.purge(age).run().await {
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
