//! What values the code of an orchestration may not use, told apart by the compiler.
//!
//! The macro cannot see types. So where a method has a suspicious name, or a loop begins, it asks [`Probed`] about the
//! value. The question is a method: an inherent one for the types refused, with a bound that nothing meets, so that
//! the compiler prints its message; and one of a trait for all others, which the compiler takes if there is no
//! inherent one. Aliases hide nothing from this, and a type of the user's with the same methods passes.

mod crates;
mod crossing;
mod standard;

pub use self::crossing::{Crossing, Orderly};

use std::cell::{Ref, RefMut};
use std::rc::Rc;
use std::sync::Arc;

/// Iterating over it gives the same order in every run. Nothing that is [`Shuffled`] meets this.
#[diagnostic::on_unimplemented(
    message = "the order of `{Self}` changes from run to run; use a `BTreeMap` or `BTreeSet`, or sort it with `durable_runtime::sorted` (DUR0701)",
    label = "in an order that no replay repeats"
)]
pub trait Ordered {}

/// Using it does the same in every run. Nothing that is [`Outside`] meets this.
#[diagnostic::on_unimplemented(
    message = "a value of type `{Self}` is not the same in a replay; use what the context offers, or move it into an `#[activity]` (DUR0702)",
    label = "nothing records what this does"
)]
pub trait Repeatable {}

/// What has another order in every run.
pub trait Shuffled {}

/// What answers by what happens elsewhere.
pub trait Outside {}

/// What reads a clock to say how much time has passed.
pub trait Timed {}

/// What points to a value is asked about like the value.
macro_rules! through {
    ($($pointer:ty),*) => {$(
        impl<T: ?Sized + Shuffled> Shuffled for $pointer {}
        impl<T: ?Sized + Outside> Outside for $pointer {}
        impl<T: ?Sized + Timed> Timed for $pointer {}
    )*};
}

through! { &T, &mut T, Box<T>, Rc<T>, Arc<T>, Ref<'_, T>, RefMut<'_, T> }

/// A value that is asked about.
pub struct Probed<'a, T: ?Sized>(&'a T);

impl<'a, T: ?Sized> Probed<'a, T> {
    /// Asks about this one.
    pub const fn new(value: &'a T) -> Self {
        Self(value)
    }
}

impl<T: ?Sized + Shuffled> Probed<'_, T> {
    /// No.
    pub fn iterates(&self)
    where
        T: Ordered,
    {
    }
}

impl<T: ?Sized + Outside> Probed<'_, T> {
    /// No.
    pub fn uses(&self)
    where
        T: Repeatable,
    {
    }
}

impl<T: ?Sized + Timed> Probed<'_, T> {
    /// No.
    pub fn elapses(&self)
    where
        T: Repeatable,
    {
    }
}

/// The answers for everything that is not refused.
pub trait Harmless {
    /// It may be iterated over.
    fn iterates(&self) {}

    /// It may be used.
    fn uses(&self) {}

    /// It may be asked how much time has passed.
    fn elapses(&self) {}
}

impl<T: ?Sized> Harmless for Probed<'_, T> {}

/// The value, after the question about it.
pub fn after<T>((): (), value: T) -> T {
    value
}

/// `marker: [generics] type; ..`
macro_rules! refuse {
    ($marker:ident: $([$($generic:tt)*] $refused:ty;)*) => {$(
        impl<$($generic)*> $crate::probes::$marker for $refused {}
    )*};
}

use refuse;
