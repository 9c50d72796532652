//! A data file of sled, written in one go from sorted keys.
//!
//! sled writes each key as it comes. It halves a page when it is full, and with every half it writes all of the page above;
//! what was written before stays in its file until most of a part is of no use. So a store that is filled takes about three
//! times what is in it. Here each page is written once, full, one behind the other, in sled's own [form](super::form):
//! sled finds them as it finds, when it is opened, what it has written itself.

use std::sync::Arc;

use bytes::Bytes;

use super::super::disk::DiskFile;
use super::super::store::{Pair, StoreError};
use super::form::{Kind, Parts, put_bytes, put_number};

/// Keys of a page. sled halves one that has more than 16: there is some room.
const LEAF_KEYS: usize = 14;
/// Pages below a page. sled halves one that has more than 256.
const INDEX_KEYS: usize = 192;
/// sled leaves out at most so many bytes with which all keys of a page begin.
const PREFIX_BYTES_MAX: usize = 255;
const TREES: u64 = 0;
const COUNTER: u64 = 1;
const FIRST_PAGE: u64 = 2;
/// The tree that every store of sled has.
const TREE: &[u8] = b"__sled__default";

/// See the module.
pub(super) struct Pages {
    numbered: Numbered,
    leaves: Level,
}

impl Pages {
    pub(super) fn new(file: Arc<dyn DiskFile>) -> Self {
        Self::with(file, INDEX_KEYS)
    }

    fn with(file: Arc<dyn DiskFile>, index_keys: usize) -> Self {
        let mut numbered = Numbered { parts: Parts::new(file), next: FIRST_PAGE, index_keys };
        let leaves = Level::new(&mut numbered, true);
        Self { numbered, leaves }
    }

    /// A key that is greater than all before.
    pub(super) fn push(&mut self, (key, value): Pair) -> Result<(), StoreError> {
        let mut bytes = Vec::with_capacity(value.len() + 3);
        put_bytes(&mut bytes, &value);
        self.leaves.push(&mut self.numbered, key, &bytes)
    }

    /// Returns when all is on disk.
    pub(super) fn finish(self) -> Result<(), StoreError> {
        let Self { mut numbered, leaves } = self;
        let root = leaves.finish(&mut numbered)?;
        let mut trees = Vec::new();
        put_bytes(&mut trees, TREE);
        put_number(&mut trees, root);
        numbered.parts.put(Kind::Trees, TREES, &trees)?;
        numbered.parts.put(Kind::Counter, COUNTER, &[0])?;
        numbered.parts.finish()
    }
}

struct Numbered {
    parts: Parts,
    /// The next page that is begun.
    next: u64,
    index_keys: usize,
}

impl Numbered {
    const fn page(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }
}

/// Pages side by side, of which the last is being filled.
struct Level {
    page: Page,
    is_of_leaves: bool,
    above: Option<Box<Level>>,
}

struct Page {
    number: u64,
    /// No key of it is less. Those of the next page begin with what is none of this one any more.
    low: Bytes,
    keys: Vec<Bytes>,
    /// As they will stand in the file: values, or the numbers of the pages below.
    values: Vec<u8>,
}

impl Level {
    fn new(numbered: &mut Numbered, is_of_leaves: bool) -> Self {
        Self { page: Page::new(numbered.page(), Bytes::new()), is_of_leaves, above: None }
    }

    fn push(&mut self, numbered: &mut Numbered, key: Bytes, value: &[u8]) -> Result<(), StoreError> {
        let keys_max = if self.is_of_leaves { LEAF_KEYS } else { numbered.index_keys };
        if self.page.keys.len() == keys_max {
            let low = match self.page.keys.last() {
                Some(last) if self.is_of_leaves => between(last, &key),
                _ => key.clone(),
            };
            let next = Page::new(numbered.page(), low);
            let full = std::mem::replace(&mut self.page, next);
            full.put(numbered, self.is_of_leaves, Some(&self.page))?;
            self.tell(numbered, full)?;
        }
        self.page.keys.push(key);
        self.page.values.extend(value);
        Ok(())
    }

    /// The level above has to know of every page.
    fn tell(&mut self, numbered: &mut Numbered, page: Page) -> Result<(), StoreError> {
        let above = || Box::new(Self::new(numbered, false));
        let above = self.above.get_or_insert_with(above);
        let mut number = Vec::new();
        put_number(&mut number, page.number);
        above.push(numbered, page.low, &number)
    }

    /// Writes the last page of each level; answers the one that is above all.
    fn finish(mut self, numbered: &mut Numbered) -> Result<u64, StoreError> {
        let last = std::mem::replace(&mut self.page, Page::new(0, Bytes::new()));
        last.put(numbered, self.is_of_leaves, None)?;
        if self.above.is_none() && !self.is_of_leaves {
            return Ok(last.number);
        }
        self.tell(numbered, last)?;
        match self.above {
            Some(above) => above.finish(numbered),
            None => Err(StoreError::Other("no page is above the first".to_owned())),
        }
    }
}

impl Page {
    const fn new(number: u64, low: Bytes) -> Self {
        Self { number, low, keys: Vec::new(), values: Vec::new() }
    }

    fn put(&self, numbered: &mut Numbered, is_leaf: bool, next: Option<&Self>) -> Result<(), StoreError> {
        let (next, high) = next.map_or((0, &[][..]), |next| (next.number, &next.low));
        // What is left out of the keys is what both bounds begin with, so all between them do.
        let prefix = common(&self.low, high).min(PREFIX_BYTES_MAX);
        let mut body = Vec::new();
        put_number(&mut body, next);
        // No page below is being taken out, nor is this one.
        body.extend([0, 0, prefix as u8]);
        put_bytes(&mut body, &self.low);
        put_bytes(&mut body, high);
        body.push(u8::from(!is_leaf));
        put_number(&mut body, self.keys.len() as u64);
        self.keys.iter().for_each(|key| put_bytes(&mut body, key.get(prefix..).unwrap_or_default()));
        body.extend(&self.values);
        numbered.parts.put(Kind::Page, self.number, &body)
    }
}

/// With how many bytes both begin.
fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

/// The shortest that is greater than the one, and not greater than the other, which is greater.
fn between(low: &[u8], high: &Bytes) -> Bytes {
    high.slice(..high.len().min(common(low, high) + 1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::super::super::disk::{Disk as _, OsDisk};
    use super::super::{DATA, LetGo, SEGMENT_BYTES, form, open_when_let_go};
    use super::*;

    type Model = BTreeMap<Vec<u8>, Vec<u8>>;

    fn write(folder: &Path, model: &Model, index_keys: usize) {
        let mut pages = Pages::with(OsDisk(folder.to_owned()).create(DATA).unwrap(), index_keys);
        for (key, value) in model {
            pages.push((key.clone().into(), value.clone().into())).unwrap();
        }
        pages.finish().unwrap();
    }

    fn open(folder: &Path) -> sled::Db {
        let config = sled::Config::new().path(folder).flush_every_ms(None).segment_size(SEGMENT_BYTES);
        open_when_let_go(&config).unwrap()
    }

    fn assert_same(db: &sled::Db, model: &Model, case: &str) {
        let pairs =
            |pair: sled::Result<(sled::IVec, sled::IVec)>| pair.map(|(key, value)| (key.to_vec(), value.to_vec()));
        let expected: Vec<_> = model.clone().into_iter().collect();
        assert!(db.iter().map(pairs).collect::<Result<Vec<_>, _>>().unwrap() == expected, "{case}: forwards");
        let backwards: Result<Vec<_>, _> = db.iter().rev().map(pairs).collect();
        assert!(backwards.unwrap().into_iter().rev().eq(expected), "{case}: backwards");
        for (key, value) in model {
            assert_eq!(db.get(key).unwrap().as_deref(), Some(&value[..]), "{case}: {key:?}");
        }
    }

    fn below(chance: &mut u64, bound: usize) -> usize {
        *chance ^= *chance << 13;
        *chance ^= *chance >> 7;
        *chance ^= *chance << 17;
        (*chance % bound as u64) as usize
    }

    /// Of few different bytes, so that many begin alike, and one is often the beginning of another.
    fn key(chance: &mut u64) -> Vec<u8> {
        let prefix = [0, 0, 3, 300][below(chance, 4)];
        let length = 1 + below(chance, 9);
        let bytes = std::iter::repeat_n(7, prefix).chain((0..length).map(|_| [0, 1, 0xfe][below(chance, 3)]));
        bytes.collect()
    }

    fn value(chance: &mut u64) -> Vec<u8> {
        let length = [0, 3, 20, 300, 4_096][below(chance, 5)];
        vec![below(chance, 3) as u8; length]
    }

    fn random(chance: &mut u64, pairs: usize) -> Model {
        (0..pairs).map(|_| (key(chance), value(chance))).collect()
    }

    #[test]
    fn sled_finds_all_of_it_and_goes_on_with_it() {
        let chance = &mut 0x9e37_79b9_7f4a_7c15;
        for (pairs, index_keys) in [(0, 192), (1, 192), (14, 192), (15, 192), (200, 2), (900, 3), (5_000, 192)] {
            let case = format!("{pairs} pairs, {index_keys} pages below a page");
            let folder = tempfile::tempdir().unwrap();
            let mut model = random(chance, pairs);
            write(folder.path(), &model, index_keys);
            for round in 0..3 {
                let db = open(folder.path());
                assert!(db.was_recovered(), "{case}");
                assert_same(&db, &model, &format!("{case}, round {round}"));
                for _ in 0..400 {
                    let key = match model.keys().nth(below(chance, model.len().max(1))) {
                        Some(key) if below(chance, 3) > 0 => key.clone(),
                        _ => key(chance),
                    };
                    if below(chance, 2) == 0 {
                        model.remove(&key);
                        db.remove(&key).unwrap();
                    } else {
                        let value = value(chance);
                        db.insert(&key, &value[..]).unwrap();
                        model.insert(key, value);
                    }
                }
                assert_same(&db, &model, &format!("{case}, round {round}, changed"));
                db.flush().unwrap();
            }
        }
    }

    #[test]
    fn it_goes_on_from_part_to_part() {
        let number = |number: u32| number.to_be_bytes().to_vec();
        for value_bytes in [2_000, 2_017, 4_096] {
            let folder = tempfile::tempdir().unwrap();
            let mut model: Model = (0..9_000).map(|key| (number(key), vec![key as u8; value_bytes])).collect();
            write(folder.path(), &model, INDEX_KEYS);
            let bytes = std::fs::metadata(folder.path().join(DATA)).unwrap().len();
            let raw = 9_000 * (value_bytes + 4);
            assert!(bytes > 2 * SEGMENT_BYTES as u64 && bytes < raw as u64 * 102 / 100, "{bytes} for {raw}");
            for round in 0..2 {
                let db = open(folder.path());
                assert_same(&db, &model, &format!("values of {value_bytes} bytes, round {round}"));
                for key in (0..9_000).filter(|key| key % 3 != round) {
                    db.remove(number(key)).unwrap();
                    model.remove(&number(key));
                }
                db.flush().unwrap();
                assert_same(&db, &model, &format!("values of {value_bytes} bytes, round {round}, taken out"));
            }
        }
    }

    /// Fills a part almost, with one long value at its end; answers what is left.
    fn fill_a_part(folder: &Path, long: usize) -> (usize, Model) {
        let mut pages = Pages::new(OsDisk(folder.to_owned()).create(DATA).unwrap());
        let mut model = Model::new();
        let mut push = |pages: &mut Pages, value_bytes: usize| {
            let (key, value) = ((model.len() as u32).to_be_bytes().to_vec(), vec![5; value_bytes]);
            pages.push((key.clone().into(), value.clone().into())).unwrap();
            model.insert(key, value);
        };
        while pages.numbered.parts.room() > 1 << 20 {
            push(&mut pages, 40_000);
        }
        push(&mut pages, long);
        // A page is written when the first of the next one comes.
        let before = pages.numbered.parts.room();
        while pages.numbered.parts.room() == before {
            push(&mut pages, 10);
        }
        let left = pages.numbered.parts.room();
        (0..20).for_each(|_| push(&mut pages, 10));
        pages.finish().unwrap();
        (left, model)
    }

    #[test]
    fn a_part_may_end_with_every_byte() {
        const LONG: usize = 200_000;
        let (left, _) = fill_a_part(tempfile::tempdir().unwrap().path(), LONG);
        for expected in [0, 1, 31, 32, 33, 34, 50, 64, 100] {
            let folder = tempfile::tempdir().unwrap();
            let (left, model) = fill_a_part(folder.path(), LONG + left - expected);
            assert_eq!(left, expected);
            for round in 0..2 {
                assert_same(&open(folder.path()), &model, &format!("{left} bytes are left, round {round}"));
            }
        }
    }

    #[test]
    fn what_is_cut_is_only_what_sled_did_not_write() {
        let chance = &mut 0x51ed_2701;
        for round in 0..12 {
            let folder = tempfile::tempdir().unwrap();
            let mut model = random(chance, 50 * round);
            write(folder.path(), &model, INDEX_KEYS);
            for opened in 0..3 {
                let case = format!("round {round}, opened {opened} times before");
                let db = open(folder.path());
                assert_same(&db, &model, &case);
                // The last that is written ends with as many zeros as there may be.
                for _ in 0..=below(chance, 40) {
                    let (key, value) = (key(chance), vec![0; 4_096]);
                    db.insert(&key, &value[..]).unwrap();
                    model.insert(key, value);
                }
                drop(db);
                drop(open(folder.path()));
                let file = open_data(folder.path());
                let (before, raw) = (file.size().unwrap(), model.values().map(|value| value.len() as u64).sum::<u64>());
                form::cut(&*file).unwrap();
                assert!(before + 1 >= SEGMENT_BYTES as u64, "{case}: sled writes all of a part but its last byte");
                assert!(file.size().unwrap() < 8 * raw + (128 << 10), "{case}: {} for {raw}", file.size().unwrap());
            }
        }
    }

    /// Once sled has let go of it.
    fn open_data(folder: &Path) -> Arc<dyn DiskFile> {
        assert!(LetGo(std::fs::File::open(folder.join(DATA)).unwrap()).wait());
        OsDisk(folder.to_owned()).open(DATA).unwrap()
    }

    #[test]
    fn numbers_are_as_sled_writes_them() {
        let written = |number| {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            bytes
        };
        let cases: [(u64, &[u8]); 9] = [
            (0, &[0]),
            (240, &[240]),
            (241, &[241, 1]),
            (2_287, &[248, 255]),
            (2_288, &[249, 0, 0]),
            (67_823, &[249, 255, 255]),
            (67_824, &[250, 0xf0, 8, 1]),
            (0x0100_0000, &[251, 0, 0, 0, 1]),
            (u64::MAX, &[255; 9]),
        ];
        for (number, bytes) in cases {
            assert_eq!(written(number), bytes, "{number}");
        }
    }
}
