//! What must not hang.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Runs this on a thread of its own, and answers with what it answers within five seconds: by a watch that stands still
/// where the machine has no time for anybody.
pub(super) fn within_five_seconds<T, F>(case: &str, work: impl FnOnce() -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(block_on(work())));
    for _ in 0..50 {
        match told.recv_timeout(Duration::from_millis(100)) {
            Ok(answer) => return answer,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => panic!("{case}: it panicked"),
        }
    }
    panic!("{case}: it hangs")
}

pub(super) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}
