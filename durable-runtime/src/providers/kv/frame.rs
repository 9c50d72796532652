//! A frame: all that one batch writes, under one checksum, so that it is there or it is not.
//!
//! ```text
//! magic 4 · format 1 · zeros 3 · length 4 · segment 4 · sequence 8 · durable 8 · checksum 4 · zeros 4
//! then for each key: key length 2 · value length 4 (all ones: the key is taken out) · key · value
//! ```
//!
//! `durable` is the last frame that was on disk when this one was written. So if a frame cannot be read, and one behind
//! it says that it was on disk, it was damaged since; otherwise it was never whole, and neither was anybody told that
//! it is kept.

use std::ops::Range;

use super::store::Batch;

/// Bytes in front of the keys and values.
pub(super) const HEADER_BYTES: usize = 40;
/// Frames begin at multiples of this.
const ALIGN: usize = 8;
const MAGIC: [u8; 4] = *b"DRfr";
const FORMAT: u8 = 1;
const CHECKSUM_AT: usize = 32;
const KEY_HEADER_BYTES: usize = 6;
const GONE: u32 = u32::MAX;

/// What stands in front of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    /// The segment it was written into: what is left there of earlier use is of another.
    pub(super) segment: u32,
    /// Its number; they count up by one.
    pub(super) sequence: u64,
    /// See the module.
    pub(super) durable: u64,
}

/// A frame that was read.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) head: Head,
    pub(super) body: &'a [u8],
    /// How many bytes it takes, those up to the next frame included.
    pub(super) bytes: usize,
}

/// A key of a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry<'a> {
    pub(super) key: &'a [u8],
    /// Where its value stands, counted from the beginning of the frame.
    pub(super) value: Option<Range<usize>>,
}

/// How many bytes a key and its value take.
pub(super) const fn weight(key: usize, value: usize) -> u64 {
    (KEY_HEADER_BYTES + key + value) as u64
}

/// How many bytes the frame of this batch takes.
pub(super) fn bytes_of(batch: &Batch) -> usize {
    let of =
        |(key, value): &(Vec<u8>, Option<Vec<u8>>)| KEY_HEADER_BYTES + key.len() + value.as_ref().map_or(0, Vec::len);
    (HEADER_BYTES + batch.iter().map(of).sum::<usize>()).next_multiple_of(ALIGN)
}

/// A frame with this batch. `salt` is that of the store: frames of other stores are none here.
pub(super) fn encode(head: Head, salt: u32, batch: &Batch) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(bytes_of(batch));
    bytes.extend(MAGIC);
    bytes.extend([FORMAT, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(head.segment.to_be_bytes());
    bytes.extend(head.sequence.to_be_bytes());
    bytes.extend(head.durable.to_be_bytes());
    bytes.extend([0; 8]);
    for (key, value) in batch {
        // Keys have at most a few ids of 512 bytes, values at most 4 KiB.
        bytes.extend(u16::try_from(key.len()).unwrap_or(u16::MAX).to_be_bytes());
        let length = value.as_ref().map_or(GONE, |value| u32::try_from(value.len()).unwrap_or(GONE));
        bytes.extend(length.to_be_bytes());
        bytes.extend(key);
        bytes.extend(value.iter().flatten());
    }
    let body = bytes.len() - HEADER_BYTES;
    put(&mut bytes, 8, u32::try_from(body).unwrap_or(u32::MAX));
    let sum = checksum(salt, &bytes);
    put(&mut bytes, CHECKSUM_AT, sum);
    bytes.resize(bytes.len().next_multiple_of(ALIGN), 0);
    bytes
}

fn put(bytes: &mut [u8], at: usize, number: u32) {
    bytes.iter_mut().skip(at).zip(number.to_be_bytes()).for_each(|(to, from)| *to = from);
}

/// Over everything but itself.
fn checksum(salt: u32, frame: &[u8]) -> u32 {
    let (head, rest) = frame.split_at_checked(CHECKSUM_AT).unwrap_or((frame, &[]));
    let body = rest.get(4..).unwrap_or_default();
    crc32c::crc32c_append(crc32c::crc32c_append(salt, head), body)
}

/// What is behind the head of a frame.
pub(super) fn body(frame: &[u8]) -> &[u8] {
    announced(frame).and_then(|end| frame.get(HEADER_BYTES..end)).unwrap_or_default()
}

/// The frame at the beginning of these bytes, if there is a whole one.
pub(super) fn decode(bytes: &[u8], salt: u32) -> Option<Frame<'_>> {
    let (length, head) = peek(bytes)?;
    let end = HEADER_BYTES.checked_add(length)?;
    let frame = bytes.get(..end)?;
    if number(frame, CHECKSUM_AT)? != checksum(salt, frame) {
        return None;
    }
    Some(Frame { head, body: frame.get(HEADER_BYTES..)?, bytes: end.next_multiple_of(ALIGN) })
}

/// What the bytes say if they begin a frame: its length, and its head.
fn peek(bytes: &[u8]) -> Option<(usize, Head)> {
    if bytes.get(..4)? != MAGIC || *bytes.get(4)? != FORMAT {
        return None;
    }
    let long = |at| Some(u64::from_be_bytes(*bytes.get(at..)?.first_chunk::<8>()?));
    let head = Head { segment: number(bytes, 12)?, sequence: long(16)?, durable: long(24)? };
    Some((number(bytes, 8)? as usize, head))
}

/// How many bytes a frame that begins with this head would take.
pub(super) fn announced(head: &[u8]) -> Option<usize> {
    peek(head).map(|(length, _)| HEADER_BYTES + length)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

/// Whether some frame in these bytes says that frame `missing` of this segment was on disk; answers with its place.
pub(super) fn proof_of(missing: u64, segment: u32, bytes: &[u8], salt: u32) -> Option<usize> {
    (0..bytes.len()).step_by(ALIGN).find(|at| {
        let rest = bytes.get(*at..).unwrap_or_default();
        let says = |head: Head| head.segment == segment && head.sequence > missing && head.durable >= missing;
        peek(rest).is_some_and(|(_, head)| says(head)) && decode(rest, salt).is_some()
    })
}

/// The keys of a frame, in the order written; `None` in the place of one that makes no sense.
pub(super) fn entries(body: &[u8]) -> impl Iterator<Item = Option<Entry<'_>>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        if at >= body.len() {
            return None;
        }
        let entry = entry(body, &mut at);
        if entry.is_none() {
            at = body.len();
        }
        Some(entry)
    })
}

fn entry<'a>(body: &'a [u8], at: &mut usize) -> Option<Entry<'a>> {
    let key_bytes = u16::from_be_bytes(*body.get(*at..)?.first_chunk::<2>()?) as usize;
    let value_bytes = number(body, *at + 2)?;
    let key_at = *at + KEY_HEADER_BYTES;
    let key = body.get(key_at..key_at + key_bytes)?;
    let value_at = key_at + key_bytes;
    let value = if value_bytes == GONE { None } else { Some(value_at..value_at.checked_add(value_bytes as usize)?) };
    *at = value.as_ref().map_or(value_at, |value| value.end);
    (*at <= body.len()).then(|| Entry { key, value: value.map(|at| at.start + HEADER_BYTES..at.end + HEADER_BYTES) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head = Head { segment: 3, sequence: 7, durable: 6 };

    fn batch() -> Batch {
        vec![(b"a".to_vec(), Some(b"one".to_vec())), (b"bb".to_vec(), None), (b"c".to_vec(), Some(Vec::new()))]
    }

    #[test]
    fn a_frame_is_read_back() {
        let bytes = encode(HEAD, 9, &batch());
        assert_eq!(bytes.len(), bytes_of(&batch()));
        let frame = decode(&bytes, 9).unwrap();
        assert_eq!((frame.head, frame.bytes), (HEAD, bytes.len()));
        let read: Vec<_> = entries(frame.body)
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.key.to_vec(), entry.value.map(|at| bytes[at].to_vec())))
            .collect();
        assert_eq!(read, batch());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_caught_and_so_is_a_foreign_frame() {
        let good = encode(HEAD, 9, &batch());
        let body = HEADER_BYTES + 3 * KEY_HEADER_BYTES + 1 + 3 + 2 + 1;
        for bit in 0..body * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(&bad, 9).is_none(), "bit {bit}");
        }
        for length in 0..body {
            assert!(decode(&good[..length], 9).is_none(), "length {length}");
        }
        assert!(decode(&good, 10).is_none());
    }

    #[test]
    fn only_a_later_frame_that_says_so_proves_that_one_was_there() {
        let mut bytes = vec![1; 16];
        bytes.extend(encode(HEAD, 9, &batch()));
        assert_eq!(proof_of(6, 3, &bytes, 9), Some(16));
        assert_eq!(proof_of(7, 3, &bytes, 9), None, "it was not on disk yet");
        assert_eq!(proof_of(6, 4, &bytes, 9), None, "another segment");
    }

    #[test]
    fn what_makes_no_sense_is_no_entry() {
        for body in [&[0, 9, 0, 0, 0, 0, 1][..], &[0, 1, 0, 0, 0, 9, 1, 2], &[0]] {
            assert_eq!(entries(body).collect::<Vec<_>>(), [None]);
        }
    }
}
