//! Silence: what code says while it runs over what is recorded was said before.

use std::sync::OnceLock;

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber, dispatcher};

/// Hears everything and keeps nothing.
///
/// `tracing` keeps the interest of all subscribers in each place of code. So this one says `always`, which takes nothing
/// away from the others, and not `never`, by which a line that is first met in a replay would stay silent for good. It
/// asks for no level, so that what is off stays off without being asked.
struct Silence;

impl Subscriber for Silence {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::always()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(u64::MAX)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Runs code whose events and spans go nowhere.
pub(crate) fn silently<R>(run: impl FnOnce() -> R) -> R {
    static SILENCE: OnceLock<Dispatch> = OnceLock::new();
    dispatcher::with_default(SILENCE.get_or_init(|| Dispatch::new(Silence)), run)
}
