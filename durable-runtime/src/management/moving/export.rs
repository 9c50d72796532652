//! Out of a store.

use std::io::Write;

use super::line::{Data, FORMAT_VERSION, Line, StoredMessage};
use crate::client::{Client, ReadError};
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::management::Query;
use crate::management::query::whole;
use crate::providers::{CommitError, KvPageRequest, ProviderError, Queue, WaitingMessage};

/// How many records are read at once.
const PAGE: usize = 1_000;
/// How many messages of one instance are exported; it never has more than its limits let it have.
const MESSAGES_MAX: usize = 1_000_000;

/// Which instances are to be written down; see [`Client::export`].
#[must_use = "nothing is written until `.write_to(..)`"]
pub struct Export {
    query: Query,
}

/// What was written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExportReport {
    /// How many instances.
    pub instances: u64,
    /// How many events they have.
    pub events: u64,
    /// How many messages wait for them.
    pub messages: u64,
}

/// Instances could not be written down.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// An instance runs one turn after another, so that it never stands still.
    #[error("instance `{0}` is busy; suspend what drives it, or export while no runtime runs")]
    Busy(InstanceId),
    /// The writer failed.
    #[error("the export cannot be written: {0}")]
    Write(#[from] std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
}

impl From<ProviderError> for ExportError {
    fn from(error: ProviderError) -> Self {
        Self::Read(error.into())
    }
}

impl Client {
    /// Writes instances down as lines of JSON, with their ids, executions, histories, keys and values, labels and all that
    /// waits for them; [`Client::import`] reads them into another store, of whatever kind. `query` says which: without any
    /// condition, all.
    ///
    /// Each instance is written as it is at one moment: it is held while it is read. Payloads are in the text as they are:
    /// treat it like the store.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// #[orchestration]
    /// async fn order(ctx: OrchestrationContext) -> String {
    ///     ctx.event_named("approved").await
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let here = Runtime::builder(MemoryProvider::new()).start().await?;
    /// order(&here.client()).id("order-42").start().await?;
    /// let mut lines = Vec::new();
    /// here.client().export(here.client().query()).write_to(&mut lines).await?;
    /// here.shutdown(Duration::from_secs(5)).await;
    ///
    /// let there = Runtime::builder(MemoryProvider::new()).start().await?;
    /// there.client().import().read_from(lines.as_slice()).await?;
    /// there.client().raise("order-42", "approved", "Ada").await?; // it goes on where it was
    /// let handle = there.client().handle::<order>("order-42")?;
    /// assert_eq!(handle.result().await?, "Ada");
    /// # there.shutdown(Duration::from_secs(5)).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn export(&self, query: Query) -> Export {
        Export { query }
    }
}

impl Export {
    /// Writes them, ordered by id.
    ///
    /// # Errors
    /// [`ExportError`]; what was written by then ends without an end, and is refused by an import.
    pub async fn write_to(self, mut writer: impl Write) -> Result<ExportReport, ExportError> {
        let client = self.query.client.clone();
        let mut ids = Vec::new();
        let damaged = self.query.each(|status| {
            ids.push(status.instance);
            true
        });
        whole(damaged.await?)?;
        let mut report = ExportReport::default();
        put(&mut writer, &Line::Head { format: FORMAT_VERSION })?;
        for id in ids {
            let held = client.hold(&id).await?.ok_or_else(|| ExportError::Busy(id.clone()))?;
            let written = Writing { client: &client, writer: &mut writer, report: &mut report }.instance(&id).await;
            client.let_go(&held).await?;
            written?;
        }
        put(&mut writer, &Line::End { instances: report.instances })?;
        writer.flush()?;
        Ok(report)
    }
}

fn put(writer: &mut impl Write, line: &Line) -> Result<(), ExportError> {
    let mut text = serde_json::to_vec(line).map_err(std::io::Error::other)?;
    text.push(b'\n');
    Ok(writer.write_all(&text)?)
}

struct Writing<'a, W> {
    client: &'a Client,
    writer: &'a mut W,
    report: &'a mut ExportReport,
}

impl<W: Write> Writing<'_, W> {
    async fn instance(&mut self, id: &InstanceId) -> Result<(), ExportError> {
        // One that was deleted since it was found is not there any more.
        let Some(record) = self.client.provider().instance(id).await? else { return Ok(()) };
        let metadata = record.metadata.iter().map(|(key, value)| (key.clone(), Data::of(value))).collect();
        let execution = record.execution_id;
        put(self.writer, &Line::Instance { id: id.clone(), execution, metadata, labels: record.labels })?;
        let lines = self.executions(id).await? + self.kv(id).await? + self.messages(id).await?;
        self.report.instances += 1;
        put(self.writer, &Line::Whole { lines })
    }

    async fn executions(&mut self, id: &InstanceId) -> Result<u64, ExportError> {
        let mut lines = 0;
        let mut from = ExecutionId::FIRST;
        loop {
            let executions = self.client.provider().executions(id, from, PAGE).await?;
            let Some(last) = executions.last() else { break };
            from = last.execution_id.next();
            for execution in executions {
                lines += self.events(id, execution.execution_id).await?;
            }
        }
        self.report.events += lines;
        Ok(lines)
    }

    async fn events(&mut self, id: &InstanceId, execution: ExecutionId) -> Result<u64, ExportError> {
        let mut lines = 0;
        loop {
            let page = self.client.provider().history(id, execution, EventId(lines + 1), PAGE).await?;
            if page.is_empty() {
                return Ok(lines);
            }
            for event in page {
                put(self.writer, &Line::Event { execution, id: event.id.0, data: Data::of(&event.data) })?;
                lines += 1;
            }
        }
    }

    async fn kv(&mut self, id: &InstanceId) -> Result<u64, ExportError> {
        let mut lines = 0;
        let mut want = KvPageRequest { limit: PAGE, ..KvPageRequest::default() };
        loop {
            let page = self.client.provider().kv_page(id, want.clone()).await?;
            for (key, value) in page.entries {
                put(self.writer, &Line::Kv { key, data: Data::of(&value) })?;
                lines += 1;
            }
            match page.next {
                Some(next) => want.after = Some(next),
                None => return Ok(lines),
            }
        }
    }

    async fn messages(&mut self, id: &InstanceId) -> Result<u64, ExportError> {
        let waiting = self.client.provider().messages(id, MESSAGES_MAX).await?.messages;
        let lines = waiting.len() as u64;
        for message in waiting {
            put(self.writer, &Line::Message(stored(message)))?;
        }
        self.report.messages += lines;
        Ok(lines)
    }
}

fn stored(message: WaitingMessage) -> StoredMessage {
    let WaitingMessage { queue, id, execution_id, topic, tag, session, visible_at, data, .. } = message;
    let activity = matches!(queue, Queue::Activities(_));
    StoredMessage { activity, id, execution: execution_id, topic, tag, session, visible_at, data: Data::of(&data) }
}
