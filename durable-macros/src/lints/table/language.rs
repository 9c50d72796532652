//! Parts of the language itself: what no list of paths could say, and what goes around it.

use super::{AN_ACTIVITY, Row};

/// Rules about the form of the code.
pub(super) const OF_FORM: &[Row] = &[UNSAFE, STATIC, ASYNC_CLOSURE, UNKNOWN_MACRO];

/// Rules that the types decide: the compiler finds what breaks them, and the runtime has their messages.
pub(super) const OF_TYPES: &[Row] = &[HASH_ORDER, OUTSIDE_VALUE];

/// A loop over a hash table, or one of its iterators.
const HASH_ORDER: Row = Row::new(
    ("DUR0701", "hash_order"),
    &[],
    "has an order that changes from run to run",
    "use a `BTreeMap` or `BTreeSet`, or sort it with `durable_runtime::sorted`",
);

/// A clock, lock, atomic, thread local or channel, wherever it comes from.
const OUTSIDE_VALUE: Row = Row::new(
    ("DUR0702", "outside_value"),
    &[],
    "is not the same in a replay",
    "use what the context offers, or move it into an `#[activity]`",
);

/// `unsafe` in a body.
pub(crate) const UNSAFE: Row = Row::new(
    ("DUR0601", "unsafe_code"),
    &[],
    "can do what no rule sees, and what a replay does not repeat",
    AN_ACTIVITY,
);

/// A `static` in a body.
pub(crate) const STATIC: Row = Row::new(
    ("DUR0602", "static_item"),
    &[],
    "keeps what it holds from one run to the next, and a replay finds something else in it",
    "write `const`, or use a local variable",
);

/// `async |x| ..`
pub(crate) const ASYNC_CLOSURE: Row = Row::new(
    ("DUR0605", "async_closure"),
    &[],
    "makes a future whose awaits cannot be checked",
    "write `|..| async move { .. }`",
);

/// A macro whose expansion nobody sees.
pub(crate) const UNKNOWN_MACRO: Row = Row::new(
    ("DUR0606", "unknown_macro"),
    &[],
    "expands to code that no rule has seen",
    "write the code itself; or vouch for the macro with `macros(..)` in the attribute of the function",
);

/// Where a value is in memory: paths, and `as *const`, `&raw`, `{:p}`, `.as_ptr()`.
pub(crate) const ADDRESS: Row = Row::new(
    ("DUR0604", "address"),
    &[
        "std::ptr::*",
        "std::rc::Rc::as_ptr",
        "std::sync::Arc::as_ptr",
        "std::rc::Weak::as_ptr",
        "std::sync::Weak::as_ptr",
    ],
    "is an address, which is another when this code is replayed",
    "compare values, not where they are",
)
.except(&["std::ptr::null", "std::ptr::null_mut"]);

pub(super) const ROWS: &[Row] = &[
    ADDRESS,
    Row::new(
        ("DUR0603", "catch_unwind"),
        &["std::panic::catch_unwind", "std::panic::set_hook", "std::panic::take_hook", "std::panic::resume_unwind"],
        "hides a bug from the runtime, which suspends the instance until it is mended",
        "return an error",
    ),
    Row::new(
        ("DUR0607", "code_location"),
        &["std::backtrace::*", "std::panic::Location::caller"],
        "is a place in this build, and another build that replays this code has others",
        "take what you need as an argument",
    ),
    Row::new(
        ("DUR0608", "allocator"),
        &["std::alloc::*", "std::arch::*", "std::intrinsics::*"],
        "asks this machine, and another one may replay this code",
        AN_ACTIVITY,
    )
    .except(&["std::alloc::Layout"]),
];
