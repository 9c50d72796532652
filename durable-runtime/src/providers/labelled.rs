//! Instances that have all of some labels: the lists of an index, each ordered by id, walked side by side. Whatever is
//! in all of them is found, and what is not is jumped over, so that the shortest list decides how long it takes.

use std::collections::VecDeque;

use super::{DamagedInstance, ErrorKind, InstancePage, InstanceRecord, PageRequest, ProviderError};
use crate::ids::InstanceId;

/// How many ids are taken from a list at once: few after a jump, which may be followed by another; more and more while one
/// after the other is looked at.
const IDS_AT_ONCE: (usize, usize) = (2, 64);
/// How much more each time.
const GROWTH: usize = 4;
/// So many ids that do not match are passed before a page ends, however little was found: no page takes long.
pub(super) const LOOKS_MAX: usize = 1024;

/// Reads a list: the ids of instances with this label and value from this text on, in order, at most so many.
pub(super) type Fetch<'a> = dyn FnMut(&str, &str, &str, usize) -> Result<Vec<InstanceId>, ProviderError> + 'a;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) instances: Vec<InstanceId>,
    /// Where to go on; `None` if there is no more.
    pub(super) from: Option<String>,
    /// The last that was decided, found or not: nothing up to here comes any more.
    pub(super) passed: Option<InstanceId>,
    /// How many were passed that do not match.
    pub(super) looks: usize,
}

/// The text from which on all ids come after this one: no id has control characters.
pub(super) fn after(instance: &InstanceId) -> String {
    format!("{instance}\u{1}")
}

/// What a list has of an instance.
pub(super) type Listed = Result<InstanceRecord, DamagedInstance>;

/// The same, of a record that was read: one that is damaged does not hide the others.
pub(super) fn listed(id: &InstanceId, read: Result<InstanceRecord, ProviderError>) -> Result<Listed, ProviderError> {
    match read {
        Err(error) if error.kind() == ErrorKind::Corrupt => {
            Ok(Err(DamagedInstance { instance: id.clone(), damage: error.to_string() }))
        }
        read => read.map(Ok),
    }
}

/// A page of at most `limit` of these; `passed` if the store has not come to its end.
pub(super) fn cut(
    limit: usize,
    mut instances: Vec<InstanceRecord>,
    mut damaged: Vec<DamagedInstance>,
    passed: Option<InstanceId>,
) -> InstancePage {
    let has_more = instances.len() > limit;
    instances.truncate(limit);
    let last = instances.last().filter(|_| has_more).map(|record| record.instance.clone());
    let next = if has_more { last } else { passed };
    // What comes behind it is of the next page.
    damaged.retain(|one| next.as_ref().is_none_or(|next| one.instance <= *next));
    InstancePage { instances, damaged, next }
}

/// One list of the index.
struct List<'a> {
    name: &'a str,
    value: &'a str,
    ids: VecDeque<InstanceId>,
    /// How many are taken next.
    at_once: usize,
    /// Nothing comes after `ids`.
    ended: bool,
}

impl List<'_> {
    /// The first id from this text on.
    fn seek(&mut self, from: &str, fetch: &mut Fetch<'_>) -> Result<Option<InstanceId>, ProviderError> {
        let mut passed = None;
        while self.ids.front().is_some_and(|id| id.as_str() < from) {
            passed = self.ids.pop_front();
        }
        let (least, most) = IDS_AT_ONCE;
        if self.ids.is_empty() && !self.ended {
            // Beyond all that was taken: what comes next may be as far away again.
            if passed.is_some_and(|last| after(&last) != from) {
                self.at_once = least;
            }
            self.ids = fetch(self.name, self.value, from, self.at_once)?.into();
            self.ended = self.ids.len() < self.at_once;
            self.at_once = (self.at_once * GROWTH).min(most);
        }
        Ok(self.ids.front().cloned())
    }
}

/// Up to `limit` instances, from this text on, that stand in a list of each wish of the page.
pub(super) fn find(
    page: &PageRequest,
    from: String,
    limit: usize,
    fetch: &mut Fetch<'_>,
) -> Result<Found, ProviderError> {
    let indexed = page.indexed();
    // What is in the only list there is will be wanted.
    let at_once = if indexed.len() == 1 { IDS_AT_ONCE.1 } else { IDS_AT_ONCE.0 };
    let list = |name| move |value| List { name, value, ids: VecDeque::new(), at_once, ended: false };
    let wishes = indexed.into_iter();
    let mut wishes: Vec<Vec<List<'_>>> =
        wishes.map(|(name, values)| values.into_iter().map(list(name)).collect()).collect();
    let mut found = Found { instances: Vec::new(), from: Some(from), passed: None, looks: 0 };
    while found.instances.len() < limit && found.looks < LOOKS_MAX {
        let Some(from) = found.from.take() else { break };
        let Some(first) = first(&mut wishes, &from, fetch)? else { return Ok(found) };
        match first.passed {
            None => {
                found.from = Some(after(&first.furthest));
                found.passed = Some(first.furthest.clone());
                found.instances.push(first.furthest);
            }
            passed => {
                found.looks += 1;
                found.from = Some(first.furthest.to_string());
                found.passed = passed;
            }
        }
    }
    Ok(found)
}

/// The first ids of all wishes.
struct First {
    /// The last of them: none before it is in all lists.
    furthest: InstanceId,
    /// The last of those before it, which therefore is not in all lists; `None` if there is none: they are all the same.
    passed: Option<InstanceId>,
}

/// Looks at the first ids of all wishes from this text on; `None` if one has no more.
fn first(wishes: &mut [Vec<List<'_>>], from: &str, fetch: &mut Fetch<'_>) -> Result<Option<First>, ProviderError> {
    let mut firsts = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let mut least: Option<InstanceId> = None;
        for list in wish {
            let first = list.seek(from, fetch)?;
            least = least.into_iter().chain(first).min();
        }
        let Some(least) = least else { return Ok(None) };
        firsts.push(least);
    }
    firsts.sort_unstable();
    firsts.dedup();
    Ok(firsts.pop().map(|furthest| First { furthest, passed: firsts.pop() }))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::LabelFilter;
    use super::*;

    fn id(number: u32) -> InstanceId {
        InstanceId::new(format!("i{number:06}")).unwrap()
    }

    /// Of 100,000 instances every `name`-th has the label `name`: the `value`-th of them is the first.
    fn list(name: &str, value: &str, from: &str, limit: usize) -> Vec<InstanceId> {
        let (each, rest): (u32, u32) = (name.parse().unwrap(), value.parse().unwrap());
        let from = from.get(1..7).map_or(0, |number| number.parse().unwrap()) + u32::from(from.len() > 7);
        let first = from + (rest + each - from % each) % each;
        (first..100_000).step_by(each as usize).take(limit).map(id).collect()
    }

    /// What is found, and how many ids were taken from lists.
    fn run(page: &PageRequest, limit: usize) -> (Vec<InstanceId>, usize) {
        let fetched = Cell::new(0);
        let mut fetch = |name: &str, value: &str, from: &str, limit: usize| {
            let ids = list(name, value, from, limit);
            fetched.set(fetched.get() + ids.len());
            Ok(ids)
        };
        let (mut all, mut from) = (Vec::new(), Some(String::new()));
        while let Some(begin) = from.take().filter(|_| all.len() < limit) {
            let found = find(page, begin, limit - all.len(), &mut fetch).unwrap();
            all.extend(found.instances);
            from = found.from;
        }
        (all, fetched.get())
    }

    fn labelled(labels: &[(&str, &str)]) -> PageRequest {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        PageRequest { labels, ..PageRequest::default() }
    }

    #[test]
    fn what_is_in_all_lists_is_found_in_order() {
        let (found, _) = run(&labelled(&[("2", "0"), ("3", "1")]), 4);
        assert_eq!(found, [4, 10, 16, 22].map(id));
        let (found, _) = run(&labelled(&[("2", "0"), ("4", "1")]), 4);
        assert_eq!(found, []);
    }

    #[test]
    fn what_is_looked_for_without_end_is_looked_for_in_parts() {
        let mut fetch = |name: &str, value: &str, from: &str, limit: usize| Ok(list(name, value, from, limit));
        // Odd ones that are even: there is none, and 100,000 are to be looked at.
        let page = labelled(&[("2", "0"), ("2", "1")]);
        let (mut from, mut parts) = (String::new(), 0);
        loop {
            let part = find(&page, from, 100, &mut fetch).unwrap();
            assert!(part.instances.is_empty() && part.looks <= LOOKS_MAX);
            parts += 1;
            match (part.from, part.passed) {
                (None, _) => break,
                // Where to go on, said by the id after which it is.
                (Some(_), passed) => from = after(&passed.unwrap()),
            }
        }
        assert_eq!(parts, 100_000 / LOOKS_MAX + 1);
    }

    #[test]
    fn the_shortest_list_decides() {
        let (found, fetched) = run(&labelled(&[("1", "0"), ("20000", "7")]), 9);
        assert_eq!(found, [7, 20_007, 40_007, 60_007, 80_007].map(id));
        assert!(fetched < 50, "{fetched}");
        let (found, fetched) = run(&labelled(&[("10", "7"), ("1000", "77")]), 100);
        assert_eq!(found, (0..100).map(|number| id(number * 1_000 + 77)).collect::<Vec<_>>());
        assert!(fetched < 5 * 100, "a few ids for each that is found: {fetched}");
    }

    #[test]
    fn one_of_several_values_is_enough() {
        let values = ["1", "3", "3"].map(str::to_owned).to_vec();
        let mut page = labelled(&[("2", "1")]);
        page.filters = vec![LabelFilter::OneOf { name: "5".to_owned(), values }];
        assert_eq!(run(&page, 4).0, [1, 3, 11, 13].map(id));
        page.filters = vec![LabelFilter::OneOf { name: "5".to_owned(), values: Vec::new() }];
        assert_eq!(run(&page, 4).0, []);
    }
}
