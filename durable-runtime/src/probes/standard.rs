//! Types of the standard library.

use std::collections::{HashMap, HashSet, hash_map, hash_set};
use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicPtr, AtomicU8, AtomicU16, AtomicU32,
    AtomicU64, AtomicUsize,
};
use std::sync::{Barrier, Condvar, LazyLock, Mutex, Once, OnceLock, RwLock, mpsc};
use std::thread::{JoinHandle, LocalKey, Thread};
use std::time::{Instant, SystemTime};

use super::refuse;

refuse! { Shuffled:
    [K, V, S] HashMap<K, V, S>;
    ['i, K, V] hash_map::Iter<'i, K, V>;
    ['i, K, V] hash_map::IterMut<'i, K, V>;
    ['i, K, V] hash_map::Keys<'i, K, V>;
    ['i, K, V] hash_map::Values<'i, K, V>;
    ['i, K, V] hash_map::ValuesMut<'i, K, V>;
    ['i, K, V] hash_map::Drain<'i, K, V>;
    [K, V] hash_map::IntoIter<K, V>;
    [K, V] hash_map::IntoKeys<K, V>;
    [K, V] hash_map::IntoValues<K, V>;
    [K, S] HashSet<K, S>;
    ['i, K] hash_set::Iter<'i, K>;
    ['i, K] hash_set::Drain<'i, K>;
    [K] hash_set::IntoIter<K>;
    ['i, K, S] hash_set::Union<'i, K, S>;
    ['i, K, S] hash_set::Intersection<'i, K, S>;
    ['i, K, S] hash_set::Difference<'i, K, S>;
    ['i, K, S] hash_set::SymmetricDifference<'i, K, S>;
}

refuse! { Timed:
    [] Instant;
    [] SystemTime;
}

refuse! { Outside:
    [] Instant;
}

refuse! { Outside:
    [T: ?Sized] Mutex<T>;
    [T: ?Sized] RwLock<T>;
    [] Condvar;
    [] Barrier;
    [] Once;
    [T] OnceLock<T>;
    [T, F] LazyLock<T, F>;
    [T: 'static] LocalKey<T>;
    [T] JoinHandle<T>;
    [] Thread;
    [T] mpsc::Sender<T>;
    [T] mpsc::SyncSender<T>;
    [T] mpsc::Receiver<T>;
}

refuse! { Shuffled:
    [T] mpsc::Receiver<T>;
    ['i, T] mpsc::Iter<'i, T>;
    ['i, T] mpsc::TryIter<'i, T>;
    [T] mpsc::IntoIter<T>;
}

refuse! { Outside:
    [] AtomicBool;
    [] AtomicI8;
    [] AtomicI16;
    [] AtomicI32;
    [] AtomicI64;
    [] AtomicIsize;
    [] AtomicU8;
    [] AtomicU16;
    [] AtomicU32;
    [] AtomicU64;
    [] AtomicUsize;
    [T] AtomicPtr<T>;
}
