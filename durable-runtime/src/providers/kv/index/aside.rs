//! Instances that a worker was found not to be enough for: they stand aside, by what they need, so that whoever cannot do
//! one of them passes over all of its kind at once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::turns::Scheduled;
use crate::providers::Skills;

/// What instances need that stand aside together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// The label that was looked at.
    pub(super) label: String,
    /// Its value.
    pub(super) needed: Option<String>,
    /// The topics of what waits for them.
    pub(super) topics: BTreeSet<String>,
}

impl Kind {
    /// Whether these skills may be enough for one of them.
    pub(super) fn may_suit(&self, skills: &Skills) -> bool {
        self.suits_all_but_some(skills) || skills.unless().is_some_and(|topic| self.topics.contains(topic))
    }

    /// Whether they may be too few for one of them.
    pub(super) fn may_not_suit(&self, skills: &Skills) -> bool {
        !self.suits_all_but_some(skills) || !skills.left_alone().is_empty()
    }

    fn suits_all_but_some(&self, skills: &Skills) -> bool {
        skills.cover(self.needed.as_deref(), self.topics.iter().map(String::as_str))
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Aside {
    kinds: BTreeMap<Arc<Kind>, BTreeSet<Scheduled>>,
}

impl Aside {
    /// Puts one aside; answers with what kind it stands there.
    pub(super) fn insert(&mut self, kind: Kind, one: Scheduled) -> Arc<Kind> {
        let kind = self.kinds.get_key_value(&kind).map_or_else(|| Arc::new(kind), |(known, _)| known.clone());
        self.kinds.entry(kind.clone()).or_default().insert(one);
        kind
    }

    /// A kind that nobody is of any more is dropped.
    pub(super) fn remove(&mut self, kind: &Arc<Kind>, one: &Scheduled) {
        if let Some(of_kind) = self.kinds.get_mut(kind) {
            of_kind.remove(one);
            if of_kind.is_empty() {
                self.kinds.remove(kind);
            }
        }
    }

    /// Those that stand aside, kind by kind, of the kinds that are asked for.
    pub(super) fn of(&self, asked: impl Fn(&Kind) -> bool) -> impl Iterator<Item = &BTreeSet<Scheduled>> {
        self.kinds.iter().filter(move |(kind, _)| asked(kind)).map(|(_, of_kind)| of_kind)
    }
}
