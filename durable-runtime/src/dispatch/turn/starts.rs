//! How executions begin: the first start of an instance, further ones, and continue-as-new.

use std::sync::Arc;

use super::{GENERATIONS_MAX, Source, Turn};
use crate::dispatch::door::{Accepted, Refusal};
use crate::dispatch::resident::{Live, Resident};
use crate::history::{Carried, EventKind, Failure, HISTORY_FORMAT, Started};
use crate::ids::ExecutionId;
use crate::message::{IfExists, Message, Outcome, Start, start_message_id};
use crate::metadata::{self, Identity, Status};
use crate::observe;
use crate::payload::CodecError;
use crate::replay::{Execution, Facts};

impl Turn {
    pub(super) fn take_first_start(&mut self, mut start: Start, source: Source) -> Result<(), CodecError> {
        if self.rules.registry.orchestration(&start.name, &start.version).is_none() {
            return self.take_unknown_start(start, source);
        }
        self.settle(source, Ok(Accepted::Kept));
        match self.resident {
            Resident::Pending { execution_id, .. } => {
                let carried = std::mem::take(&mut start.carried);
                self.begin(execution_id, false, start, carried)
            }
            _ => self.begin(ExecutionId::FIRST, true, start, Vec::new()),
        }
    }

    /// Nobody here can run it. If nobody else can, its parent hears so; else it waits for who can.
    fn take_unknown_start(&mut self, start: Start, source: Source) -> Result<(), CodecError> {
        let message = self.rules.registry.lacks(HISTORY_FORMAT, &start.name, &start.version).unwrap_or_default();
        match (&start.parent, self.rules.shared) {
            (Some(parent), false) if parent.command.is_some() => {
                self.effects.tell_parent(parent, Outcome::Failure(Failure::Unavailable { message }))?;
                self.settle(source, Ok(Accepted::Kept));
                Ok(())
            }
            _ => {
                let unbegun = matches!(self.resident, Resident::Absent | Resident::Pending { .. });
                self.resident.suspend(message);
                if let Resident::Suspended { identity, execution_id, needs, .. } = &mut self.resident {
                    if *execution_id >= ExecutionId::FIRST {
                        identity.get_or_insert_with(|| Arc::new(Identity::of_start(&start, self.now)));
                    }
                    *needs = unbegun.then(|| metadata::needs(HISTORY_FORMAT, &start.name, &start.version));
                }
                self.keep(Message::Start(start), source)
            }
        }
    }

    /// Its first turn could not be kept: the start itself is, and waits for a build that can run it.
    pub(super) fn park_start(&mut self, start: Start, source: Source) -> Result<(), CodecError> {
        if let Resident::Suspended { execution_id, identity, .. } = &mut self.resident {
            *execution_id = ExecutionId::FIRST;
            let identity = identity.insert(Arc::new(Identity::of_start(&start, self.now)));
            self.effects.create(ExecutionId::FIRST);
            self.effects.put_metadata(metadata::begun(identity, Status::Pending));
            self.effects.put_labels(start.labels.clone());
            self.effects.set_labels(metadata::labels_begun(identity, Status::Pending));
        }
        self.keep_as(Message::Start(start), source, start_message_id(ExecutionId::FIRST))
    }

    /// The instance is there already.
    pub(super) fn take_other_start(&mut self, start: Start, source: Source) -> Result<(), CodecError> {
        let closed = matches!(self.resident, Resident::Closed { .. });
        let begins = match start.if_exists {
            IfExists::RestartIfClosed => closed,
            IfExists::TerminateAndRestart => true,
            _ => false,
        };
        if begins && self.rules.registry.orchestration(&start.name, &start.version).is_none() {
            return self.take_unknown_start(start, source);
        }
        let answer = match start.if_exists {
            IfExists::UseExisting => Ok(Accepted::Existing),
            IfExists::RestartIfClosed if closed => Ok(Accepted::Kept),
            IfExists::TerminateAndRestart => Ok(Accepted::Kept),
            _ => Err(Refusal::AlreadyExists),
        };
        match &answer {
            Ok(Accepted::Kept) => {
                if !closed {
                    self.terminate("replaced by a new start".to_owned())?;
                }
                let next = self.resident.execution_id().next();
                self.effects.put_metadata(metadata::forgotten());
                self.kept.forget(&mut self.effects);
                self.effects.set_labels(vec![(metadata::PARENT_LABEL.to_owned(), None)]);
                self.begin(next, true, start, Vec::new())?;
            }
            Ok(Accepted::Existing) => {}
            Err(_) => self.refuse_child(&start)?,
        }
        self.settle(source, answer);
        Ok(())
    }

    fn refuse_child(&mut self, start: &Start) -> Result<(), CodecError> {
        match &start.parent {
            Some(parent) => {
                let message = format!("the id `{}` of the child is taken by another instance", self.instance);
                self.effects.tell_parent(parent, Outcome::Failure(Failure::Unavailable { message }))
            }
            None => Ok(()),
        }
    }

    fn begin(
        &mut self,
        execution_id: ExecutionId,
        create: bool,
        start: Start,
        carried: Vec<Carried>,
    ) -> Result<(), CodecError> {
        let Some(handler) = self.rules.registry.orchestration(&start.name, &start.version).cloned() else {
            self.resident
                .suspend(format!("no orchestration `{}` of version {} is registered", start.name, start.version));
            return Ok(());
        };
        if create {
            self.effects.create(execution_id);
        }
        self.kept.labels.extend(start.labels.iter().cloned());
        let started = Started {
            format: HISTORY_FORMAT,
            name: start.name,
            version: handler.version.to_owned(),
            fingerprint: handler.fingerprint,
            input: start.input,
            parent: start.parent,
            carried,
            trace: start.trace,
            event_keys: start.event_keys,
            labels: self.kept.labels.clone(),
            kv: self.kept.totals(),
            timeout: handler.timeout,
        };
        let identity = Arc::new(Identity::of(&started, self.now));
        observe::name_turn(&self.span, &identity);
        self.notes.begun(&identity.name);
        self.effects.put_metadata(metadata::begun(&identity, Status::Running));
        self.effects.set_labels(metadata::labels_begun(&identity, Status::Running));
        self.effects.put_labels(start.labels);
        let facts = Facts { instance: self.instance.clone(), execution_id, limits: self.rules.limits };
        let execution = Execution::new(facts, handler).with_stored(Arc::clone(&self.kept.kv));
        self.resident = Resident::Live(Box::new(Live { execution_id, identity, execution }));
        self.apply(EventKind::Started(started))
    }

    pub(super) fn continue_as_new(&mut self, end: EventKind) -> Result<(), CodecError> {
        let Resident::Live(live) = &self.resident else { return Ok(()) };
        self.notes.ended(&live.identity.name, &end);
        let EventKind::ContinuedAsNew { name, version, input } = end else { return Ok(()) };
        let (carried, event_keys) = (live.execution.leftover_events(), live.execution.newest_event_keys());
        let (last, identity, parent) = (live.execution_id, Arc::clone(&live.identity), live.identity.parent.clone());
        let next = last.next();
        self.end_deadline(last, &identity);
        let (if_exists, labels, trace) = (IfExists::Fail, Vec::new(), identity.trace.clone());
        let mut start =
            Start { name, version, input, parent, if_exists, labels, carried: Vec::new(), event_keys, trace };
        self.generations += 1;
        let known = self.rules.registry.orchestration(&start.name, &start.version).is_some();
        if known && self.generations < GENERATIONS_MAX {
            return self.begin(next, true, start, carried);
        }
        // The next execution begins with a turn of its own. What nobody took goes with its start, so that it comes before
        // what waits in the queue by now.
        start.carried = carried;
        self.effects.create(next);
        let next_identity = Identity::of_start(&start, self.now);
        self.effects.put_metadata(metadata::begun(&next_identity, Status::Running));
        self.effects.set_labels(metadata::labels_begun(&next_identity, Status::Running));
        self.effects.push(Message::Start(start).enqueue(&self.instance, start_message_id(next))?);
        self.resident = Resident::Pending { execution_id: next, identity: Some(identity) };
        Ok(())
    }
}
