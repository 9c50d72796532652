//! What is in the log and not in sled yet, as readers see it: reads look here first.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Bound, Range};

use bytes::Bytes;

use super::super::store::{Batch, Order, Pair, StoreError};

/// Keys that were set (`Some`) or taken out (`None`).
#[derive(Debug, Default)]
pub(super) struct Fresh(BTreeMap<Bytes, Option<Bytes>>);

/// Pairs in the order asked for.
pub(super) type Pairs<'a> = Box<dyn Iterator<Item = Result<Pair, StoreError>> + 'a>;

impl Fresh {
    pub(super) fn take(&mut self, batch: Batch) {
        self.0.extend(batch.into_iter().map(|(key, value)| (key.into(), value.map(Bytes::from))));
    }

    /// In the order of the keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Option<Bytes>)> {
        self.0.iter()
    }

    /// `None` if only what is older knows.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        self.0.get(key).cloned()
    }

    /// What is in the range, with what is older there.
    pub(super) fn over<'a>(&'a self, older: Pairs<'a>, range: Range<&[u8]>, order: Order) -> Pairs<'a> {
        let fresh = self.0.range::<[u8], _>((Bound::Included(range.start), Bound::Excluded(range.end)));
        match order {
            Order::Ascending => Box::new(merged(fresh, older, |a, b| a.cmp(b))),
            Order::Descending => Box::new(merged(fresh.rev(), older, |a, b| b.cmp(a))),
        }
    }
}

/// Both sides in the same order; where both have a key, the fresh one counts.
fn merged<'a>(
    fresh: impl Iterator<Item = (&'a Bytes, &'a Option<Bytes>)>,
    older: impl Iterator<Item = Result<Pair, StoreError>>,
    compare: impl Fn(&[u8], &[u8]) -> Ordering,
) -> impl Iterator<Item = Result<Pair, StoreError>> {
    let (mut fresh, mut older) = (fresh.peekable(), older.peekable());
    std::iter::from_fn(move || {
        loop {
            let which = match (fresh.peek(), older.peek()) {
                (None, _) | (Some(_), Some(Err(_))) => Ordering::Greater,
                (Some(_), None) => Ordering::Less,
                (Some((fresh, _)), Some(Ok((older, _)))) => compare(fresh, older),
            };
            match which {
                Ordering::Greater => return older.next(),
                Ordering::Equal => drop(older.next()),
                Ordering::Less => {}
            }
            if let Some((key, Some(value))) = fresh.next() {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, value: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        (key.into(), Some(value.into()))
    }

    fn remove(key: &str) -> (Vec<u8>, Option<Vec<u8>>) {
        (key.into(), None)
    }

    fn text(pairs: &[Pair]) -> String {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        pairs.iter().map(|(key, value)| format!("{}={}", text(key), text(value))).collect::<Vec<_>>().join(" ")
    }

    fn older(keys: &[&str], order: Order) -> Pairs<'static> {
        let mut pairs: Vec<_> = keys.iter().map(|key| Ok((Bytes::from(key.to_string()), Bytes::from("old")))).collect();
        if order == Order::Descending {
            pairs.reverse();
        }
        Box::new(pairs.into_iter())
    }

    #[test]
    fn what_is_fresh_hides_what_is_older() {
        let mut fresh = Fresh::default();
        fresh.take(vec![put("b", "new"), remove("d"), put("e", "new")]);
        let scan = |order, limit| {
            let pairs = fresh.over(older(&["a", "b", "c", "d"], order), b"a"..b"z", order).take(limit);
            text(&pairs.collect::<Result<Vec<_>, _>>().unwrap())
        };
        assert_eq!(scan(Order::Ascending, 9), "a=old b=new c=old e=new");
        assert_eq!(scan(Order::Ascending, 2), "a=old b=new");
        assert_eq!(scan(Order::Descending, 9), "e=new c=old b=new a=old");
        assert_eq!(scan(Order::Descending, 2), "e=new c=old");
        assert_eq!(fresh.get(b"d"), Some(None));
        assert_eq!(fresh.get(b"a"), None);
    }

    #[test]
    fn three_ages_lie_over_one_another() {
        let (mut middle, mut fresh) = (Fresh::default(), Fresh::default());
        middle.take(vec![remove("a"), put("b", "middle"), put("c", "middle")]);
        fresh.take(vec![put("a", "new"), remove("c")]);
        for (order, expected) in
            [(Order::Ascending, "a=new b=middle d=old"), (Order::Descending, "d=old b=middle a=new")]
        {
            let below = middle.over(older(&["a", "c", "d"], order), b"a"..b"z", order);
            let pairs: Result<Vec<_>, _> = fresh.over(below, b"a"..b"z", order).collect();
            assert_eq!(text(&pairs.unwrap()), expected);
        }
    }

    #[test]
    fn an_error_comes_where_it_is() {
        let mut fresh = Fresh::default();
        fresh.take(vec![put("z", "new")]);
        let older = [Err(StoreError::Away)].into_iter();
        let pairs: Vec<_> = fresh.over(Box::new(older), b"a".as_slice()..&[0xff], Order::Ascending).collect();
        assert!(matches!(&pairs[..], [Err(StoreError::Away), Ok(_)]));
    }
}
