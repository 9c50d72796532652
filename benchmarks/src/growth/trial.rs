//! A fresh store for one look at what grows.

use std::path::Path;

use durable_workloads::{Engine as _, Figures, Line, RawFlushes, Result, disk_bytes, millis};
use serde_json::json;
use tempfile::TempDir;

use crate::ours::{Ours, Settings};
use crate::store::Place;

pub(super) struct Trial {
    name: String,
    pub(super) settings: Settings,
    folder: TempDir,
    raw: RawFlushes,
    parts: Vec<(String, usize, Figures)>,
}

impl Trial {
    pub(super) fn new(name: &str, place: Place) -> Result<Self> {
        let folder = TempDir::new()?;
        let raw = RawFlushes::before(folder.path())?;
        Ok(Self { name: format!("growth-{name}"), settings: Settings::of(place), folder, raw, parts: Vec::new() })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The engine on the store, with what it was left with before.
    pub(super) async fn open(&self) -> Result<Ours> {
        Ours::open(&self.settings, self.folder()).await
    }

    /// Another store of the same kind, in the place of the one before.
    pub(super) fn begin_anew(&mut self) -> Result {
        self.folder = TempDir::new()?;
        Ok(())
    }

    pub(super) fn store_bytes(&self) -> Result<f64> {
        if self.settings.place.persists() { Ok(disk_bytes(&self.folder().join("store"))? as f64) } else { Ok(0.0) }
    }

    /// What was found at this size.
    pub(super) fn found<const N: usize>(&mut self, part: String, size: usize, figures: [(&str, f64); N]) {
        let figures = figures.into_iter().map(|(name, figure)| (name.to_owned(), figure)).collect();
        self.parts.push((part, size, figures));
    }

    /// A line for each size.
    pub(super) fn lines(self) -> Result<Vec<Line>> {
        let raw = self.raw.after()?;
        let line = |(part, size, mut figures): (String, usize, Figures)| {
            if let Some(each) = figures.get("ms_per_activity").copied() {
                figures.insert("in_raw_flushes".to_owned(), each / millis(raw));
            }
            Line::new(&self.name, Ours::about(&self.settings), json!({ "size": size }), raw, figures).part(part)
        };
        Ok(self.parts.into_iter().map(line).collect())
    }
}
