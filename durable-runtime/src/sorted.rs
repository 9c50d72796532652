//! Hash tables in an order that every run sees.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The same content in order: a hash table as it came from elsewhere, to be iterated over in an orchestration.
///
/// ```
/// use std::collections::HashMap;
///
/// let stock = HashMap::from([("pear", 5), ("apple", 3)]);
/// let fruit: Vec<&str> = durable_runtime::sorted(stock).into_keys().collect();
/// assert_eq!(fruit, ["apple", "pear"]);
/// ```
pub fn sorted<T: Unordered>(table: T) -> T::Sorted {
    table.sorted()
}

/// What [`sorted`] takes: hash maps and hash sets, and references to them.
pub trait Unordered {
    /// The same with an order.
    type Sorted;

    /// Sorts it.
    fn sorted(self) -> Self::Sorted;
}

impl<K: Ord, V, S> Unordered for HashMap<K, V, S> {
    type Sorted = BTreeMap<K, V>;

    fn sorted(self) -> Self::Sorted {
        self.into_iter().collect()
    }
}

impl<'a, K: Ord, V, S> Unordered for &'a HashMap<K, V, S> {
    type Sorted = BTreeMap<&'a K, &'a V>;

    fn sorted(self) -> Self::Sorted {
        self.iter().collect()
    }
}

impl<K: Ord, S> Unordered for HashSet<K, S> {
    type Sorted = BTreeSet<K>;

    fn sorted(self) -> Self::Sorted {
        self.into_iter().collect()
    }
}

impl<'a, K: Ord, S> Unordered for &'a HashSet<K, S> {
    type Sorted = BTreeSet<&'a K>;

    fn sorted(self) -> Self::Sorted {
        self.iter().collect()
    }
}
