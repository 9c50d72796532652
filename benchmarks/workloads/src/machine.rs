//! What the machine does meanwhile: flushes, memory, processor time, disk.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Result;

/// How many raw flushes are measured before a workload, and after it.
const FLUSHES: usize = 200;

/// Milliseconds.
pub fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// The value below which this part of the durations lies; they need not be sorted.
pub fn percentile(durations: &mut [Duration], part: f64) -> Duration {
    durations.sort_unstable();
    let last = durations.len().saturating_sub(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of an index is an index")]
    let index = (last as f64 * part).round() as usize;
    durations.get(index).copied().unwrap_or_default()
}

/// How long it takes to append 512 bytes to a file and to have them on disk: measured before and after a workload, since
/// a machine is not the same from one second to the next.
pub struct RawFlushes {
    file: File,
    durations: Vec<Duration>,
}

impl RawFlushes {
    /// Measures, and starts what comes between.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn before(folder: &Path) -> Result<Self> {
        let mut raw = Self { file: File::create(folder.join("raw-flush"))?, durations: Vec::new() };
        raw.measure()?;
        Ok(raw)
    }

    /// Measures again; answers the median of all.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn after(mut self) -> Result<Duration> {
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

/// What an engine uses between two moments: its processes are this one and others.
pub struct Meter {
    processes: Vec<u32>,
    begin: Instant,
    processor: Duration,
}

impl Meter {
    /// Begins.
    ///
    /// # Errors
    /// If a process is gone, or the system does not tell.
    pub fn start(others: Vec<u32>) -> Result<Self> {
        let processor = processor_time(&others)?;
        Ok(Self { processes: others, begin: Instant::now(), processor })
    }

    /// How long since the beginning, and how much processor time of all processes.
    ///
    /// # Errors
    /// If a process is gone.
    pub fn read(&self) -> Result<(Duration, Duration)> {
        let elapsed = self.begin.elapsed();
        Ok((elapsed, processor_time(&self.processes)?.saturating_sub(self.processor)))
    }
}

/// Processor time of this process and others so far, to the clock tick of 10 ms.
fn processor_time(others: &[u32]) -> Result<Duration> {
    let mut sum = Duration::ZERO;
    for process in processes(others) {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        let after_name = stat.rsplit_once(')').ok_or("no process name")?.1;
        let fields: Vec<&str> = after_name.split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok()).unwrap_or(0);
        sum += Duration::from_millis((ticks(11) + ticks(12)) * 10);
    }
    Ok(sum)
}

/// Resident memory of this process and others in bytes.
///
/// # Errors
/// If a process is gone.
pub fn resident_bytes(others: &[u32]) -> Result<u64> {
    let mut sum = 0;
    for process in processes(others) {
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        sum += line.trim().trim_end_matches(" kB").trim().parse::<u64>()? * 1_024;
    }
    Ok(sum)
}

fn processes(others: &[u32]) -> impl Iterator<Item = String> {
    std::iter::once("self".to_owned()).chain(others.iter().map(u32::to_string))
}

/// The bytes of all files below a folder. Files that go away meanwhile count nothing.
///
/// # Errors
/// If the folder cannot be read.
pub fn disk_bytes(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.metadata() {
            Ok(kind) if kind.is_dir() => bytes += disk_bytes(&entry.path()).unwrap_or(0),
            Ok(kind) => bytes += kind.len(),
            Err(_) => {}
        }
    }
    Ok(bytes)
}

/// Load average of the last minute.
pub fn load() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split_whitespace().next().and_then(|load| load.parse().ok()).unwrap_or_default()
}
