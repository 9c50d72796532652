//! How many activities of one name, or of one tag, run here at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What is capped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Capped {
    /// The activities of this name.
    Name(String),
    /// The activities with this tag.
    Tag(String),
}

/// The caps of a runtime, and how far they are used.
#[derive(Default)]
pub(super) struct Caps {
    most: BTreeMap<Capped, usize>,
    running: Mutex<BTreeMap<Capped, usize>>,
    freed: Notify,
}

/// What may be asked for now.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Room {
    pub(super) topics: Arc<[String]>,
    pub(super) tags: Arc<[String]>,
    /// So many of them at once fit under every cap.
    pub(super) max: usize,
    /// Whether something was left out because its cap is reached.
    pub(super) partial: bool,
}

/// A place under the caps of one activity; free again when it is dropped.
pub(super) struct CapPlace {
    caps: Arc<Caps>,
    taken: Vec<Capped>,
}

impl Caps {
    pub(super) fn new(most: BTreeMap<Capped, usize>) -> Self {
        Self { most, ..Self::default() }
    }

    /// What fits, of all that this runtime can do.
    pub(super) fn room(&self, topics: &Arc<[String]>, tags: &Arc<[String]>) -> Room {
        let mut max = usize::MAX;
        if self.most.is_empty() {
            return Room { topics: Arc::clone(topics), tags: Arc::clone(tags), max, partial: false };
        }
        let running = self.running();
        let mut fits = |capped: Capped| {
            let Some(most) = self.most.get(&capped) else { return true };
            let free = most.saturating_sub(running.get(&capped).copied().unwrap_or(0));
            // What is full is left out; of the rest none may be taken beyond its cap.
            if free > 0 {
                max = max.min(free);
            }
            free > 0
        };
        let fitting_topics: Vec<String> =
            topics.iter().filter(|topic| fits(Capped::Name((*topic).clone()))).cloned().collect();
        let fitting_tags: Vec<String> = tags.iter().filter(|tag| fits(Capped::Tag((*tag).clone()))).cloned().collect();
        let partial = fitting_topics.len() < topics.len() || fitting_tags.len() < tags.len();
        Room { topics: fitting_topics.into(), tags: fitting_tags.into(), max, partial }
    }

    /// Whether there is a cap for this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.most.keys().any(|capped| matches!(capped, Capped::Name(capped) if capped == name))
    }

    /// Takes a place for an activity that was handed out.
    pub(super) fn take(self: &Arc<Self>, name: &str, tag: Option<&str>) -> Option<CapPlace> {
        let wanted = [Some(Capped::Name(name.to_owned())), tag.map(|tag| Capped::Tag(tag.to_owned()))];
        let taken: Vec<Capped> = wanted.into_iter().flatten().filter(|capped| self.most.contains_key(capped)).collect();
        if taken.is_empty() {
            return None;
        }
        let mut running = self.running();
        for capped in &taken {
            *running.entry(capped.clone()).or_default() += 1;
        }
        Some(CapPlace { caps: Arc::clone(self), taken })
    }

    /// Waits until a place has become free since the last call.
    pub(super) async fn freed(&self) {
        self.freed.notified().await;
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<Capped, usize>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CapPlace {
    fn drop(&mut self) {
        let mut running = self.caps.running();
        for capped in &self.taken {
            if let Some(count) = running.get_mut(capped) {
                *count = count.saturating_sub(1);
            }
        }
        drop(running);
        self.caps.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Arc<[String]> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    #[test]
    fn what_is_full_is_left_out_and_the_rest_stays_under_its_caps() {
        let most = [(Capped::Name("charge".into()), 2), (Capped::Tag("gpu".into()), 1)];
        let caps = Arc::new(Caps::new(most.into()));
        let (topics, tags) = (texts(&["charge", "pack"]), texts(&["gpu", "other"]));
        let room = |caps: &Caps| caps.room(&topics, &tags);
        assert_eq!(room(&caps), Room { topics: topics.clone(), tags: tags.clone(), max: 1, partial: false });
        let first = caps.take("charge", Some("gpu")).unwrap();
        assert_eq!(room(&caps), Room { topics: topics.clone(), tags: texts(&["other"]), max: 1, partial: true });
        let second = caps.take("charge", None).unwrap();
        assert_eq!(
            room(&caps),
            Room { topics: texts(&["pack"]), tags: texts(&["other"]), max: usize::MAX, partial: true }
        );
        assert!(caps.take("pack", Some("other")).is_none());
        drop(first);
        assert_eq!(room(&caps), Room { topics: topics.clone(), tags: tags.clone(), max: 1, partial: false });
        drop(second);
        assert_eq!(room(&caps).max, 1);
    }
}
