//! Blocks written before sled needs them.
//!
//! A sync of a file that has grown writes the file's metadata too, and takes half as long again as one of blocks that
//! were there before. So zeros are kept behind the part of the file that sled writes to: more of them, the more it
//! writes. Zeros are what sled itself puts where nothing is, so it makes no difference to it whether they are there,
//! or a power cut took them.
//!
//! They are written while nothing else is: sled has written all it was given, and no other call runs; and only behind
//! the end of the file, where nothing can be.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicBool, Ordering};

/// How much is written at once, at first and at most; it doubles.
const PART_BYTES: (u64, u64) = (256 << 10, 4 << 20);
/// So many bytes are looked at to see whether sled has come to a part. Should it have written nothing but zeros there,
/// the next part is only made when the file grows.
const PROBE_BYTES: usize = 256;

/// What is known of the end of the file.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Whether sled has written all it was given.
    quiet: AtomicBool,
    /// The last part that was written ahead.
    part: std::ops::Range<u64>,
    next_bytes: u64,
}

impl Ahead {
    pub(super) const fn new() -> Self {
        Self { quiet: AtomicBool::new(false), part: 0..0, next_bytes: PART_BYTES.0 }
    }

    /// Says that sled has written all it was given.
    pub(super) fn all_is_written(&self) {
        self.quiet.store(true, Ordering::Relaxed);
    }

    /// Makes sure that there is something ahead of sled. To be called before sled is given something, while nobody
    /// else uses the store.
    pub(super) fn prepare(&mut self, mut file: &File) -> io::Result<()> {
        if !self.quiet.swap(false, Ordering::Relaxed) {
            return Ok(());
        }
        let end = file.metadata()?.len();
        if end == self.part.end && !self.is_begun(file)? {
            return Ok(());
        }
        file.seek(SeekFrom::Start(end))?;
        io::copy(&mut io::repeat(0).take(self.next_bytes), &mut file)?;
        self.part = end..end + self.next_bytes;
        self.next_bytes = (self.next_bytes * 2).min(PART_BYTES.1);
        file.sync_data()
    }

    /// Whether sled has written to the last part.
    fn is_begun(&self, mut file: &File) -> io::Result<bool> {
        let mut probe = [0; PROBE_BYTES];
        if self.part.is_empty() {
            return Ok(true);
        }
        file.seek(SeekFrom::Start(self.part.start))?;
        file.read_exact(&mut probe)?;
        Ok(probe != [0; PROBE_BYTES])
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn len(file: &File) -> u64 {
        file.metadata().unwrap().len()
    }

    #[test]
    fn a_part_is_written_ahead_once_sled_has_come_to_the_one_before() {
        let mut file = tempfile::tempfile().unwrap();
        let mut ahead = Ahead::new();
        let mut prepare = |file: &File| {
            ahead.all_is_written();
            ahead.prepare(file).unwrap();
        };
        file.write_all(&[7; 100]).unwrap();
        prepare(&file);
        assert_eq!(len(&file), 100 + PART_BYTES.0);
        prepare(&file);
        assert_eq!(len(&file), 100 + PART_BYTES.0, "sled has not come to it");
        file.seek(SeekFrom::Start(100)).unwrap();
        file.write_all(&[7; 10]).unwrap();
        prepare(&file);
        assert_eq!(len(&file), 100 + 3 * PART_BYTES.0);
    }

    #[test]
    fn nothing_is_written_while_sled_may_be_writing() {
        let file = tempfile::tempfile().unwrap();
        let mut ahead = Ahead::new();
        ahead.prepare(&file).unwrap();
        assert_eq!(len(&file), 0);
        ahead.all_is_written();
        ahead.prepare(&file).unwrap();
        ahead.prepare(&file).unwrap();
        assert_eq!(len(&file), PART_BYTES.0);
    }

    #[test]
    fn what_was_written_is_never_written_over() {
        let mut file = tempfile::tempfile().unwrap();
        let mut ahead = Ahead::new();
        let mut written = Vec::new();
        for round in 1..200_u32 {
            let bytes = vec![round as u8 | 1; (round * 977 % 9_000) as usize];
            file.seek(SeekFrom::Start(written.len() as u64)).unwrap();
            file.write_all(&bytes).unwrap();
            written.extend(bytes);
            ahead.all_is_written();
            ahead.prepare(&file).unwrap();
        }
        file.rewind().unwrap();
        let mut found = Vec::new();
        file.read_to_end(&mut found).unwrap();
        let (log, ahead) = found.split_at(written.len());
        assert!(log == written && ahead.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_file_that_was_cut_is_filled_again() {
        let file = tempfile::tempfile().unwrap();
        let mut ahead = Ahead::new();
        for _ in 0..2 {
            ahead.all_is_written();
            ahead.prepare(&file).unwrap();
            assert!(len(&file) > 0);
            file.set_len(0).unwrap();
        }
    }
}
