//! Types that cross must be written in the same order in every run.
//!
//! The entries of a `HashMap` are keys of a JSON object, and objects are compared without regard to order. A `HashSet`
//! becomes an array, and its order stays. One that stands in a field of the user's types cannot be seen from here: every
//! turn is run twice in debug builds, and finds it.

use std::collections::{HashSet, VecDeque};
use std::marker::PhantomData;

/// It is written in the same order in every run. Nothing that is [`HoldsSet`] meets this.
#[diagnostic::on_unimplemented(
    message = "the order of `{Self}` changes from run to run, and what is stored keeps it; use a `BTreeSet` (DUR0701)",
    label = "stored in an order that no replay repeats"
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
