//! The folder of an instance: readable as far as that is safe, and never that of another.

use sha2::{Digest, Sha256};

use crate::ids::InstanceId;

const SLUG_CHARS_MAX: usize = 32;
/// 160 bits, so that it comes out even.
const HASH_BYTES: usize = 20;
const DIGITS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// `<slug>-<hash>`: what there is of `a` to `z` and `0` to `9` in the id, and 160 bits of SHA-256 over all of it. No
/// file system folds, cuts or reserves such a name, whatever the id is.
pub(super) fn folder(instance: &InstanceId) -> String {
    let kept = instance.as_str().chars().map(|char| char.to_ascii_lowercase()).filter(char::is_ascii_alphanumeric);
    let mut name: String = kept.take(SLUG_CHARS_MAX).collect();
    if name.is_empty() {
        name.push('x');
    }
    name.push('-');
    let hash = Sha256::digest(instance.as_str().as_bytes());
    let (groups, _) = hash.get(..HASH_BYTES).unwrap_or_default().as_chunks::<5>();
    for group in groups {
        let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let digit = |at: u32| DIGITS.get((bits >> (35 - 5 * at)) as usize & 31).copied().unwrap_or(b'a');
        name.extend((0..8).map(digit).map(char::from));
    }
    name
}

/// Whether a name is one that [`folder`] can give.
pub(super) fn is_folder(name: &str) -> bool {
    let Some((slug, hash)) = name.split_once('-') else { return false };
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    slug.bytes().all(plain) && hash.len() == HASH_BYTES * 8 / 5 && hash.bytes().all(|byte| DIGITS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_id_has_a_folder_of_its_own_that_is_safe() {
        let long = "é".repeat(256);
        let ids = [
            "order-42",
            "ORDER-42",
            "Order 42",
            "..",
            ".",
            "/etc/passwd",
            "a/../b",
            "a\\b",
            "con",
            "NUL",
            "aux.txt",
            "'",
            "\"",
            "%00",
            "%2e%2e",
            "ß",
            "SS",
            "é",
            "e\u{301}",
            "☃",
            " ",
            "a ",
            "a.",
            "x",
            &long,
            "{\"a\":1}",
            "-",
            "--",
        ];
        let mut seen = BTreeSet::new();
        for id in ids {
            let name = folder(&InstanceId::new(id).unwrap());
            assert!(is_folder(&name), "{id}: {name}");
            assert!(name.len() <= SLUG_CHARS_MAX + 1 + 32, "{id}: {name}");
            assert!(seen.insert(name.clone()), "{id}: {name}");
        }
        assert_eq!(folder(&InstanceId::new("Order-42").unwrap()).split_once('-').unwrap().0, "order42");
        assert!(!is_folder("notes") && !is_folder("a-b") && !is_folder("..-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
    }

    #[test]
    fn the_hash_is_base_32_of_sha_256() {
        // From `printf a | sha256sum | xxd -r -p | head -c 20 | base32`.
        assert_eq!(folder(&InstanceId::new("a").unwrap()), "a-zklycewkdo64v6wcggzzui64jwtyn37y");
    }
}
