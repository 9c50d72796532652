//! Types of other crates: tokio always, since the runtime is built on it, the others with the feature of their name.

use super::refuse;

mod of_tokio {
    use tokio::sync::{Barrier, Mutex, Notify, OnceCell, RwLock, Semaphore, broadcast, mpsc, oneshot, watch};
    use tokio::task::{JoinHandle, JoinSet};
    use tokio::time::Instant;

    use super::refuse;

    refuse! { Timed:
        [] Instant;
    }

    refuse! { Outside:
        [] Instant;
        [T: ?Sized] Mutex<T>;
        [T: ?Sized] RwLock<T>;
        [T] OnceCell<T>;
        [] Barrier;
        [] Notify;
        [] Semaphore;
        [T] mpsc::Sender<T>;
        [T] mpsc::UnboundedSender<T>;
        [T] mpsc::Receiver<T>;
        [T] mpsc::UnboundedReceiver<T>;
        [T] oneshot::Sender<T>;
        [T] oneshot::Receiver<T>;
        [T] watch::Sender<T>;
        [T] watch::Receiver<T>;
        [T] broadcast::Sender<T>;
        [T] broadcast::Receiver<T>;
        [T] JoinHandle<T>;
        [T] JoinSet<T>;
    }
}

#[cfg(feature = "rand")]
mod of_rand {
    use rand::rngs::{SysRng, ThreadRng};

    use super::refuse;

    refuse! { Outside:
        [] ThreadRng;
        [] SysRng;
    }
}

#[cfg(feature = "dashmap")]
mod of_dashmap {
    use dashmap::{DashMap, DashSet};

    use super::refuse;

    refuse! { Shuffled:
        [K, V, S] DashMap<K, V, S>;
        [K, S] DashSet<K, S>;
    }
}

#[cfg(feature = "parking_lot")]
mod of_parking_lot {
    use parking_lot::{Condvar, Mutex, Once, RwLock};

    use super::refuse;

    refuse! { Outside:
        [T: ?Sized] Mutex<T>;
        [T: ?Sized] RwLock<T>;
        [] Condvar;
        [] Once;
    }
}
