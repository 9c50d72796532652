//! Finding instances.

use crate::client::{Client, ListError};
use crate::clock::Timestamp;
use crate::ids::InstanceId;
use crate::metadata::{self, InstanceStatus, Status};
use crate::providers::{DamagedInstance, ErrorKind, LabelFilter, PageRequest, ProviderError};

/// How many instances a page has unless you say otherwise, and at most.
const PAGE: (usize, usize) = (100, 1_000);
/// How many instances are looked at for one page at most, whether they match or not.
const LOOKED_AT_MAX: usize = 1_000;

/// Which instances are meant; see [`Client::query`].
#[derive(Clone)]
#[must_use = "nothing is asked until `.page()`"]
pub struct Query {
    pub(super) client: Client,
    name: Option<String>,
    version: Option<String>,
    statuses: Vec<Status>,
    labels: Vec<(String, String)>,
    parent: Option<String>,
    created_from: Option<Timestamp>,
    created_before: Option<Timestamp>,
    closed_before: Option<Timestamp>,
    prefix: String,
    after: Option<InstanceId>,
    limit: usize,
}

/// Some instances, ordered by id.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct QueryPage {
    /// The instances.
    pub instances: Vec<InstanceStatus>,
    /// Instances between those whose record is damaged, so that nobody knows whether they match.
    pub damaged: Vec<DamagedInstance>,
    /// What to give to [`Query::after`] for the next page; `None` if this was the last. A page can be short, even empty, and
    /// not be the last: when few of very many instances match, each page looks at a part of them.
    pub next: Option<InstanceId>,
}

impl Client {
    /// Finds instances: by name, version, status, label, parent, time of creation, beginning of the id. All that is said
    /// must hold; nothing said means all. Answers a page at a time, ordered by id.
    ///
    /// Names, statuses, parents and labels are indexed by the store; what is said besides is looked at one by one.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn order(ctx: OrchestrationContext, days: u64) {
    ///     ctx.timer(Duration::from_secs(days * 86_400)).await;
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let client = runtime.client();
    /// for number in 1..=3 {
    ///     order(&client, number).id(format!("order-{number}")).label("customer", "ada").start().await?;
    /// }
    /// runtime.advance(Duration::from_secs(86_400)).await;
    ///
    /// let open = client.query().name("order").status(Status::Running).label("customer", "ada");
    /// let first = open.clone().limit(1).page().await?;
    /// assert_eq!(first.instances[0].instance.as_str(), "order-2");
    /// let second = open.after(first.next.unwrap()).page().await?;
    /// assert_eq!(second.instances[0].instance.as_str(), "order-3");
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn query(&self) -> Query {
        Query {
            client: self.clone(),
            name: None,
            version: None,
            statuses: Vec::new(),
            labels: Vec::new(),
            parent: None,
            created_from: None,
            created_before: None,
            closed_before: None,
            prefix: String::new(),
            after: None,
            limit: PAGE.0,
        }
    }
}

impl Query {
    /// Only those of this orchestration.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only those of this version.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Only those that stand here; said more than once, at one of these.
    pub fn status(mut self, status: Status) -> Self {
        self.statuses.push(status);
        self
    }

    /// Only those with this label.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// Only the children of this instance that it waits for or started detached.
    pub fn parent(mut self, parent: impl AsRef<str>) -> Self {
        self.parent = Some(parent.as_ref().to_owned());
        self
    }

    /// Only those whose newest execution was started then or later.
    pub fn created_from(mut self, moment: impl Into<Timestamp>) -> Self {
        self.created_from = Some(moment.into());
        self
    }

    /// Only those whose newest execution was started before.
    pub fn created_before(mut self, moment: impl Into<Timestamp>) -> Self {
        self.created_before = Some(moment.into());
        self
    }

    /// Only those that had ended before.
    pub fn closed_before(mut self, moment: impl Into<Timestamp>) -> Self {
        self.closed_before = Some(moment.into());
        self
    }

    /// Only those whose id begins so.
    pub fn id_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Only those after this id: the `next` of the page before.
    pub fn after(mut self, id: InstanceId) -> Self {
        self.after = Some(id);
        self
    }

    /// At most so many: 100 unless you say otherwise, 1,000 at most.
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, PAGE.1);
        self
    }

    /// Asks for a page.
    ///
    /// # Errors
    /// [`ListError`] if the store cannot be read.
    pub async fn page(self) -> Result<QueryPage, ListError> {
        let (mut found, mut damaged) = (Vec::new(), Vec::new());
        let mut request = self.request();
        let mut looked_at = 0;
        loop {
            let page = self.client.provider().instances(request.clone()).await?;
            looked_at += page.instances.len();
            let was_cut = page.instances.len() < request.limit;
            damaged.extend(page.damaged.into_iter().filter(|one| one.instance.as_str().starts_with(&self.prefix)));
            for record in page.instances {
                let id = record.instance.clone();
                if !id.as_str().starts_with(&self.prefix) {
                    if id.as_str() > self.prefix.as_str() {
                        return Ok(QueryPage { instances: found, damaged, next: None });
                    }
                    continue;
                }
                let status = metadata::read(record).filter(|status| self.matches(status));
                found.extend(status);
                if found.len() == self.limit {
                    damaged.retain(|one| one.instance <= id);
                    return Ok(QueryPage { instances: found, damaged, next: Some(id) });
                }
            }
            match page.next {
                None => return Ok(QueryPage { instances: found, damaged, next: None }),
                // Where the store made an end, a page of a query has one.
                next if was_cut || looked_at >= LOOKED_AT_MAX => {
                    return Ok(QueryPage { instances: found, damaged, next });
                }
                next => request.after = next,
            }
        }
    }

    /// All of it, page by page: what `each` answers `false` to ends it. Answers which ones are damaged.
    pub(super) async fn each(
        self,
        mut each: impl FnMut(InstanceStatus) -> bool,
    ) -> Result<Vec<DamagedInstance>, ListError> {
        let mut query = self.limit(PAGE.1);
        let mut damaged = Vec::new();
        loop {
            let page = query.clone().page().await?;
            damaged.extend(page.damaged);
            for instance in page.instances {
                if !each(instance) {
                    return Ok(damaged);
                }
            }
            match page.next {
                Some(next) => query = query.after(next),
                None => return Ok(damaged),
            }
        }
    }

    /// What the store is asked for: what it has indexed.
    fn request(&self) -> PageRequest {
        let mut labels = self.labels.clone();
        let mut system = |label: &str, value: String| labels.push((label.to_owned(), value));
        if let Some(name) = &self.name {
            system(metadata::NAME_LABEL, name.clone());
        }
        if let Some(parent) = &self.parent {
            system(metadata::PARENT_LABEL, parent.clone());
        }
        let after = self.after.clone().max(before(&self.prefix));
        let mut filters = Vec::new();
        if !self.statuses.is_empty() {
            let values = self.statuses.iter().map(Status::to_string).collect();
            filters.push(LabelFilter::OneOf { name: metadata::STATUS_LABEL.to_owned(), values });
        }
        PageRequest { labels, filters, after, limit: PAGE.1.min(self.limit.max(PAGE.0)) }
    }

    fn matches(&self, status: &InstanceStatus) -> bool {
        let is_before = |moment: Option<Timestamp>, limit: Option<Timestamp>| {
            limit.is_none_or(|limit| moment.is_some_and(|moment| moment < limit))
        };
        self.version.as_ref().is_none_or(|version| *version == status.version)
            && (self.statuses.is_empty() || self.statuses.contains(&status.status))
            && self.created_from.is_none_or(|from| status.started_at >= from)
            && is_before(Some(status.started_at), self.created_before)
            && is_before(status.closed_at, self.closed_before)
    }
}

/// An id that comes before all with this beginning, and after most of the others.
fn before(prefix: &str) -> Option<InstanceId> {
    let mut characters = prefix.chars();
    let last = characters.next_back()?;
    let begin = characters.as_str();
    let previous = char::from_u32(u32::from(last).checked_sub(1)?).filter(|previous| !previous.is_control());
    let before = previous.map(|previous| format!("{begin}{previous}{}", char::MAX));
    InstanceId::new(before.unwrap_or_else(|| begin.to_owned())).ok()
}

/// For what has to be whole.
pub(super) fn whole(damaged: Vec<DamagedInstance>) -> Result<(), ListError> {
    match damaged.into_iter().next() {
        Some(DamagedInstance { instance, damage }) => {
            Err(ProviderError::new(ErrorKind::Corrupt, "list instances", damage).instance(&instance).into())
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_before_a_prefix() {
        for prefix in ["a", "order-", "ü", " ", "a ", "\u{e000}"] {
            let before = before(prefix);
            assert!(before.as_ref().is_none_or(|before| before.as_str() < prefix), "{prefix:?}: {before:?}");
        }
        assert!(before("order-").is_some_and(|before| before.as_str() > "order+"));
        assert_eq!(before(""), None);
    }
}
