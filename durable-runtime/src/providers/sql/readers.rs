//! Threads that read beside the writer, each with a connection of its own.
//!
//! Own threads and not those of tokio: a read may wait for the disk, which must not hold up tasks, and the crate has to
//! work where there is no runtime. Few, since reads are short and the writer is what limits a store.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::session::{Session, Sql, SqlError};
use crate::providers::waiters::locked;
use crate::providers::{ErrorKind, ProviderError};

const THREADS: usize = 2;

type Read = Box<dyn FnOnce(Result<&mut dyn Session, SqlError>) + Send>;
/// Opens a connection.
pub(super) type Connect = dyn Fn() -> Result<Box<dyn Session>, SqlError> + Send + Sync;

#[derive(Default)]
struct State {
    reads: VecDeque<Read>,
    closing: bool,
}

/// What waits for a reader.
#[derive(Default)]
pub(super) struct Readers {
    state: Mutex<State>,
    bell: Condvar,
}

impl Readers {
    /// Starts the threads.
    pub(super) fn start(self: &Arc<Self>, connect: &Arc<Connect>) -> std::io::Result<Vec<JoinHandle<()>>> {
        let thread = |_| {
            let (readers, connect) = (self.clone(), connect.clone());
            let run = move || readers.run(&*connect);
            std::thread::Builder::new().name("durable-read".to_owned()).spawn(run)
        };
        (0..THREADS).map(thread).collect()
    }

    /// Reads one state of the store.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        operation: &'static str,
        read: impl FnOnce(&mut Sql<'_>) -> Result<T, ProviderError> + Send + 'static,
    ) -> Result<T, ProviderError> {
        let (reply, answer) = oneshot::channel();
        let read: Read = Box::new(move |session| {
            if reply.is_closed() {
                return;
            }
            let read = |session| read(&mut Sql { session, operation });
            let _gone = reply.send(session.map_err(|error| error.during(operation)).and_then(read));
        });
        self.push(read).map_err(|error| error.during(operation))?;
        answer.await.unwrap_or_else(|_| Err(ProviderError::new(ErrorKind::Unavailable, operation, "the read panicked")))
    }

    fn push(&self, read: Read) -> Result<(), SqlError> {
        let mut state = locked(&self.state);
        if state.closing {
            return Err(SqlError::closed());
        }
        state.reads.push_back(read);
        self.bell.notify_one();
        Ok(())
    }

    /// Nothing is taken on any more; what was is finished.
    pub(super) fn close(&self) {
        locked(&self.state).closing = true;
        self.bell.notify_all();
    }

    fn next(&self) -> Option<Read> {
        let waits = |state: &mut State| state.reads.is_empty() && !state.closing;
        let state = locked(&self.state);
        let mut state = self.bell.wait_while(state, waits).unwrap_or_else(PoisonError::into_inner);
        state.reads.pop_front()
    }

    fn run(&self, connect: &Connect) {
        let mut session = None;
        while let Some(read) = self.next() {
            let ended = catch_unwind(AssertUnwindSafe(|| run_one(&mut session, connect, read)));
            if ended.is_err() {
                tracing::error!("a read panicked");
                session = None;
            }
        }
    }
}

fn run_one(session: &mut Option<Box<dyn Session>>, connect: &Connect, read: Read) {
    if session.is_none() {
        match connect() {
            Ok(fresh) => *session = Some(fresh),
            Err(error) => return read(Err(error)),
        }
    }
    let Some(open) = session else { return };
    match open.begin_read() {
        Ok(()) => {
            read(Ok(&mut **open));
            open.roll_back();
        }
        Err(error) => {
            read(Err(error));
            *session = None;
        }
    }
}
