//! The log in front of sled: what was committed and is not in sled yet.
//!
//! A commit is one [frame], one write, and one sync of blocks that were there before. There are two files, which take
//! turns: when one is full, sled is given all of it, while commits go into the other from its beginning on, in the next
//! *epoch*. sled's own files have a *mark* that says which epoch is the first that is not in sled; it changes in the same
//! batch as the last of what the epoch before held. So frames of the marked epoch count, and those of the next; earlier
//! ones are in sled, and later ones prove that sled's files are older than they were.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::disk::{Disk, DiskFile};
use super::super::frame::{self, Frame, Head};
use super::super::store::{Batch, StoreError};

/// Each has the epochs of every other number.
pub(super) const NAMES: [&str; 2] = ["log.a", "log.b"];
const ZEROS: usize = 64 << 10;
/// What is left of a file where nothing counts: enough to tell that sled's files are older than they were.
const CUT_BYTES: u64 = 64 << 10;

/// The first epoch that is not in sled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    epoch: u32,
    /// Tells this log from those of other stores.
    salt: u32,
    /// The number of the last frame of the epoch before; they count on through all epochs.
    before: u64,
}

impl Mark {
    pub(super) const BYTES: usize = 16;

    /// The first of a new log.
    pub(super) const fn first(salt: u32) -> Self {
        Self { epoch: 1, salt, before: 0 }
    }

    pub(super) fn encode(self) -> [u8; Self::BYTES] {
        let numbers = u128::from(self.epoch) << 96 | u128::from(self.salt) << 64 | u128::from(self.before);
        numbers.to_be_bytes()
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let numbers = u128::from_be_bytes(bytes.try_into().ok()?);
        Some(Self { epoch: (numbers >> 96) as u32, salt: (numbers >> 64) as u32, before: numbers as u64 })
    }

    /// Where the frames of this epoch stand.
    const fn file(self) -> usize {
        (self.epoch % 2) as usize
    }
}

/// See the module.
pub(super) struct Log {
    files: [Arc<dyn DiskFile>; 2],
    /// How much of a file is used before the other has its turn.
    room: u64,
    mark: Mark,
    /// Where the next frame goes.
    at: u64,
    /// The last frame.
    written: u64,
    /// The last frame that is on disk.
    durable: AtomicU64,
}

impl Log {
    /// Makes a log in which nothing is. It is on disk before sled is told of it.
    pub(super) fn create(disk: &dyn Disk, room: u64, mark: Mark) -> io::Result<Self> {
        let [a, b] = NAMES.map(|name| -> io::Result<_> {
            let file = disk.create(name)?;
            make_room(&*file, room)?;
            file.sync()?;
            Ok(file)
        });
        let files = [a?, b?];
        disk.sync_folder()?;
        Ok(Self::begun(files, room, mark))
    }

    fn begun(files: [Arc<dyn DiskFile>; 2], room: u64, mark: Mark) -> Self {
        Self { files, room, mark, at: 0, written: mark.before, durable: AtomicU64::new(mark.before) }
    }

    /// Opens the log and reads what counts, in the order written. Commits go on behind that, and have their space then.
    pub(super) fn open(disk: &dyn Disk, room: u64, mark: Mark) -> Result<(Self, Vec<Batch>), StoreError> {
        let [a, b] = NAMES.map(|name| {
            disk.open(name).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => StoreError::Damaged(format!("the file `{name}` is missing")),
                _ => StoreError::Io(error),
            })
        });
        let files = [a?, b?];
        files.iter().try_for_each(|file| make_room(&**file, room))?;
        let mut log = Self::begun(files, room, mark);
        let mut batches = log.read()?;
        let next = log.next_mark();
        let (here, at) = (log.mark, log.at);
        log.begin_anew(next);
        let more = log.read()?;
        if more.is_empty() {
            (log.mark, log.at) = (here, at);
        }
        batches.extend(more);
        Ok((log, batches))
    }

    /// All frames of the epoch.
    fn read(&mut self) -> Result<Vec<Batch>, StoreError> {
        let mut bytes = vec![0; usize::try_from(self.file().size()?).unwrap_or(usize::MAX)];
        self.file().read_at(0, &mut bytes)?;
        let mut batches = Vec::new();
        while let Some(frame) = self.next(&bytes)? {
            let batch = batch_of(self.rest(&bytes), &frame);
            batches.push(batch.ok_or_else(|| self.damaged())?);
            self.at += frame.bytes as u64;
            self.written += 1;
        }
        // What comes behind the last whole frame was never whole, unless a later one says that it was.
        match frame::proof_of(self.written + 1, self.mark.epoch, self.rest(&bytes), self.mark.salt) {
            Some(_) => Err(self.damaged()),
            None => Ok(batches),
        }
    }

    /// The next frame, if it counts.
    fn next<'a>(&self, bytes: &'a [u8]) -> Result<Option<Frame<'a>>, StoreError> {
        let Some(frame) = frame::decode(self.rest(bytes), self.mark.salt) else { return Ok(None) };
        let Head { segment: epoch, sequence, .. } = frame.head;
        if epoch > self.mark.epoch {
            let message =
                format!("the file `{}` is newer than the data file, which has lost what was in it", self.name());
            return Err(StoreError::Damaged(message));
        }
        if epoch == self.mark.epoch && sequence != self.written + 1 {
            return Err(self.damaged());
        }
        Ok(Some(frame).filter(|frame| frame.head.segment == self.mark.epoch))
    }

    fn damaged(&self) -> StoreError {
        StoreError::Damaged(format!(
            "commit {} is missing at {} in the file `{}`",
            self.written + 1,
            self.at,
            self.name()
        ))
    }

    fn name(&self) -> &'static str {
        let [a, b] = NAMES;
        if self.mark.file() == 0 { a } else { b }
    }

    fn file(&self) -> &dyn DiskFile {
        let [a, b] = &self.files;
        if self.mark.file() == 0 { &**a } else { &**b }
    }

    fn rest<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        bytes.get(usize::try_from(self.at).unwrap_or(usize::MAX)..).unwrap_or_default()
    }

    /// The mark once sled has what is in the log now.
    pub(super) fn next_mark(&self) -> Mark {
        Mark { epoch: self.mark.epoch.wrapping_add(1), before: self.written, ..self.mark }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.written == self.mark.before
    }

    /// Whether this goes in. Into an empty log everything does.
    pub(super) fn has_room(&self, batch: &Batch) -> bool {
        self.is_empty() || self.at + frame::bytes_of(batch) as u64 <= self.room
    }

    pub(super) const fn is_half_full(&self) -> bool {
        2 * self.at >= self.room
    }

    pub(super) fn append(&mut self, batch: &Batch) -> io::Result<()> {
        let head = Head {
            segment: self.mark.epoch,
            sequence: self.written + 1,
            durable: self.durable.load(Ordering::Relaxed),
        };
        let frame = frame::encode(head, self.mark.salt, batch);
        self.file().write_at(self.at, &frame)?;
        self.at += frame.len() as u64;
        self.written += 1;
        Ok(())
    }

    /// Returns when everything in it is on disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        if self.durable.load(Ordering::Relaxed) < self.written {
            self.file().sync()?;
            self.durable.store(self.written, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Gives back what the files take beyond the least. Nothing in them counts: sled has it.
    pub(super) fn cut(&self) -> io::Result<()> {
        self.files
            .iter()
            .filter(|file| file.size().is_ok_and(|size| size > CUT_BYTES))
            .try_for_each(|file| file.cut(CUT_BYTES))
    }

    /// Goes on in the other file: sled has all of what that one held, and is being given what this one holds, which is
    /// on disk.
    pub(super) fn begin_anew(&mut self, mark: Mark) {
        (self.mark, self.at) = (mark, 0);
        self.written = mark.before;
        *self.durable.get_mut() = mark.before;
    }
}

/// Makes a file as long as it has to be, so that a commit needs no more than its own blocks once one has been synced.
fn make_room(file: &dyn DiskFile, room: u64) -> io::Result<()> {
    (file.size()?..room).step_by(ZEROS).try_for_each(|at| file.write_at(at, &[0; ZEROS]))
}

/// The batch of the frame at the beginning of these bytes; `None` if it makes no sense.
fn batch_of(bytes: &[u8], frame: &Frame<'_>) -> Option<Batch> {
    let entries = frame::entries(frame.body).map(|entry| {
        let entry = entry?;
        let value = match entry.value {
            Some(at) => Some(bytes.get(at)?.to_vec()),
            None => None,
        };
        Some((entry.key.to_vec(), value))
    });
    entries.collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::super::super::disk::OsDisk;
    use super::*;

    const ROOM: u64 = 4096;
    const MARK: Mark = Mark::first(7);

    fn commit(number: u8) -> Batch {
        vec![(vec![b'k', number], Some(vec![number; 40])), (b"gone".to_vec(), None)]
    }

    fn disk(folder: &TempDir) -> OsDisk {
        OsDisk(folder.path().to_owned())
    }

    /// A log with these commits, each synced.
    fn log_with(commits: impl IntoIterator<Item = u8>) -> (TempDir, Log) {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::create(&disk(&folder), ROOM, MARK).unwrap();
        append(&mut log, commits);
        (folder, log)
    }

    fn append(log: &mut Log, commits: impl IntoIterator<Item = u8>) {
        for number in commits {
            log.append(&commit(number)).unwrap();
            log.sync().unwrap();
        }
    }

    fn read(folder: &TempDir, mark: Mark) -> Result<Vec<Batch>, String> {
        let opened = Log::open(&disk(folder), ROOM, mark);
        opened.map(|(_, batches)| batches).map_err(|error| error.to_string())
    }

    fn commits(numbers: impl IntoIterator<Item = u8>) -> Vec<Batch> {
        numbers.into_iter().map(commit).collect()
    }

    /// Goes on in the other file, and answers the mark for that.
    fn turn(log: &mut Log) -> Mark {
        let mark = log.next_mark();
        log.begin_anew(mark);
        mark
    }

    fn path(folder: &TempDir, log: &Log) -> PathBuf {
        folder.path().join(log.name())
    }

    #[test]
    fn what_was_written_is_read_in_its_order_and_written_on() {
        let (folder, log) = log_with(1..=3);
        drop(log);
        let (mut log, batches) = Log::open(&disk(&folder), ROOM, MARK).unwrap();
        assert_eq!(batches, commits(1..=3));
        append(&mut log, 4..=5);
        assert_eq!(read(&folder, MARK).unwrap(), commits(1..=5));
    }

    #[test]
    fn until_sled_says_so_both_files_count() {
        let (folder, mut log) = log_with(1..=3);
        let second = turn(&mut log);
        assert_eq!(read(&folder, MARK).unwrap(), commits(1..=3));
        append(&mut log, 4..=5);
        assert_eq!(read(&folder, MARK).unwrap(), commits(1..=5));
        assert_eq!(read(&folder, second).unwrap(), commits(4..=5));
        let (mut log, _) = Log::open(&disk(&folder), ROOM, MARK).unwrap();
        append(&mut log, [6]);
        assert_eq!(read(&folder, MARK).unwrap(), commits(1..=6));
    }

    #[test]
    fn what_sled_has_does_not_count_any_more() {
        let (folder, mut log) = log_with(1..=9);
        let second = turn(&mut log);
        append(&mut log, 10..=12);
        let third = turn(&mut log);
        assert_eq!(read(&folder, third).unwrap(), commits([]));
        append(&mut log, 13..=14);
        assert_eq!(read(&folder, second).unwrap(), commits(10..=14));
        assert_eq!(read(&folder, third).unwrap(), commits(13..=14));
    }

    #[test]
    fn an_older_data_file_is_noticed_and_so_is_a_missing_log() {
        let (folder, mut log) = log_with(1..=2);
        turn(&mut log);
        append(&mut log, [3]);
        turn(&mut log);
        append(&mut log, [4]);
        assert!(read(&folder, MARK).unwrap_err().contains("newer than the data file"));
        fs::remove_file(path(&folder, &log)).unwrap();
        assert!(read(&folder, MARK).unwrap_err().ends_with("is missing"));
    }

    #[test]
    fn what_is_cut_off_does_not_count_and_an_older_data_file_is_noticed_still() {
        const LONG: u64 = 4 * CUT_BYTES;
        let folder = tempfile::tempdir().unwrap();
        let mut log = Log::create(&disk(&folder), LONG, MARK).unwrap();
        let sizes = || NAMES.map(|name| fs::metadata(folder.path().join(name)).unwrap().len());
        let commit = |number: u8| vec![(vec![number], Some(vec![number; 30_000]))];
        let mut mark = MARK;
        for _ in 0..3 {
            (0..6).for_each(|number| log.append(&commit(number)).unwrap());
            mark = turn(&mut log);
        }
        log.cut().unwrap();
        assert_eq!(sizes(), [CUT_BYTES; 2]);
        let (mut log, batches) = Log::open(&disk(&folder), LONG, mark).unwrap();
        assert_eq!((batches, sizes()), (Vec::new(), [LONG; 2]));
        let error = Log::open(&disk(&folder), LONG, MARK).err().unwrap().to_string();
        assert!(error.contains("newer than the data file"), "{error}");
        (0..8).for_each(|number| log.append(&commit(number)).unwrap());
        let (_, batches) = Log::open(&disk(&folder), LONG, mark).unwrap();
        assert_eq!(batches, (0..8).map(commit).collect::<Vec<_>>());
    }

    #[test]
    fn the_log_of_another_store_has_nothing_for_this_one() {
        let (folder, _log) = log_with(1..=2);
        assert_eq!(read(&folder, Mark::first(8)).unwrap(), commits([]));
    }

    #[test]
    fn each_damaged_byte_is_noticed_except_in_the_last_commit_which_may_have_been_cut() {
        let (folder, log) = log_with(1..=3);
        let path = path(&folder, &log);
        let sound = fs::read(&path).unwrap();
        let last = usize::try_from(log.at).unwrap() - frame::bytes_of(&commit(3));
        for at in 0..usize::try_from(log.at).unwrap() {
            let mut damaged = sound.clone();
            damaged[at] ^= 0x10;
            fs::write(&path, &damaged).unwrap();
            match read(&folder, MARK) {
                Ok(batches) if at >= last => assert!(batches == commits(1..=2) || batches == commits(1..=3), "{at}"),
                // Some bytes of a frame say nothing.
                Ok(batches) => assert_eq!(batches, commits(1..=3), "{at}"),
                Err(error) => assert!(at < last && error.contains("is missing at"), "{at}: {error}"),
            }
        }
    }

    #[test]
    fn a_commit_that_is_missing_before_those_in_the_other_file_is_noticed() {
        let (folder, mut log) = log_with(1..=3);
        let first = path(&folder, &log);
        let last = usize::try_from(log.at).unwrap() - frame::bytes_of(&commit(3));
        turn(&mut log);
        append(&mut log, [4]);
        let mut damaged = fs::read(&first).unwrap();
        damaged[last + frame::HEADER_BYTES] ^= 1;
        fs::write(&first, damaged).unwrap();
        assert!(read(&folder, MARK).unwrap_err().contains("is missing at"));
    }

    #[test]
    fn from_every_cut_all_or_nothing_of_the_last_commit_is_left() {
        let (folder, log) = log_with(1..=3);
        let path = path(&folder, &log);
        let sound = fs::read(&path).unwrap();
        let last = usize::try_from(log.at).unwrap() - frame::bytes_of(&commit(3));
        for at in last..usize::try_from(log.at).unwrap() {
            let mut cut = sound.clone();
            cut[at..].fill(0);
            fs::write(&path, &cut).unwrap();
            let batches = read(&folder, MARK).unwrap();
            assert!(batches == commits(1..=2) || batches == commits(1..=3), "{at}");
        }
    }

    #[test]
    fn a_commit_that_is_longer_than_the_log_goes_into_an_empty_one() {
        let (folder, mut log) = log_with([]);
        let long = vec![(b"k".to_vec(), Some(vec![1; 3 * 4096]))];
        assert!(log.has_room(&long));
        log.append(&long).unwrap();
        assert!(!log.has_room(&commit(1)));
        assert_eq!(read(&folder, MARK).unwrap(), [long]);
        turn(&mut log);
        assert!(log.has_room(&commit(1)));
    }
}
