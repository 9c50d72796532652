//! Instances that have all of some labels: the lists of an index, each ordered by id, walked side by side. Whatever is
//! in all of them is found, and what is not is jumped over, so that the shortest list decides how long it takes.

use std::collections::VecDeque;

use super::{PageRequest, ProviderError};
use crate::ids::InstanceId;

/// How many ids are taken from a list at once.
const IDS_AT_ONCE: usize = 64;
/// So many jumps are made before others have their turn.
const JUMPS_MAX: u32 = 1024;

/// Reads a list: the ids of instances with this label and value from this text on, in order, at most so many.
pub(super) type Fetch<'a> = dyn FnMut(&str, &str, &str, usize) -> Result<Vec<InstanceId>, ProviderError> + 'a;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) instances: Vec<InstanceId>,
    /// Where to go on; `None` if there is no more.
    pub(super) from: Option<String>,
}

/// The text from which on all ids come after this one: no id has control characters.
pub(super) fn after(instance: &InstanceId) -> String {
    format!("{instance}\u{1}")
}

/// One list of the index.
struct List<'a> {
    name: &'a str,
    value: &'a str,
    ids: VecDeque<InstanceId>,
    /// Nothing comes after `ids`.
    ended: bool,
}

impl List<'_> {
    /// The first id from this text on.
    fn seek(&mut self, from: &str, fetch: &mut Fetch<'_>) -> Result<Option<InstanceId>, ProviderError> {
        while self.ids.front().is_some_and(|id| id.as_str() < from) {
            self.ids.pop_front();
        }
        if self.ids.is_empty() && !self.ended {
            self.ids = fetch(self.name, self.value, from, IDS_AT_ONCE)?.into();
            self.ended = self.ids.len() < IDS_AT_ONCE;
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
    let list = |name| move |value| List { name, value, ids: VecDeque::new(), ended: false };
    let wishes = page.indexed().into_iter();
    let mut wishes: Vec<Vec<List<'_>>> =
        wishes.map(|(name, values)| values.into_iter().map(list(name)).collect()).collect();
    let mut found = Found { instances: Vec::new(), from: Some(from) };
    let mut jumps = 0;
    while found.instances.len() < limit && jumps < JUMPS_MAX {
        let Some(from) = found.from.take() else { break };
        let Some(furthest) = furthest(&mut wishes, &from, fetch)? else { return Ok(found) };
        if furthest.1 {
            found.from = Some(after(&furthest.0));
            found.instances.push(furthest.0);
        } else {
            jumps += 1;
            found.from = Some(furthest.0.to_string());
        }
    }
    Ok(found)
}

/// The furthest of the first ids of all wishes, and whether it is that of each of them; `None` if one has no more.
fn furthest(
    wishes: &mut [Vec<List<'_>>],
    from: &str,
    fetch: &mut Fetch<'_>,
) -> Result<Option<(InstanceId, bool)>, ProviderError> {
    let mut furthest: Option<(InstanceId, bool)> = None;
    for wish in wishes {
        let mut least: Option<InstanceId> = None;
        for list in wish {
            let first = list.seek(from, fetch)?;
            least = least.into_iter().chain(first).min();
        }
        let Some(least) = least else { return Ok(None) };
        furthest = Some(match furthest {
            None => (least, true),
            Some((id, all)) if id == least => (id, all),
            Some((id, _)) => (id.max(least), false),
        });
    }
    Ok(furthest)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::LabelFilter;
    use super::*;

    fn id(number: u32) -> InstanceId {
        InstanceId::new(format!("i{number:06}")).unwrap()
    }

    /// Of 100,000 instances every `name`-th has the label `name`.
    fn run(page: &PageRequest, limit: usize) -> (Vec<InstanceId>, u32) {
        let fetched = Cell::new(0);
        let mut fetch = |name: &str, value: &str, from: &str, limit: usize| {
            fetched.set(fetched.get() + 1);
            let (each, rest): (u32, u32) = (name.parse().unwrap(), value.parse().unwrap());
            let all = (0..100_000).filter(|number| number % each == rest).map(id);
            Ok(all.filter(|id| id.as_str() >= from).take(limit).collect())
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
    fn the_shortest_list_decides() {
        let (found, fetched) = run(&labelled(&[("1", "0"), ("20000", "7")]), 9);
        assert_eq!(found, [7, 20_007, 40_007, 60_007, 80_007].map(id));
        assert!(fetched < 20, "{fetched}");
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
