//! What is done to a store from time to time, beside using it.

use std::fmt;
use std::path::Path;

use async_trait::async_trait;

use super::{Provider, ProviderError};
use crate::ids::InstanceId;

/// A store in files that can be looked through, copied and made small while it is used.
#[async_trait]
pub trait Maintain: Provider {
    /// Reads every record and says which are damaged or missing. Others go on meanwhile.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read at all; what is damaged is an answer, no error.
    async fn doctor(&self) -> Result<Checkup, ProviderError>;

    /// Copies the store to this path, where nothing may be yet: all that was acknowledged when it ends, or nothing.
    /// Others go on meanwhile. The copy is a store: it can be opened, and restored from.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be read or the copy not be written; there is no copy then.
    async fn backup(&self, to: &Path) -> Result<(), ProviderError>;

    /// Gives back to the disk what is not needed any more.
    ///
    /// # Errors
    /// [`ProviderError`] if the store cannot be written.
    async fn compact(&self) -> Result<(), ProviderError>;
}

/// What a look through a store has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checkup {
    /// How many records were read.
    pub records: u64,
    /// What is wrong, in the order of the store; the first thousand.
    pub findings: Vec<Finding>,
    /// How many more there are.
    pub more: u64,
}

/// A record that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// Whose record it is, if that can be told.
    pub instance: Option<InstanceId>,
    /// Which record it is.
    pub record: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Checkup {
    const FINDINGS_MAX: usize = 1_000;

    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }

    pub(super) fn add(&mut self, instance: Option<&InstanceId>, record: impl Into<String>, problem: impl fmt::Display) {
        if self.findings.len() >= Self::FINDINGS_MAX {
            self.more += 1;
            return;
        }
        let (record, problem) = (record.into(), problem.to_string());
        self.findings.push(Finding { instance: instance.cloned(), record, problem });
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(instance) = &self.instance {
            write!(f, "instance `{instance}`: ")?;
        }
        write!(f, "{}: {}", self.record, self.problem)
    }
}

impl fmt::Display for Checkup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} records, {} damaged", self.records, self.findings.len() as u64 + self.more)?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n{finding}"))
    }
}
