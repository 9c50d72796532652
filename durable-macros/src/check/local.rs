//! What cannot run in the turn that asks for it.

use crate::args::ActivityArgs;
use crate::mistakes::Mistakes;
use crate::model::Function;

/// `local` beside what only a queue can do.
pub(crate) fn check(function: &Function, args: &ActivityArgs, mistakes: &mut Mistakes) {
    let Some(local) = &args.local else { return };
    let reason = if !function.is_async() {
        "is not `async`, and would stop all that runs beside it; make it `async`"
    } else if args.tag.is_some() {
        "has a `tag`, and goes to who serves it"
    } else if args.concurrent_max.is_some() {
        "has a cap by `max_concurrent`, and may have to wait"
    } else {
        return;
    };
    mistakes.at(local, format!("this activity {reason}; or take `local` out: it goes through the queue"));
}
