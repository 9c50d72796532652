//! A result: what was run, on what, and the figures.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::engine::About;
use crate::machine::{load, millis};

/// Figures by name. The name ends with the unit; of names with `_per_s` more is better, of all others less.
pub type Figures = BTreeMap<String, f64>;

/// One line of JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    /// The workload.
    pub workload: String,
    /// Which part of the workload, if it has several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub part: String,
    /// The engine.
    pub engine: String,
    /// Its version.
    pub version: String,
    /// Its concurrency and durability.
    pub settings: Value,
    /// How much was run.
    pub options: Value,
    /// Release or debug.
    pub build: String,
    /// How many cores there are.
    pub cores: usize,
    /// Load average of the last minute, from elsewhere and from here.
    pub load_1min: f64,
    /// Raw append of 512 bytes and `fdatasync`, median of what was measured just before and just after.
    pub raw_flush_ms: f64,
    /// What was measured.
    pub figures: Figures,
    /// Why nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cannot: Option<String>,
    /// What went wrong, if it ended without figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// What is to be said beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

impl Line {
    /// A line with these figures.
    pub fn new(workload: &str, about: About, options: Value, raw_flush: Duration, figures: Figures) -> Self {
        Self {
            workload: workload.to_owned(),
            part: String::new(),
            engine: about.engine,
            version: about.version,
            settings: about.settings,
            options,
            build: if cfg!(debug_assertions) { "debug" } else { "release" }.to_owned(),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            load_1min: load(),
            raw_flush_ms: millis(raw_flush),
            figures,
            cannot: None,
            failed: None,
            remark: None,
        }
    }

    /// A run that ended with an error.
    #[must_use]
    pub fn failed(workload: &str, engine: &str, why: String) -> Self {
        let about = About { engine: engine.to_owned(), version: String::new(), settings: Value::Null };
        let line = Self::new(workload, about, Value::Null, Duration::ZERO, Figures::new());
        Self { failed: Some(why), ..line }
    }

    /// Whether anything was measured.
    pub fn is_measured(&self) -> bool {
        self.cannot.is_none() && self.failed.is_none()
    }

    /// The same, as a part of its workload.
    #[must_use]
    pub fn part(mut self, part: impl Into<String>) -> Self {
        self.part = part.into();
        self
    }
}
