//! How far a workload is, on a terminal; nothing elsewhere.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar that hides itself where nobody watches.
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar over so many steps.
    pub fn new(what: impl Into<String>, steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64).with_message(what.into());
        let style = ProgressStyle::with_template("{msg:30} {bar:30} {human_pos}/{human_len} {elapsed}");
        Self(style.map_or(bar.clone(), |style| bar.with_style(style)))
    }

    /// One step more.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// Says what comes now.
    pub fn say(&self, what: impl Into<String>) {
        self.0.set_message(what.into());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
