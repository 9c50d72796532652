//! Types that cross must have the same order in every run.
//!
//! A `HashSet` is refused as an argument, output, error, or field of an event. One that stands in a field of another of the
//! user's types cannot be seen from here; it is written sorted (`payload::ordered`), as a `HashMap` is.

use std::collections::{HashSet, VecDeque};
use std::marker::PhantomData;

/// It has the same order in every run. Nothing that is [`HoldsSet`] meets this.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has another order in every run, and an orchestration would see it; use a `BTreeSet` (DUR0701)",
    label = "an order that no replay repeats"
)]
pub trait Stable {}

/// A hash set, or what holds one.
pub trait HoldsSet {}

impl<T, S> HoldsSet for HashSet<T, S> {}
impl<T: HoldsSet> HoldsSet for Vec<T> {}
impl<T: HoldsSet> HoldsSet for VecDeque<T> {}
impl<T: HoldsSet> HoldsSet for Option<T> {}
impl<T: HoldsSet> HoldsSet for Box<T> {}
impl<T: HoldsSet, const N: usize> HoldsSet for [T; N] {}

/// A type that is asked about.
pub struct Crossing<T>(PhantomData<T>);

impl<T> Crossing<T> {
    /// Nothing is needed to ask.
    pub const NEW: Self = Self(PhantomData);
}

impl<T: HoldsSet> Crossing<T> {
    /// No.
    pub fn in_order(&self)
    where
        T: Stable,
    {
    }
}

/// The answer for all other types.
pub trait Orderly {
    /// Yes.
    fn in_order(&self) {}
}

impl<T> Orderly for Crossing<T> {}
