//! Listing instances.

use super::{Client, ListError};
use crate::ids::InstanceId;
use crate::metadata::{self, InstanceStatus};
use crate::providers::{DamagedInstance, PageRequest, Stats};

/// How many instances a page has unless you say otherwise, and at most.
const PAGE: (usize, usize) = (100, 1_000);

/// Which instances to list; see [`Client::list`].
#[must_use = "nothing is listed until `.page()`"]
pub struct InstanceList {
    client: Client,
    request: PageRequest,
}

/// Some instances, ordered by id.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct InstanceListPage {
    /// The instances.
    pub instances: Vec<InstanceStatus>,
    /// Instances between those whose record is damaged, so that nobody knows whether they match.
    pub damaged: Vec<DamagedInstance>,
    /// What to give to [`InstanceList::after`] for the next page; `None` if this was the last. A page can be short and
    /// not be the last; see [`QueryPage::next`](crate::management::QueryPage::next).
    pub next: Option<InstanceId>,
}

impl Client {
    /// How much the store keeps and how much waits in it.
    ///
    /// # Errors
    /// [`ListError`] if the store cannot be read.
    pub async fn stats(&self) -> Result<Stats, ListError> {
        Ok(self.provider().stats().await?)
    }

    /// Lists instances, ordered by id, a page at a time.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # async fn list(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let page = client.list().label("customer", "ada").limit(50).page().await?;
    /// for instance in page.instances {
    ///     println!("{} is {}", instance.instance, instance.status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn list(&self) -> InstanceList {
        InstanceList { client: self.clone(), request: PageRequest { limit: PAGE.0, ..PageRequest::default() } }
    }
}

impl InstanceList {
    /// Only those with this label.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.request.labels.push((name.into(), value.into()));
        self
    }

    /// Only those after this id: the `next` of the page before.
    pub fn after(mut self, id: InstanceId) -> Self {
        self.request.after = Some(id);
        self
    }

    /// At most so many: 100 unless you say otherwise, 1,000 at most.
    pub fn limit(mut self, limit: usize) -> Self {
        self.request.limit = limit.clamp(1, PAGE.1);
        self
    }

    /// Asks for them.
    ///
    /// # Errors
    /// [`ListError`] if the store cannot be read.
    pub async fn page(self) -> Result<InstanceListPage, ListError> {
        let page = self.client.provider().instances(self.request).await?;
        let instances = page.instances.into_iter().filter_map(metadata::read).collect();
        Ok(InstanceListPage { instances, damaged: page.damaged, next: page.next })
    }
}
