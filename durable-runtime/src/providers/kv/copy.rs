//! Copies of a store, made while it is used: keys are copied some at a time, and what changes meanwhile is written to
//! the copy too, in the order of the commits. Whatever was copied too early is so put right.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder::{Folder, sync_folder};
use super::gate::{Reach, locked};
use super::recover::{check_format, refused};
use super::shared::Shared;
use super::store::{Batch, Order, OrderedStore, Pair, StoreError};
use super::{doctor, folder};
use crate::providers::{ErrorKind, OpenError, ProviderError};

const BACK_UP: &str = "back up";
const KEYS_AT_ONCE: usize = 512;
/// So much is written to a copy before it is put on the disk: no store likes to have more in hand.
const BYTES_BETWEEN_SYNCS: usize = 1 << 20;
/// How a copy is called while it is being made.
const PARTIAL: &str = ".partial";

/// A store that stands in a folder.
pub trait InFolder: 'static {
    /// What the folder says it is.
    const KIND: &'static str;

    /// Opens the keys in a folder that was taken, and makes them if there are none.
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "nobody outside can name this trait")]
    fn open_keys(folder: &Folder) -> Result<Box<dyn OrderedStore>, OpenError>;
}

/// Copies every key.
pub(super) struct Copying<'a> {
    target: &'a mut dyn OrderedStore,
    unsynced: usize,
}

impl<'a> Copying<'a> {
    pub(super) fn new(target: &'a mut dyn OrderedStore) -> Self {
        Self { target, unsynced: 0 }
    }

    /// The next keys of a store as a batch, and where to go on.
    pub(super) fn read(store: &dyn OrderedStore, from: &[u8]) -> Result<(Batch, Option<Vec<u8>>), StoreError> {
        let pairs = store.scan(from..&[0xff], Order::Ascending, KEYS_AT_ONCE)?;
        let next = behind(&pairs);
        Ok((pairs.into_iter().map(|(key, value)| (key.to_vec(), Some(value.to_vec()))).collect(), next))
    }

    pub(super) fn write(&mut self, batch: Batch) -> Result<(), StoreError> {
        let bytes = |(key, value): &(Vec<u8>, Option<Vec<u8>>)| key.len() + value.as_ref().map_or(0, Vec::len);
        self.unsynced += batch.iter().map(bytes).sum::<usize>();
        self.target.apply(batch)?;
        if self.unsynced >= BYTES_BETWEEN_SYNCS {
            self.unsynced = 0;
            self.target.sync()?;
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), StoreError> {
        self.target.sync()
    }

    /// All of a store that nobody else uses.
    pub(super) fn all(mut self, store: &dyn OrderedStore) -> Result<(), StoreError> {
        let mut from = Some(Vec::new());
        while let Some(begin) = from {
            let (batch, next) = Self::read(store, &begin)?;
            self.write(batch)?;
            from = next;
        }
        self.finish()
    }
}

/// All pairs of a store that nobody else uses, in the order of the keys.
pub(super) fn each(
    store: &dyn OrderedStore,
    mut see: impl FnMut(Pair) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut from = Some(Vec::new());
    while let Some(begin) = from {
        let pairs = store.scan(&begin..&[0xff], Order::Ascending, KEYS_AT_ONCE)?;
        from = behind(&pairs);
        pairs.into_iter().try_for_each(&mut see)?;
    }
    Ok(())
}

/// Fails unless the copy has what the store has, and nothing else.
pub(super) fn compare(store: &dyn OrderedStore, copy: &dyn OrderedStore) -> Result<(), StoreError> {
    let mut from = Some(Vec::new());
    while let Some(begin) = from {
        let [pairs, copied] = [store, copy].map(|store| store.scan(&begin..&[0xff], Order::Ascending, KEYS_AT_ONCE));
        let (pairs, copied) = (pairs?, copied?);
        if pairs != copied {
            return Err(StoreError::Other("the copy does not have what the store has".to_owned()));
        }
        from = behind(&pairs);
    }
    Ok(())
}

/// Where to go on behind these pairs.
fn behind(pairs: &[Pair]) -> Option<Vec<u8>> {
    pairs.last().map(|(last, _)| [last, [0].as_slice()].concat())
}

/// Makes a copy of a store that is in use. Blocks.
pub(super) fn back_up<A: InFolder>(shared: &Arc<Shared>, to: &Path) -> Result<(), ProviderError> {
    let _one_at_a_time = Recording::begin(shared)?;
    into_folder::<A, _>(to, |target| {
        let mut copying = Copying::new(target);
        let mut from = Some(Vec::new());
        while let Some(begin) = from.take() {
            let of = shared.clone();
            // What has changed is taken together with the keys, so that neither is newer than the other.
            let read = move |store: &dyn OrderedStore| {
                let read = Copying::read(store, &begin).map_err(|error| error.during(BACK_UP))?;
                let changes = locked(&of.changes).as_mut().map(std::mem::take);
                let again = || StoreError::Other("the store was opened again meanwhile".to_owned()).during(BACK_UP);
                Ok((read, changes.ok_or_else(again)?))
            };
            let ((batch, next), changes) = shared.read_blocking(BACK_UP, Reach::Everything, read)?;
            let written = changes.into_iter().chain([batch]).try_for_each(|batch| copying.write(batch));
            written.map_err(|error| error.during(BACK_UP))?;
            from = next;
        }
        copying.finish().map_err(|error| error.during(BACK_UP))
    })
}

/// Commits are noted as long as this is there.
struct Recording<'a>(&'a Shared);

impl<'a> Recording<'a> {
    fn begin(shared: &'a Shared) -> Result<Self, ProviderError> {
        let mut changes = locked(&shared.changes);
        if changes.is_some() {
            let message = "another copy is being made; wait until it is done";
            return Err(ProviderError::new(ErrorKind::Unavailable, BACK_UP, message));
        }
        *changes = Some(Vec::new());
        Ok(Self(shared))
    }
}

impl Drop for Recording<'_> {
    fn drop(&mut self) {
        *locked(&self.0.changes) = None;
    }
}

/// Makes a store from a copy, after looking through it.
pub(super) fn restore<A: InFolder>(backup: &Path, path: &Path) -> Result<(), OpenError> {
    let unwritable =
        |error: ProviderError| OpenError::Unwritable { path: path.to_owned(), source: io::Error::other(error) };
    if !backup.is_dir() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        return Err(OpenError::Unwritable { path: backup.to_owned(), source });
    }
    let folder = Folder::take(backup, A::KIND)?;
    let store = A::open_keys(&folder)?;
    let corrupt = |message: String| OpenError::Corrupt { path: backup.to_owned(), message };
    check_format(&*store).map_err(|error| refused(backup, &error, ""))?;
    let checkup = doctor::check(&*store).map_err(|error| corrupt(error.to_string()))?;
    if !checkup.is_sound() {
        return Err(corrupt(checkup.to_string()));
    }
    into_folder::<A, _>(path, |target| Copying::new(target).all(&*store).map_err(|error| error.during("restore")))
        .map_err(unwritable)
}

/// Fills a new folder, which gets its name when it is whole.
fn into_folder<A: InFolder, F>(to: &Path, fill: F) -> Result<(), ProviderError>
where
    F: FnOnce(&mut dyn OrderedStore) -> Result<(), ProviderError>,
{
    let failed = |error: io::Error| StoreError::from(error).during(BACK_UP);
    let is_empty = match fs::read_dir(to) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => !to.exists(),
        Err(error) => return Err(failed(error)),
    };
    if !is_empty {
        let message = format!("there is something at `{}`; name a place where nothing is", to.display());
        return Err(ProviderError::new(ErrorKind::Invalid, BACK_UP, message));
    }
    let partial = partial(to);
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(failed)?;
    }
    let filled = fill_folder::<A, _>(&partial, fill);
    let named = filled.and_then(|()| {
        if to.exists() {
            fs::remove_dir(to).map_err(failed)?;
        }
        fs::rename(&partial, to).map_err(failed)?;
        let parent = to.canonicalize().map_err(failed)?;
        parent.parent().map_or(Ok(()), sync_folder).map_err(failed)
    });
    if named.is_err() {
        let _ = fs::remove_dir_all(&partial);
    }
    named
}

fn fill_folder<A: InFolder, F>(partial: &Path, fill: F) -> Result<(), ProviderError>
where
    F: FnOnce(&mut dyn OrderedStore) -> Result<(), ProviderError>,
{
    let failed = |error: OpenError| ProviderError::new(ErrorKind::Unavailable, BACK_UP, &error).source(error);
    if let Some(parent) = partial.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder::create(parent).map_err(|error| StoreError::from(error).during(BACK_UP))?;
    }
    let folder = Folder::take(partial, A::KIND).map_err(failed)?;
    let mut store = A::open_keys(&folder).map_err(failed)?;
    fill(&mut *store)
}

fn partial(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(PARTIAL);
    to.with_file_name(name)
}
