//! What a worker can do.

use std::collections::BTreeSet;

use crate::ids::InstanceId;

/// What a worker can do: turns that need something else are passed over without being leased.
///
/// What an instance needs is said by one of its labels. An instance without that label needs what the topics of its
/// visible messages say; if they say nothing, anybody can take it. A visible message whose topic is one of the values is
/// always enough, whatever the label says. All of these are texts that a store compares and does not understand.
///
/// ```
/// use durable_runtime::InstanceId;
/// use durable_runtime::providers::Skills;
///
/// let order = InstanceId::new("order-42")?;
/// let skills = Skills::new("needs", ["bake", "knead", "end"]);
/// assert!(skills.suffice(&order, Some("bake"), [""]));
/// assert!(!skills.suffice(&order, Some("weld"), [""]));
/// assert!(skills.suffice(&order, Some("weld"), ["", "knead"]));
/// assert!(skills.suffice(&order, None, [""]) && !skills.suffice(&order, None, ["weld"]));
///
/// let skills = skills.leaving_alone([order.clone()], "end");
/// assert!(!skills.suffice(&order, Some("bake"), ["knead"]));
/// assert!(skills.suffice(&order, Some("bake"), ["end"]));
/// # Ok::<(), durable_runtime::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skills {
    label: String,
    values: BTreeSet<String>,
    left_alone: BTreeSet<InstanceId>,
    unless: Option<String>,
}

impl Skills {
    /// Takes the name of the label, and all of its values that this worker can do.
    pub fn new<V: Into<String>>(label: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self { label: label.into(), values, left_alone: BTreeSet::new(), unless: None }
    }

    /// These instances are not for this worker, whatever they need, unless one of their visible messages has this topic.
    #[must_use]
    pub fn leaving_alone(self, instances: impl IntoIterator<Item = InstanceId>, unless: impl Into<String>) -> Self {
        Self { left_alone: instances.into_iter().collect(), unless: Some(unless.into()), ..self }
    }

    /// The label that says what an instance needs.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What this worker can do.
    pub fn values(&self) -> &BTreeSet<String> {
        &self.values
    }

    /// The instances that are not for this worker.
    pub fn left_alone(&self) -> &BTreeSet<InstanceId> {
        &self.left_alone
    }

    /// The topic of the messages for which this worker takes even those.
    pub fn unless(&self) -> Option<&str> {
        self.unless.as_deref()
    }

    /// Whether they are enough for an instance whose label has this value, with visible messages of these topics.
    pub fn suffice<'a>(
        &self,
        instance: &InstanceId,
        needed: Option<&str>,
        topics: impl IntoIterator<Item = &'a str>,
    ) -> bool {
        if self.left_alone.contains(instance) {
            return topics.into_iter().any(|topic| self.unless() == Some(topic));
        }
        self.cover(needed, topics)
    }

    /// Whether they are enough for any instance with this label and these topics that is not left alone.
    pub(crate) fn cover<'a>(&self, needed: Option<&str>, topics: impl IntoIterator<Item = &'a str>) -> bool {
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
