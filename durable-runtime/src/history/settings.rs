//! How an activity is to be run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::retry::{RetryPolicy, optional_millis};

/// How an activity is to be run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ActivitySettings {
    /// How often it is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// How long one attempt may take.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub timeout: Option<Duration>,
    /// How long it may be silent.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub heartbeat_timeout: Option<Duration>,
    /// How long it may wait for its first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub schedule_to_start: Option<Duration>,
    /// How long it may take in all, waits and attempts together.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "optional_millis")]
    pub schedule_to_close: Option<Duration>,
    /// Which workers may take it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// With which others it runs in one process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whether its first attempt runs in the turn that asks for it, where that is possible.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
}

impl ActivitySettings {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
