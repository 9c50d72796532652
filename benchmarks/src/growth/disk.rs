//! Disk of instances of three activities that have ended.

use durable_workloads::{Engine as _, Line, Result, run_many};

use super::Trial;

pub(super) async fn disk(mut trial: Trial, sizes: &[usize]) -> Result<Vec<Line>> {
    for &size in sizes {
        trial.begin_anew()?;
        let engine = trial.open().await?;
        run_many(&engine, "done", size, 256).await?;
        engine.close().await?;
        let left = trial.store_bytes()?;
        compact(&trial).await?;
        let compacted = trial.store_bytes()?;
        let engine = trial.open().await?;
        engine.client().query().delete_all().run().await?;
        engine.close().await?;
        compact(&trial).await?;
        let deleted = trial.store_bytes()?;
        let figures = [
            ("disk_bytes_per_instance", left / size as f64),
            ("disk_bytes_per_instance_compacted", compacted / size as f64),
            ("disk_bytes_per_instance_deleted_and_compacted", deleted / size as f64),
        ];
        trial.found(format!("{size} finished"), size, figures);
    }
    trial.lines()
}

async fn compact(trial: &Trial) -> Result {
    if let Some(store) = trial.settings.place.open_on_disk(trial.folder())? {
        store.compact().await?;
        store.close().await;
    }
    Ok(())
}
