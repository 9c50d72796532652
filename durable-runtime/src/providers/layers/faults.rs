//! Which faults there are, and how often each happens to which call.

use std::collections::BTreeMap;

use super::around::Operation;

/// What can go wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The clock of the store jumps by up to five minutes or by a day, forth or back, and the call is made then. Only
    /// with [`Faulty::shifting`](super::Faulty::shifting).
    ClockShift,
    /// The call reaches the store a while later; others pass it.
    Delay,
    /// As `Delay`, but until another call has overtaken it, if one comes.
    Reorder,
    /// The call does not reach the store, and trying again does not help.
    Permanent,
    /// The call does not reach the store.
    ErrorBefore,
    /// The call reaches the store twice, and the second answer counts. Not for fetches: no store hands out a lease twice.
    Duplicate,
    /// The call reaches the store, and its answer is lost. What a fetch has leased stays leased until that ends.
    ErrorAfter,
}

/// How often each fault happens: none, until some are named.
///
/// ```
/// use durable_runtime::providers::{Fault, Faults, Operation};
///
/// let faults = Faults::none().everywhere(Fault::ErrorBefore, 0.1).on(Operation::Commit, Fault::ErrorAfter, 0.25);
/// assert_eq!(faults.rate(Operation::Commit, Fault::ErrorAfter), 0.25);
/// assert_eq!(faults.rate(Operation::Renew, Fault::ErrorAfter), 0.0);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Faults(BTreeMap<(Operation, Fault), f64>);

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// All that a client behind [`Retrying`](super::Retrying) must not notice, except by the time it takes: errors before
    /// any call, lost answers and doubles of transactions and reads, delays and another order of transactions.
    pub fn bearable(rate: f64) -> Self {
        let mut faults = Self::none().everywhere(Fault::ErrorBefore, rate);
        for fault in [Fault::ErrorAfter, Fault::Duplicate, Fault::Delay, Fault::Reorder] {
            faults = faults.on(Operation::Commit, fault, rate);
        }
        for operation in Operation::ALL.iter().filter(|operation| operation.is_read()) {
            faults = faults.on(*operation, Fault::ErrorAfter, rate).on(*operation, Fault::Duplicate, rate);
        }
        faults
    }

    /// This part of these calls, from 0.0 to 1.0.
    #[must_use]
    pub fn on(mut self, operation: Operation, fault: Fault, rate: f64) -> Self {
        self.0.insert((operation, fault), rate);
        self
    }

    /// This part of all calls.
    #[must_use]
    pub fn everywhere(self, fault: Fault, rate: f64) -> Self {
        Operation::ALL.iter().fold(self, |faults, operation| faults.on(*operation, fault, rate))
    }

    /// The part of these calls to which this happens.
    pub fn rate(&self, operation: Operation, fault: Fault) -> f64 {
        self.0.get(&(operation, fault)).copied().unwrap_or_default()
    }
}
