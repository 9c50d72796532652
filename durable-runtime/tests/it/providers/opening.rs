//! What keeps a store from opening: the same errors for all, each with the path and a way out.

use std::fs;
use std::path::{Path, PathBuf};

use durable_runtime::providers::OpenError;
#[cfg(feature = "sqlite")]
use durable_runtime::providers::SqliteProvider;
use durable_runtime::{FsProvider, SledProvider};

use super::small_disk::on_a_small_disk;

/// The stores by name, and how each is opened in a folder.
type Open = fn(&Path) -> Result<(), OpenError>;
const STORES: &[(&str, Open)] = &[
    ("sled", |folder| SledProvider::open(path("sled", folder)).map(drop)),
    ("fs", |folder| FsProvider::options().segment_bytes(64 << 10).open(path("fs", folder)).map(drop)),
    #[cfg(feature = "sqlite")]
    ("sqlite", |folder| SqliteProvider::open(path("sqlite", folder)).map(drop)),
];

fn path(store: &str, folder: &Path) -> PathBuf {
    folder.join(store)
}

/// The error names the store and what to do.
#[track_caller]
fn names(error: &OpenError, path: &Path, way_out: &str) {
    let text = error.to_string();
    assert!(text.contains(&format!("`{}`", path.display())), "{text}");
    assert!(text.contains(way_out), "{text}");
}

#[test]
fn folders_above_are_made_and_where_they_cannot_be_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (store, open) in STORES {
        open(&folder.path().join("deep").join("er")).unwrap();
        let below = file.join("deep");
        let error = open(&below).unwrap_err();
        assert!(matches!(error, OpenError::Unwritable { .. }), "{store}: {error}");
        names(&error, &path(store, &below), "name a place where this process can make folders and files");
        assert!(file.is_file());
    }
}

#[test]
fn what_may_not_be_written_is_read_only_and_nothing_else() {
    on_a_small_disk("providers::opening::what_may_not_be_written_is_read_only_and_nothing_else", 80, |folder, disk| {
        STORES.iter().for_each(|(_, open)| open(folder).unwrap());
        disk.make_read_only();
        for (store, open) in STORES {
            let error = open(folder).unwrap_err();
            assert!(matches!(error, OpenError::ReadOnly { .. }), "{store}: {error:?}");
            names(&error, &path(store, folder), "give it the right to write");
            // One that would have to be made there.
            let error = open(&folder.join("deep")).unwrap_err();
            assert!(matches!(error, OpenError::ReadOnly { .. }), "{store}: {error:?}");
        }
    });
}

#[test]
fn a_format_that_nobody_has_written_is_unknown_and_one_of_tomorrow_is_newer() {
    let folder = tempfile::tempdir().unwrap();
    for (store, open) in STORES {
        open(folder.path()).unwrap();
        let path = path(store, folder.path());
        for format in [0, -3, 77] {
            set_format(store, &path, format);
            let error = open(folder.path()).unwrap_err();
            if format > 0 {
                assert!(matches!(error, OpenError::NewerFormat { found: 77, .. }), "{store}: {error:?}");
                names(&error, &path, "update `durable-runtime`");
            } else {
                assert!(matches!(error, OpenError::UnknownFormat { .. }), "{store} {format}: {error:?}");
                names(&error, &path, "restore it from a backup");
            }
        }
    }
}

/// A process has a copy of every file that is open, and of the locks on them, until it becomes the new program.
#[test]
fn a_store_that_was_dropped_or_refused_is_free_while_processes_are_being_started() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        let start = || (0..200).for_each(|_| drop(std::process::Command::new("true").status()));
        let starting = scope.spawn(start);
        while !starting.is_finished() {
            for (store, open) in STORES {
                open(folder.path()).unwrap_or_else(|error| panic!("{store}: {error}"));
                if *store != "sqlite" {
                    let path = path(store, folder.path());
                    set_format(store, &path, 77);
                    let error = open(folder.path()).unwrap_err();
                    assert!(matches!(error, OpenError::NewerFormat { .. }), "{store}: {error:?}");
                    set_format(store, &path, 1);
                }
            }
        }
    });
}

fn set_format(store: &str, path: &Path, format: i64) {
    if store == "sqlite" {
        rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", format).unwrap();
    } else {
        let marker = format!(r#"{{"format":{format},"store":"{store}"}}"#);
        fs::write(path.join("durable.json"), marker).unwrap();
    }
}

#[test]
fn files_of_sled_with_other_settings_are_told_from_damaged_ones() {
    let folder = tempfile::tempdir().unwrap();
    drop(SledProvider::open(folder.path()).unwrap());
    let keys = folder.path().join("sled");
    fs::remove_dir_all(&keys).unwrap();
    drop(sled::Config::new().path(&keys).segment_size(1 << 20).open().unwrap());
    let error = SledProvider::open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::OtherSettings { .. }), "{error:?}");
    names(&error, folder.path(), "move its instances by an export");
}

#[cfg(feature = "sqlite")]
#[test]
fn a_file_of_sqlite_that_somebody_else_has_for_himself_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    drop(SqliteProvider::open(&path).unwrap());
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("PRAGMA locking_mode = exclusive; BEGIN EXCLUSIVE").unwrap();
    let error = SqliteProvider::open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Held { process: None, .. }), "{error:?}");
    names(&error, &path, "stop that process");
}
