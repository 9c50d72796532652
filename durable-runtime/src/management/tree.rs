//! An instance and its children, and theirs.

use std::collections::BTreeSet;
use std::fmt;

use super::query::whole;
use crate::client::{Client, ListError, ReadError};
use crate::ids::InstanceId;
use crate::metadata::InstanceStatus;

/// How many instances a tree has at most.
const INSTANCES_MAX: usize = 10_000;

/// An instance with its children. Its `Display` is one line an instance, indented.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Tree {
    /// The instance.
    pub instance: InstanceStatus,
    /// Its children, detached ones too, ordered by id.
    pub children: Vec<Tree>,
    /// Whether there are more below than a tree shows: 10,000 instances.
    pub cut: bool,
}

impl Client {
    /// An instance with all its children, and theirs. A child that was deleted is not there.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestRuntime;
    ///
    /// #[orchestration]
    /// async fn shipment(ctx: OrchestrationContext) {
    ///     ctx.timer(Duration::from_secs(60)).await;
    /// }
    ///
    /// #[orchestration]
    /// async fn order(ctx: OrchestrationContext) -> Result<(), ChildError> {
    ///     shipment(&ctx).id("order-1/shipment").await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = TestRuntime::start().await?;
    /// let client = runtime.client();
    /// order(&client).id("order-1").start().await?;
    /// runtime.settled().await;
    /// let tree = client.tree("order-1").await?;
    /// assert_eq!(tree.to_string(), "order-1  order 1.0.0  running\n  order-1/shipment  shipment 1.0.0  running\n");
    /// # runtime.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ReadError::NotFound`] if the instance does not exist.
    pub async fn tree(&self, id: impl AsRef<str>) -> Result<Tree, ReadError> {
        let root = self.status(id).await?;
        let mut seen = BTreeSet::from([root.instance.clone()]);
        self.below(root, &mut seen).await
    }

    async fn below(&self, instance: InstanceStatus, seen: &mut BTreeSet<InstanceId>) -> Result<Tree, ReadError> {
        let mut tree = Tree { instance, children: Vec::new(), cut: false };
        for child in self.children(&tree.instance.instance).await? {
            if seen.len() >= INSTANCES_MAX {
                tree.cut = true;
                break;
            }
            // A child can be the parent of its parent: ids are free again when instances are deleted.
            if seen.insert(child.instance.clone()) {
                tree.children.push(Box::pin(self.below(child, seen)).await?);
            }
        }
        Ok(tree)
    }

    async fn children(&self, parent: &InstanceId) -> Result<Vec<InstanceStatus>, ListError> {
        let mut children = Vec::new();
        let all = self.query().parent(parent).each(|child| {
            children.push(child);
            children.len() < INSTANCES_MAX
        });
        whole(all.await?)?;
        Ok(children)
    }
}

impl Tree {
    fn write(&self, depth: usize, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let InstanceStatus { instance, name, version, status, .. } = &self.instance;
        writeln!(f, "{:indent$}{instance}  {name} {version}  {status}", "", indent = depth * 2)?;
        self.children.iter().try_for_each(|child| child.write(depth + 1, f))?;
        if self.cut {
            writeln!(f, "{:indent$}…", "", indent = depth * 2 + 2)?;
        }
        Ok(())
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(0, f)
    }
}
