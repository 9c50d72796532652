//! Clients and handles: starting instances, talking to them, asking about them.

mod changes;
mod errors;
mod handle;
mod kv;
mod list;
mod messages;
mod operations;
mod pending;
mod raise;
mod start;

use std::sync::Arc;

pub use self::errors::{ListError, MessageError, ReadError, ResultError, StartError};
pub use self::handle::Handle;
pub use self::list::{InstanceList, InstanceListPage};
pub use self::operations::Restart;
pub use self::raise::Raise;
pub use self::start::{StartNamed, StartRequest};
use crate::dispatch::Door;
use crate::ids::{IdError, InstanceId};
use crate::limits::Limits;
use crate::observe::TraceContext;
use crate::orchestration::Orchestration;
use crate::providers::Provider;

/// Starts instances, talks to them, and asks about them. Cheap to clone.
///
/// A client of a [`Runtime`](crate::Runtime) reaches instances through it, so that a start or an event and the turn
/// it causes are kept by one transaction. A client made by [`Client::new`] only has the store: what it asks for
/// waits there until a runtime takes it.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
    /// What its starts belong to, if nothing else is said.
    trace: Option<TraceContext>,
}

/// Finds the trace that the caller of a client is in.
pub(crate) type TraceSource = Arc<dyn Fn() -> Option<TraceContext> + Send + Sync>;

struct Inner {
    provider: Arc<dyn Provider>,
    door: Option<Arc<Door>>,
    limits: Limits,
    trace_source: Option<TraceSource>,
}

impl Client {
    /// A client of a store, without a runtime.
    pub fn new(store: impl Provider) -> Self {
        let (provider, limits) = (Arc::new(store), Limits::default());
        Self { inner: Arc::new(Inner { provider, door: None, limits, trace_source: None }), trace: None }
    }

    pub(crate) fn of_runtime(
        provider: Arc<dyn Provider>,
        door: Arc<Door>,
        limits: Limits,
        trace_source: Option<TraceSource>,
    ) -> Self {
        Self { inner: Arc::new(Inner { provider, door: Some(door), limits, trace_source }), trace: None }
    }

    /// The same client, whose starts belong to this trace.
    pub(crate) fn within(mut self, trace: Option<TraceContext>) -> Self {
        self.trace = trace;
        self
    }

    /// What a start belongs to.
    fn trace(&self) -> Option<TraceContext> {
        self.trace.clone().or_else(|| self.inner.trace_source.as_ref()?())
    }

    /// A handle to an instance of this orchestration. Asks nothing of the store: the instance need not exist yet.
    ///
    /// # Errors
    /// [`IdError`] if the text cannot be an id.
    pub fn handle<O: Orchestration>(&self, id: impl AsRef<str>) -> Result<Handle<O>, IdError> {
        Ok(Handle::new(self.clone(), InstanceId::new(id)?))
    }

    pub(crate) fn provider(&self) -> &Arc<dyn Provider> {
        &self.inner.provider
    }

    pub(crate) fn door(&self) -> Option<&Arc<Door>> {
        self.inner.door.as_ref()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.inner.limits
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("store", &self.provider().capabilities().name).finish_non_exhaustive()
    }
}
