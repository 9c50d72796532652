//! The envelope around every stored value: what it is, whose, how long, and a checksum over all of that and its key.

use bytes::Bytes;

use crate::ids::InstanceId;

const FORMAT: u8 = 1;
/// Bytes in front of the body: format, kind, flags, reserved, length (4), owner (8), checksum (4).
pub(super) const HEADER_BYTES: usize = 20;
const CHECKSUM_AT: usize = 16;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Store = 1,
    Ring = 2,
    Instance = 3,
    History = 4,
    Message = 5,
    Chunk = 6,
    Entry = 7,
    Label = 8,
    Attempts = 9,
}

/// Where a record stands and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) kind: Kind,
    pub(super) owner: Option<&'a InstanceId>,
    pub(super) key: &'a [u8],
}

/// What is wrong with a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    #[error("it is cut short")]
    Short,
    #[error("it has record format {0}, this version reads {FORMAT}; update `durable-runtime`")]
    Format(u8),
    #[error("the store has format {0}, which this version cannot read")]
    StoreFormat(u64),
    #[error("it is a record of another kind")]
    Kind,
    #[error("it belongs to another instance")]
    Foreign,
    #[error("its checksum is wrong")]
    Checksum,
    #[error("part {0} of it is missing")]
    Missing(u32),
    #[error("its content makes no sense")]
    Content,
}

/// A record's bytes.
pub(super) fn seal(place: Place<'_>, flags: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + body.len());
    bytes.extend([FORMAT, place.kind as u8, flags, 0]);
    // Values over 4 KiB are chunked, so the length always fits.
    bytes.extend(u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    bytes.extend(owner_hash(place.owner).to_be_bytes());
    let checksum = checksum(place.key, &bytes, body);
    bytes.extend(checksum.to_be_bytes());
    bytes.extend(body);
    bytes
}

/// The flags and the body of a record that is what its place says.
pub(super) fn open(place: Place<'_>, mut bytes: Bytes) -> Result<(u8, Bytes), Damage> {
    if bytes.len() < HEADER_BYTES {
        return Err(Damage::Short);
    }
    let body = bytes.split_off(HEADER_BYTES);
    let [format, kind, flags, _, l0, l1, l2, l3, owner @ ..] = &*bytes else { return Err(Damage::Short) };
    if *format != FORMAT {
        return Err(Damage::Format(*format));
    }
    if u32::from_be_bytes([*l0, *l1, *l2, *l3]) as usize != body.len() {
        return Err(Damage::Short);
    }
    let (head, stored) = bytes.split_at(CHECKSUM_AT);
    if stored != checksum(place.key, head, &body).to_be_bytes() {
        // Told apart for the reader of the report only: both are refused.
        let moved = !owner.starts_with(&owner_hash(place.owner).to_be_bytes());
        return Err(if moved { Damage::Foreign } else { Damage::Checksum });
    }
    if *kind != place.kind as u8 {
        return Err(Damage::Kind);
    }
    Ok((*flags, body))
}

fn checksum(key: &[u8], head: &[u8], body: &[u8]) -> u32 {
    // The key is part of it, so that a record that turns up under another key is caught.
    let sum = crc32c::crc32c_append(crc32c::crc32c(key), head);
    crc32c::crc32c_append(sum, body)
}

/// FNV-1a: short, and the same in every version and on every machine.
fn owner_hash(owner: Option<&InstanceId>) -> u64 {
    owner.map_or(0, |id| {
        id.as_str()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_back() {
        let owner = InstanceId::new("a").unwrap();
        let place = Place { kind: Kind::History, owner: Some(&owner), key: b"key" };
        let bytes = Bytes::from(seal(place, 3, b"body"));
        assert_eq!(open(place, bytes), Ok((3, Bytes::from_static(b"body"))));
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_caught() {
        let place = Place { kind: Kind::Message, owner: None, key: b"key" };
        let good = seal(place, 0, b"some body");
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(open(place, bad.into()).is_err(), "bit {bit}");
        }
        for length in 0..good.len() {
            assert!(open(place, Bytes::copy_from_slice(&good[..length])).is_err(), "length {length}");
        }
    }

    #[test]
    fn a_record_in_another_place_is_caught() {
        let (a, b) = (InstanceId::new("a").unwrap(), InstanceId::new("b").unwrap());
        let place = Place { kind: Kind::Message, owner: Some(&a), key: b"key" };
        let bytes = Bytes::from(seal(place, 0, b"body"));
        assert_eq!(open(Place { key: b"other", ..place }, bytes.clone()), Err(Damage::Checksum));
        assert_eq!(open(Place { owner: Some(&b), key: b"other", ..place }, bytes.clone()), Err(Damage::Foreign));
        assert_eq!(open(Place { kind: Kind::History, ..place }, bytes), Err(Damage::Kind));
    }
}
