//! New files in the place of old ones, so that a crash leaves the ones or the others, whole.
//!
//! `sled.new` is being made; when it is whole, `sled` becomes `sled.old`, and `sled.new` becomes `sled`. So `sled.new`
//! counts exactly if there is no `sled` beside a `sled.old`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::folder::sync_folder;

pub(super) const NAME: &str = "sled";
const NEW: &str = "sled.new";
const OLD: &str = "sled.old";

/// Where the new files go.
pub(super) fn begin(folder: &Path) -> io::Result<PathBuf> {
    let new = folder.join(NEW);
    remove(&new)?;
    Ok(new)
}

/// The new files are whole and on the disk: they take the place of the old ones.
pub(super) fn commit(folder: &Path) -> io::Result<()> {
    sync_folder(folder)?;
    fs::rename(folder.join(NAME), folder.join(OLD))?;
    sync_folder(folder)?;
    finish(folder)
}

/// Ends what was begun before.
pub(super) fn finish(folder: &Path) -> io::Result<()> {
    let [name, new, old] = [NAME, NEW, OLD].map(|name| folder.join(name));
    if !name.exists() && old.exists() && new.exists() {
        fs::rename(&new, &name)?;
        sync_folder(folder)?;
    }
    if name.exists() {
        remove(&new)?;
        remove(&old)?;
    }
    Ok(())
}

fn remove(path: &Path) -> io::Result<()> {
    if path.exists() { fs::remove_dir_all(path) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("db"), name).unwrap();
        }
        folder
    }

    #[test]
    fn whatever_was_begun_ends_with_one_of_both() {
        let cases: [(&[&str], &str); 5] = [
            (&["sled"], "sled"),
            (&["sled", "sled.new"], "sled"),
            (&["sled.old", "sled.new"], "sled.new"),
            (&["sled", "sled.old"], "sled"),
            (&["sled", "sled.new", "sled.old"], "sled"),
        ];
        for (names, counts) in cases {
            let folder = folder(names);
            finish(folder.path()).unwrap();
            let left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, ["sled"], "{names:?}");
            assert_eq!(fs::read_to_string(folder.path().join("sled/db")).unwrap(), counts, "{names:?}");
        }
    }
}
