//! An ordered map that takes little room while it holds one: most queues do, and a tree makes room for eleven at once.

use std::collections::BTreeMap;
use std::iter;

/// See the module.
#[derive(Debug, Default)]
pub(super) enum Few<K, V> {
    #[default]
    None,
    One(K, V),
    Many(BTreeMap<K, V>),
}

impl<K: Ord, V> Few<K, V> {
    /// Answers what stood there before.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self {
            Self::None => {
                *self = Self::One(key, value);
                None
            }
            Self::One(known, old) if *known == key => Some(std::mem::replace(old, value)),
            Self::One(..) => {
                let one = std::mem::take(self).into_one();
                *self = Self::Many(one.into_iter().chain([(key, value)]).collect());
                None
            }
            Self::Many(map) => map.insert(key, value),
        }
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<V> {
        match self {
            Self::None => None,
            Self::One(known, _) if known == key => std::mem::take(self).into_one().map(|(_, value)| value),
            Self::One(..) => None,
            Self::Many(map) => {
                let removed = map.remove(key);
                if map.len() == 1 {
                    *self = map.pop_first().map_or(Self::None, |(key, value)| Self::One(key, value));
                }
                removed
            }
        }
    }

    pub(super) fn get(&self, key: &K) -> Option<&V> {
        match self {
            Self::None => None,
            Self::One(known, value) => (known == key).then_some(value),
            Self::Many(map) => map.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        match self {
            Self::None => None,
            Self::One(known, value) => (known == key).then_some(value),
            Self::Many(map) => map.get_mut(key),
        }
    }

    /// The least key.
    pub(super) fn first(&self) -> Option<(&K, &V)> {
        self.iter().next()
    }

    /// The greatest key.
    pub(super) fn last(&self) -> Option<(&K, &V)> {
        match self {
            Self::None => None,
            Self::One(key, value) => Some((key, value)),
            Self::Many(map) => map.last_key_value(),
        }
    }

    /// By key.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(key, value) => (Some((key, value)), None),
            Self::Many(map) => (None, Some(map)),
        };
        iter::chain(one, many.into_iter().flatten())
    }

    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }

    fn into_one(self) -> Option<(K, V)> {
        match self {
            Self::One(key, value) => Some((key, value)),
            Self::None | Self::Many(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(few: &Few<u32, char>) -> (Vec<(u32, char)>, &'static str) {
        let kind = match few {
            Few::None => "none",
            Few::One(..) => "one",
            Few::Many(_) => "many",
        };
        (few.iter().map(|(key, value)| (*key, *value)).collect(), kind)
    }

    #[test]
    fn it_is_a_map_of_the_smallest_kind_that_holds_what_it_has() {
        let mut few = Few::default();
        assert_eq!(drawn(&few), (vec![], "none"));
        assert_eq!((few.remove(&1), few.get(&1), few.first(), few.last()), (None, None, None, None));
        assert_eq!(few.insert(2, 'b'), None);
        assert_eq!(drawn(&few), (vec![(2, 'b')], "one"));
        assert_eq!((few.insert(2, 'c'), few.remove(&1)), (Some('b'), None));
        assert_eq!((few.get(&2), few.get(&1)), (Some(&'c'), None));
        assert_eq!(few.insert(1, 'a'), None);
        assert_eq!(drawn(&few), (vec![(1, 'a'), (2, 'c')], "many"));
        assert_eq!((few.first(), few.last()), (Some((&1, &'a')), Some((&2, &'c'))));
        few.get_mut(&2).map(|value| *value = 'd').unwrap();
        assert_eq!((few.insert(3, 'e'), few.insert(3, 'f'), few.remove(&1)), (None, Some('e'), Some('a')));
        assert_eq!(drawn(&few), (vec![(2, 'd'), (3, 'f')], "many"));
        assert_eq!(few.remove(&3), Some('f'));
        assert_eq!(drawn(&few), (vec![(2, 'd')], "one"));
        few.get_mut(&2).map(|value| *value = 'g').unwrap();
        assert_eq!(few.get_mut(&3), None);
        assert_eq!((few.is_empty(), few.remove(&2), few.is_empty()), (false, Some('g'), true));
    }
}
