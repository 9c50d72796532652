//! What a worker can do.

use std::collections::BTreeSet;

/// What a worker can do: turns that need something else are passed over without being leased.
///
/// What an instance needs is said by one of its labels. An instance without that label needs what the topics of its
/// visible messages say; if they say nothing, anybody can take it. A visible message whose topic is one of the values is
/// always enough, whatever the label says. All of these are texts that a store compares and does not understand.
///
/// ```
/// use durable_runtime::providers::Skills;
///
/// let skills = Skills::new("needs", ["bake", "knead"]);
/// assert!(skills.suffice(Some("bake"), [""]));
/// assert!(!skills.suffice(Some("weld"), [""]));
/// assert!(skills.suffice(Some("weld"), ["", "knead"]));
/// assert!(skills.suffice(None, [""]) && !skills.suffice(None, ["weld"]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skills {
    label: String,
    values: BTreeSet<String>,
}

impl Skills {
    /// Takes the name of the label, and all of its values that this worker can do.
    pub fn new<V: Into<String>>(label: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { label: label.into(), values: values.into_iter().map(Into::into).collect() }
    }

    /// The label that says what an instance needs.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What this worker can do.
    pub fn values(&self) -> &BTreeSet<String> {
        &self.values
    }

    /// Whether they are enough for an instance whose label has this value, with visible messages of these topics.
    pub fn suffice<'a>(&self, needed: Option<&str>, topics: impl IntoIterator<Item = &'a str>) -> bool {
        let mut silent = true;
        for topic in topics.into_iter().filter(|topic| !topic.is_empty()) {
            if self.values.contains(topic) {
                return true;
            }
            silent = false;
        }
        needed.map_or(silent, |needed| self.values.contains(needed))
    }
}
