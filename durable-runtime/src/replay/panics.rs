//! Panics of user code: caught, with message and place, and kept out of standard error.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use crate::history::{Failure, Place};

thread_local! {
    /// Some(..) while user code runs on this thread; then the place of its panic.
    static WATCH: RefCell<Watch> = const { RefCell::new(Watch::Off) };
}

enum Watch {
    Off,
    On,
    Panicked(Place),
}

static HOOK: Once = Once::new();

/// Adds to the hook of the process: a panic of watched code is noted, every other goes to the hook that was there.
pub(crate) fn install_hook() {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !note(info.location()) {
                before(info);
            }
        }));
    });
}

fn note(location: Option<&panic::Location<'_>>) -> bool {
    let noted = WATCH.try_with(|watch| {
        let mut watch = watch.borrow_mut();
        let watched = !matches!(*watch, Watch::Off);
        if let (Watch::On, Some(location)) = (&*watch, location) {
            *watch = Watch::Panicked(Place { file: location.file().to_owned().into(), line: location.line() });
        }
        watched
    });
    noted.unwrap_or(false)
}

/// Runs user code; a panic becomes a failure.
pub(crate) fn catch<R>(run: impl FnOnce() -> R) -> Result<R, Failure> {
    let before = WATCH.replace(Watch::On);
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    let after = WATCH.replace(before);
    result.map_err(|payload| {
        let message = message_of(payload.as_ref());
        // The payload is the user's; dropping it can panic again.
        let _ = panic::catch_unwind(AssertUnwindSafe(|| drop(payload)));
        Failure::Panicked { message, place: if let Watch::Panicked(place) = after { Some(place) } else { None } }
    })
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is not a text".to_owned())
}
