//! sled's snapshots: files beside the data file, each with a checksum at its end.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const PREFIX: &str = "snap.";
/// A length and a checksum.
const END_BYTES: usize = 12;

/// Renames the newest snapshot, the one that sled reads, if it is damaged; answers whether it was.
pub(super) fn put_damaged_aside(path: &Path) -> io::Result<bool> {
    let Some(newest) = newest(path)? else { return Ok(false) };
    if is_whole(&fs::read(&newest)?) {
        return Ok(false);
    }
    let name = newest.file_name().unwrap_or_default().to_string_lossy();
    fs::rename(&newest, path.join(format!("damaged.{name}")))?;
    // Older ones say less than the data file.
    while let Some(older) = self::newest(path)? {
        fs::remove_file(older)?;
    }
    Ok(true)
}

fn newest(path: &Path) -> io::Result<Option<PathBuf>> {
    let mut newest = None;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with(PREFIX) && !name.to_string_lossy().ends_with(".generating") {
            newest = newest.max(Some(entry.path()));
        }
    }
    Ok(newest)
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some((body, end)) = bytes.len().checked_sub(END_BYTES).and_then(|at| bytes.split_at_checked(at)) else {
        return false;
    };
    !body.is_empty() && end.ends_with(&crc32fast::hash(body).to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(body: &[u8]) -> Vec<u8> {
        let length = (body.len() as u64).to_le_bytes();
        [body, &length, &crc32fast::hash(body).to_le_bytes()].concat()
    }

    #[test]
    fn only_a_damaged_snapshot_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!put_damaged_aside(folder.path()).unwrap(), "there is none");
        let (older, newer) = (folder.path().join("snap.0001"), folder.path().join("snap.0002"));
        fs::write(&older, snapshot(b"older")).unwrap();
        fs::write(&newer, snapshot(b"newer")).unwrap();
        assert!(!put_damaged_aside(folder.path()).unwrap(), "both are whole");
        let mut bytes = snapshot(b"newer");
        bytes[2] ^= 1;
        fs::write(&newer, bytes).unwrap();
        assert!(put_damaged_aside(folder.path()).unwrap());
        assert!(folder.path().join("damaged.snap.0002").exists() && !newer.exists() && !older.exists());
    }

    #[test]
    fn what_sled_writes_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            let config = sled::Config::new().path(folder.path()).flush_every_ms(None);
            let db = super::super::open_when_let_go(&config).unwrap();
            db.insert("key", "value").unwrap();
            db.flush().unwrap();
        }
        let newest = newest(folder.path()).unwrap().unwrap();
        assert!(is_whole(&fs::read(newest).unwrap()));
    }
}
