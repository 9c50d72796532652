//! Which instances a list has: by their labels alone.

use std::collections::BTreeMap;

use super::InstanceRecord;
use crate::ids::InstanceId;

/// Which instances to list.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Only those with all of these labels.
    pub labels: Vec<(String, String)>,
    /// Only those that pass all of these.
    pub filters: Vec<LabelFilter>,
    /// Only those whose id comes after this one: the last of the page before.
    pub after: Option<InstanceId>,
    /// At most so many.
    pub limit: usize,
}

/// Something that is true of the labels of an instance, or not.
///
/// [`LabelFilter::Equals`] and [`LabelFilter::OneOf`] find instances by an index. The others are looked up for one
/// instance after the other: for all of them, unless one of those two stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LabelFilter {
    /// It has this label with this value.
    Equals {
        /// The label.
        name: String,
        /// Its value.
        value: String,
    },
    /// It has this label with one of these values.
    OneOf {
        /// The label.
        name: String,
        /// Its values.
        values: Vec<String>,
    },
    /// It has this label with a value that begins so.
    Prefix {
        /// The label.
        name: String,
        /// How its value begins.
        prefix: String,
    },
    /// It has this label with a value in this range, compared as text; so times and numbers need a fixed width.
    Between {
        /// The label.
        name: String,
        /// The least value.
        from: Option<String>,
        /// Every value is less than this.
        to: Option<String>,
    },
    /// It has this label.
    Exists {
        /// The label.
        name: String,
    },
    /// It does not have this label.
    Missing {
        /// The label.
        name: String,
    },
}

/// Some instances, ordered by id.
#[derive(Debug, Clone, Default)]
pub struct InstancePage {
    /// The instances.
    pub instances: Vec<InstanceRecord>,
    /// Instances between those whose record is damaged, so that nobody knows whether they match.
    pub damaged: Vec<DamagedInstance>,
    /// What to ask for the next page with; `None` if this was the last. A store may end a page early, even without any
    /// instance in it, when very many had to be passed that do not match; so only this tells whether there is more.
    pub next: Option<InstanceId>,
}

/// An instance whose record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedInstance {
    /// The instance. It can be deleted.
    pub instance: InstanceId,
    /// What is wrong with its record.
    pub damage: String,
}

impl LabelFilter {
    /// Whether it is true of these labels.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        match self {
            Self::Equals { name, value } => labels.get(name) == Some(value),
            Self::OneOf { name, values } => labels.get(name).is_some_and(|value| values.contains(value)),
            Self::Prefix { name, prefix } => labels.get(name).is_some_and(|value| value.starts_with(prefix)),
            Self::Between { name, from, to } => labels.get(name).is_some_and(|value| {
                from.as_ref().is_none_or(|from| from <= value) && to.as_ref().is_none_or(|to| value < to)
            }),
            Self::Exists { name } => labels.contains_key(name),
            Self::Missing { name } => !labels.contains_key(name),
        }
    }
}

impl PageRequest {
    /// Whether an instance with these labels is wanted.
    pub fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.iter().all(|(name, value)| labels.get(name) == Some(value))
            && self.filters.iter().all(|filter| filter.matches(labels))
    }

    /// What an index can find: for each such wish a label, and the values it may have, each once.
    pub(super) fn indexed(&self) -> Vec<(&str, Vec<&str>)> {
        let given = self.labels.iter().map(|(name, value)| (name.as_str(), vec![value.as_str()]));
        let filters = self.filters.iter().filter_map(|filter| match filter {
            LabelFilter::Equals { name, value } => Some((name.as_str(), vec![value.as_str()])),
            LabelFilter::OneOf { name, values } => {
                let mut values: Vec<_> = values.iter().map(String::as_str).collect();
                values.sort_unstable();
                values.dedup();
                Some((name.as_str(), values))
            }
            _ => None,
        });
        given.chain(filters).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_say_what_is_true_of_labels() {
        let labels = BTreeMap::from([("a".to_owned(), "beta".to_owned())]);
        let (a, b) = (|| "a".to_owned(), || "b".to_owned());
        let text = |text: &str| Some(text.to_owned());
        let yes = [
            LabelFilter::Equals { name: a(), value: "beta".to_owned() },
            LabelFilter::OneOf { name: a(), values: vec!["alpha".to_owned(), "beta".to_owned()] },
            LabelFilter::Prefix { name: a(), prefix: "be".to_owned() },
            LabelFilter::Between { name: a(), from: text("beta"), to: text("betb") },
            LabelFilter::Between { name: a(), from: None, to: None },
            LabelFilter::Exists { name: a() },
            LabelFilter::Missing { name: b() },
        ];
        let no = [
            LabelFilter::Equals { name: b(), value: "beta".to_owned() },
            LabelFilter::OneOf { name: a(), values: Vec::new() },
            LabelFilter::Prefix { name: a(), prefix: "eta".to_owned() },
            LabelFilter::Between { name: a(), from: None, to: text("beta") },
            LabelFilter::Between { name: b(), from: None, to: None },
            LabelFilter::Exists { name: b() },
            LabelFilter::Missing { name: a() },
        ];
        assert!(yes.iter().all(|filter| filter.matches(&labels)));
        assert!(!no.iter().any(|filter| filter.matches(&labels)));
    }
}
