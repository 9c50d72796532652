//! What the machine does meanwhile: flushes, memory, processor time, disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Result;
use crate::store::Place;

/// How many raw flushes are measured before a workload, and after it.
const FLUSHES: usize = 300;

/// Milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The value below which this part of the durations lies; they need not be sorted.
pub(crate) fn percentile(durations: &mut [Duration], part: f64) -> Duration {
    durations.sort_unstable();
    let last = durations.len().saturating_sub(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of an index is an index")]
    let index = (last as f64 * part).round() as usize;
    durations.get(index).copied().unwrap_or_default()
}

/// How long it takes to append 512 bytes to a file and to have them on disk: measured before and after a workload, since
/// a machine is not the same from one second to the next.
pub(crate) struct RawFlushes {
    file: File,
    durations: Vec<Duration>,
}

impl RawFlushes {
    /// Measures, and starts what comes between.
    pub(crate) fn before(folder: &Path) -> Result<Self> {
        let mut raw = Self { file: File::create(folder.join("raw-flush"))?, durations: Vec::new() };
        raw.measure()?;
        Ok(raw)
    }

    /// Measures again; answers the median of all.
    pub(crate) fn after(mut self) -> Result<Duration> {
        self.measure()?;
        Ok(percentile(&mut self.durations, 0.5))
    }

    fn measure(&mut self) -> Result {
        for _ in 0..FLUSHES {
            let start = Instant::now();
            self.file.write_all(&[7; 512])?;
            self.file.sync_data()?;
            self.durations.push(start.elapsed());
        }
        Ok(())
    }
}

/// Resident memory of this process in bytes.
pub(crate) fn resident_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1_024)
}

/// Processor time of this process so far, to the clock tick of 10 ms.
pub(crate) fn processor_time() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("no process name")?.1;
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_millis((ticks(11) + ticks(12)) * 10))
}

/// The bytes of all files below a folder.
pub(crate) fn disk_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.metadata()?;
        bytes += if kind.is_dir() { disk_bytes(&entry.path())? } else { kind.len() };
    }
    Ok(bytes)
}

/// Prints a result: what was run, on what, and the figures.
#[expect(clippy::print_stdout, reason = "the result of the program")]
pub(crate) fn report(workload: &str, store: Place, options: Value, raw_flush: Duration, figures: Value) {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let line = json!({
        "workload": workload,
        "engine": "durable-runtime",
        "version": env!("CARGO_PKG_VERSION"),
        "store": store.describe(),
        "build": if cfg!(debug_assertions) { "debug" } else { "release" },
        "options": options,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "load_1min": load.split_whitespace().next().unwrap_or_default(),
        "raw_flush_ms": millis(raw_flush),
        "figures": figures,
    });
    println!("{line}");
}
