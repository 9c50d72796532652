//! Long values in short parts: sled would keep a long value in a file of its own, and such a file does not survive
//! a power cut. The parts are keys of the same batch as the value's own key, so all of them are there or none.

use bytes::{Bytes, BytesMut};

use super::keys;
use super::record::{self, Damage, HEADER_BYTES, Kind, Place};
use super::store::StoreError;

/// The longest stored value, its envelope included.
pub(super) const VALUE_BYTES_MAX: usize = 4096;
const BODY_BYTES_MAX: usize = VALUE_BYTES_MAX - HEADER_BYTES;
const CHUNKED: u8 = 1;

/// A value could not be read whole.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Damage(#[from] Damage),
}

/// Hands the keys and values that together hold `body` to `put`; answers in how many parts beside the key itself.
pub(super) fn write(place: Place<'_>, body: &[u8], mut put: impl FnMut(Vec<u8>, Vec<u8>)) -> u32 {
    if body.len() <= BODY_BYTES_MAX {
        put(place.key.to_vec(), record::seal(place, 0, body));
        return 0;
    }
    let mut parts = 0;
    for part in body.chunks(BODY_BYTES_MAX) {
        let key = keys::chunk(place.key, parts);
        let value = record::seal(Place { kind: Kind::Chunk, key: &key, ..place }, 0, part);
        put(key, value);
        parts += 1;
    }
    put(place.key.to_vec(), record::seal(place, CHUNKED, &parts.to_be_bytes()));
    parts
}

/// The body that was written under `place.key`, given the value of that key, and in how many parts it is kept.
pub(super) fn read(
    place: Place<'_>,
    value: Bytes,
    get: impl Fn(&[u8]) -> Result<Option<Bytes>, StoreError>,
) -> Result<(Bytes, u32), ReadError> {
    let (flags, body) = record::open(place, value)?;
    if flags & CHUNKED == 0 {
        return Ok((body, 0));
    }
    let parts = number_of_parts(&body)?;
    let mut whole = BytesMut::new();
    for part in 0..parts {
        let key = keys::chunk(place.key, part);
        let value = get(&key)?.ok_or(Damage::Missing(part))?;
        let (_, bytes) = record::open(Place { kind: Kind::Chunk, key: &key, ..place }, value)?;
        whole.extend_from_slice(&bytes);
    }
    Ok((whole.freeze(), parts))
}

/// In how many parts the body under `place.key` is kept, given the value of that key.
pub(super) fn parts(place: Place<'_>, value: Bytes) -> Result<u32, Damage> {
    let (flags, body) = record::open(place, value)?;
    if flags & CHUNKED == 0 { Ok(0) } else { number_of_parts(&body) }
}

fn number_of_parts(body: &Bytes) -> Result<u32, Damage> {
    Ok(u32::from_be_bytes(body.as_ref().try_into().map_err(|_| Damage::Content)?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const PLACE: Place<'static> = Place { kind: Kind::Message, owner: None, key: b"key" };

    fn written(body: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut map = BTreeMap::new();
        write(PLACE, body, |key, value| assert!(map.insert(key, value).is_none()));
        map
    }

    fn read_back(map: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Bytes, ReadError> {
        let get = |key: &[u8]| Ok(map.get(key).map(|value| Bytes::copy_from_slice(value)));
        let value = get(PLACE.key)?.unwrap();
        read(PLACE, value, get).map(|(body, _)| body)
    }

    #[test]
    fn bodies_of_every_size_come_back_and_no_value_is_long() {
        for size in [0, 1, BODY_BYTES_MAX, BODY_BYTES_MAX + 1, 3 * BODY_BYTES_MAX, 100_000] {
            let body: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            let map = written(&body);
            assert_eq!(map.len(), if size <= BODY_BYTES_MAX { 1 } else { 1 + size.div_ceil(BODY_BYTES_MAX) });
            assert!(map.values().all(|value| value.len() <= VALUE_BYTES_MAX));
            assert_eq!(read_back(&map).unwrap(), body);
        }
    }

    #[test]
    fn a_missing_or_swapped_part_is_caught() {
        let mut map = written(&[7; 9000]);
        let (one, two) = (map[&keys::chunk(b"key", 0)].clone(), map[&keys::chunk(b"key", 1)].clone());
        map.insert(keys::chunk(b"key", 0), two);
        map.insert(keys::chunk(b"key", 1), one);
        assert!(matches!(read_back(&map), Err(ReadError::Damage(Damage::Checksum))));
        map.remove(&keys::chunk(b"key", 0));
        assert!(matches!(read_back(&map), Err(ReadError::Damage(Damage::Missing(0)))));
    }
}
