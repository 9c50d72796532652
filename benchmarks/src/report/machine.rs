//! The machine in words.

use std::fs;
use std::path::Path;

use durable_workloads::Result;

/// Processor, cores, memory, kernel, and the file system that stores are on.
pub(super) fn describe() -> Result<String> {
    let cpu = fs::read_to_string("/proc/cpuinfo")?;
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let model = model.trim_start_matches([' ', '\t', ':']);
    let memory = fs::read_to_string("/proc/meminfo")?;
    let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap_or_default();
    let gib = kib.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or_default() / 1_048_576.0;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let kernel: Vec<&str> = kernel.trim().splitn(3, '.').take(2).collect();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let file_system = file_system_of(&std::env::temp_dir())?;
    Ok(format!("{cores} cores ({model}), {gib:.0} GiB of memory, Linux {}, stores on {file_system}", kernel.join(".")))
}

/// The kind of file system that a folder is on: that of the longest mount point above it.
fn file_system_of(folder: &Path) -> Result<String> {
    let folder = folder.canonicalize()?;
    let mounts = fs::read_to_string("/proc/mounts")?;
    let above = mounts.lines().filter_map(|mount| {
        let mut fields = mount.split(' ').skip(1);
        let (at, kind) = (fields.next()?, fields.next()?);
        folder.starts_with(at).then(|| (at.len(), kind.to_owned()))
    });
    Ok(above.max_by_key(|(length, _)| *length).map(|(_, kind)| kind).unwrap_or_default())
}
