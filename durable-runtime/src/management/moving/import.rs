//! Into a store.

use std::collections::BTreeMap;
use std::io::BufRead;

use bytes::Bytes;

use super::line::{Data, FORMAT_VERSION, Line, StoredMessage};
use crate::client::Client;
use crate::ids::{EventId, ExecutionId, InstanceId};
use crate::providers::{CommitError, NewMessage, ProviderError, Queue, TransactionOp};

/// What to do with an instance whose id is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum IfPresent {
    /// End with an error.
    #[default]
    Refuse,
    /// Leave the one that is there as it is, and go on with the next.
    Skip,
}

/// Reads instances into a store; see [`Client::import`].
#[must_use = "nothing is read until `.read_from(..)`"]
pub struct Import {
    client: Client,
    if_present: IfPresent,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ImportReport {
    /// How many instances are there now.
    pub instances: u64,
    /// Those whose ids were taken, and which were passed over.
    pub skipped: Vec<InstanceId>,
}

/// Instances were not imported. Those before the one that failed are there, each of them whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The text is no export.
    #[error("line {line} is not what an export has there: {message}")]
    Malformed {
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// The export is of a later version.
    #[error("the export has format {format}; this version of `durable-runtime` reads up to {FORMAT_VERSION}")]
    Format {
        /// Its format.
        format: u32,
    },
    /// The text ends before the export does.
    #[error("the export ends after line {line}, before its end; what was cut off is missing")]
    Cut {
        /// The last line.
        line: u64,
    },
    /// The id is taken.
    #[error("instance `{0}` exists already; delete it, or import with `IfPresent::Skip`")]
    Present(InstanceId),
    /// The reader failed.
    #[error("the export cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Commit(#[from] CommitError),
    /// The store failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
}

impl Client {
    /// Reads instances that [`Client::export`] has written down. Each is there whole or not at all, with its id, and goes on
    /// at once where a runtime runs on the store.
    pub fn import(&self) -> Import {
        Import { client: self.clone(), if_present: IfPresent::default() }
    }
}

/// An instance, as far as it is read.
struct Reading {
    id: InstanceId,
    execution: ExecutionId,
    lines: u64,
    metadata: Vec<(String, Option<Bytes>)>,
    labels: Vec<(String, Option<String>)>,
    events: BTreeMap<ExecutionId, Vec<Bytes>>,
    kv: Vec<(String, Option<Bytes>)>,
    turns: Vec<NewMessage>,
    activities: Vec<NewMessage>,
}

impl Import {
    /// What to do with an instance whose id is taken: [`IfPresent::Refuse`] unless you say otherwise.
    pub fn if_present(mut self, if_present: IfPresent) -> Self {
        self.if_present = if_present;
        self
    }

    /// Reads all there is.
    ///
    /// # Errors
    /// [`ImportError`], which names the line. The instances before it are there.
    pub async fn read_from(self, reader: impl BufRead) -> Result<ImportReport, ImportError> {
        let mut report = ImportReport::default();
        let mut reading: Option<Reading> = None;
        let mut number = 0;
        for text in reader.lines() {
            number += 1;
            let malformed = |message: String| ImportError::Malformed { line: number, message };
            let line: Line = serde_json::from_str(&text?).map_err(|error| malformed(error.to_string()))?;
            match (line, &mut reading) {
                (Line::Head { format }, None) if number == 1 => {
                    if format > FORMAT_VERSION {
                        return Err(ImportError::Format { format });
                    }
                }
                _ if number == 1 => return Err(malformed("it does not begin with a head".to_owned())),
                (Line::Instance { id, execution, metadata, labels }, None) => {
                    reading = Some(Reading::begin(id, execution, metadata, labels).map_err(malformed)?);
                }
                (Line::Whole { lines }, Some(read)) if read.lines == lines => {
                    if let Some(read) = reading.take() {
                        self.keep(read, &mut report).await?;
                    }
                }
                (Line::End { instances }, None) if instances == report.instances + report.skipped.len() as u64 => {
                    return Ok(report);
                }
                (Line::Whole { .. } | Line::End { .. }, _) => {
                    return Err(malformed("lines before it are missing".to_owned()));
                }
                (line, Some(read)) => read.add(line).map_err(malformed)?,
                (_, None) => return Err(malformed("it belongs to no instance".to_owned())),
            }
        }
        Err(ImportError::Cut { line: number })
    }

    async fn keep(&self, read: Reading, report: &mut ImportReport) -> Result<(), ImportError> {
        let id = read.id.clone();
        match self.client.keep(read.into_ops()).await {
            Ok(()) => report.instances += 1,
            Err(CommitError::ExecutionExists { .. }) if self.if_present == IfPresent::Skip => report.skipped.push(id),
            Err(CommitError::ExecutionExists { .. }) => return Err(ImportError::Present(id)),
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

fn bytes(data: &Data) -> Result<Bytes, String> {
    data.bytes().ok_or_else(|| "its data is not hexadecimal".to_owned())
}

impl Reading {
    fn begin(
        id: InstanceId,
        execution: ExecutionId,
        metadata: BTreeMap<String, Data>,
        labels: BTreeMap<String, String>,
    ) -> Result<Self, String> {
        let metadata: Result<Vec<_>, String> =
            metadata.into_iter().map(|(key, data)| Ok((key, Some(bytes(&data)?)))).collect();
        Ok(Self {
            id,
            execution,
            lines: 0,
            metadata: metadata?,
            labels: labels.into_iter().map(|(name, value)| (name, Some(value))).collect(),
            events: BTreeMap::new(),
            kv: Vec::new(),
            turns: Vec::new(),
            activities: Vec::new(),
        })
    }

    fn add(&mut self, line: Line) -> Result<(), String> {
        self.lines += 1;
        match line {
            Line::Event { execution, id, data } => {
                let events = self.events.entry(execution).or_default();
                if id != events.len() as u64 + 1 || execution > self.execution || execution < ExecutionId::FIRST {
                    return Err(format!("event {id} of execution {execution} does not follow what is there"));
                }
                events.push(bytes(&data)?);
            }
            Line::Kv { key, data } => self.kv.push((key, Some(bytes(&data)?))),
            Line::Message(message) => {
                let activity = message.activity;
                let message = new(message)?;
                if activity { self.activities.push(message) } else { self.turns.push(message) }
            }
            _ => return Err("an instance is not whole yet".to_owned()),
        }
        Ok(())
    }

    fn into_ops(self) -> Vec<TransactionOp> {
        let Self { id, execution, metadata, labels, mut events, kv, turns, activities, .. } = self;
        let instance = || id.clone();
        let mut ops = Vec::new();
        let mut next = ExecutionId::FIRST;
        while next <= execution {
            ops.push(TransactionOp::CreateExecution { instance: instance(), execution_id: next });
            if let Some(events) = events.remove(&next) {
                let first = EventId::FIRST;
                ops.push(TransactionOp::AppendHistory { instance: instance(), execution_id: next, first, events });
            }
            next = next.next();
        }
        ops.push(TransactionOp::PutMetadata { instance: instance(), entries: metadata });
        ops.push(TransactionOp::PutLabels { instance: instance(), labels });
        ops.push(TransactionOp::PutKv { instance: instance(), entries: kv });
        ops.push(TransactionOp::EnqueueWork { queue: Queue::Turns(instance()), items: turns });
        ops.push(TransactionOp::EnqueueWork { queue: Queue::Activities(instance()), items: activities });
        ops
    }
}

fn new(message: StoredMessage) -> Result<NewMessage, String> {
    let StoredMessage { id, execution, topic, tag, session, visible_at, data, .. } = message;
    let data = bytes(&data)?;
    Ok(NewMessage { id, execution_id: execution, topic, tag, session, visible_at: Some(visible_at), data })
}
