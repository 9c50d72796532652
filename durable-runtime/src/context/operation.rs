//! What all futures of commands share: given on the first poll, answered once, cancelled when dropped.

use crate::history::EventKind;
use crate::ids::CommandId;
use crate::replay::current::{self, ExecutionKey};
use crate::replay::{Journal, Resolution};

/// One command on its way: not given yet, waiting, or done.
pub(super) struct Operation {
    key: ExecutionKey,
    stage: Stage,
}

enum Stage {
    New,
    Waiting(CommandId),
    Done,
}

impl Operation {
    pub(super) fn new(key: ExecutionKey) -> Self {
        Self { key, stage: Stage::New }
    }

    /// The answer, if there is one. The first call gives the command that `make` makes.
    #[track_caller]
    pub(super) fn poll(&mut self, make: impl FnOnce(CommandId) -> EventKind) -> Option<Resolution> {
        self.poll_with(|journal| journal.give(make))
    }

    /// As [`Operation::poll`], for a wait for an event.
    #[track_caller]
    pub(super) fn poll_event(&mut self, name: &str, make: impl FnOnce(CommandId) -> EventKind) -> Option<Resolution> {
        self.poll_with(|journal| journal.await_event(name, make))
    }

    /// The answer to a command that was given before.
    #[track_caller]
    pub(super) fn resume(&mut self) -> Option<Resolution> {
        self.poll_with(|journal| journal.next_command())
    }

    #[track_caller]
    fn poll_with(&mut self, give: impl FnOnce(&mut Journal) -> CommandId) -> Option<Resolution> {
        assert!(!matches!(self.stage, Stage::Done), "a durable future was polled after it had completed");
        let stage = &mut self.stage;
        let (command, resolution) = current::with(self.key, |journal| {
            let command = match stage {
                Stage::Waiting(command) => *command,
                _ => give(journal),
            };
            (command, journal.take_resolution(command))
        });
        self.stage = if resolution.is_some() { Stage::Done } else { Stage::Waiting(command) };
        resolution
    }

    /// What came for `command` did not fit; it waits for the next event of that name.
    pub(super) fn wait_again(&mut self, name: &str, command: CommandId) {
        current::with(self.key, |journal| journal.await_event_again(name, command));
        self.stage = Stage::Waiting(command);
    }

    /// The command, while it waits.
    pub(super) fn command(&self) -> Option<CommandId> {
        match self.stage {
            Stage::Waiting(command) => Some(command),
            Stage::New | Stage::Done => None,
        }
    }

    pub(super) fn is_new(&self) -> bool {
        matches!(self.stage, Stage::New)
    }

    pub(super) fn key(&self) -> ExecutionKey {
        self.key
    }

    /// It was answered without having been given.
    pub(super) fn skip(&mut self) {
        self.stage = Stage::Done;
    }

    pub(super) fn settled_at(&self) -> Option<u64> {
        let command = self.command()?;
        current::try_with(self.key, |journal| journal.settled_at(command)).flatten().map(|event| event.0)
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if let Stage::Waiting(command) = self.stage {
            // Outside a turn the engine drops the whole execution; that is no decision of the code.
            current::try_with(self.key, |journal| journal.abandon(command));
        }
    }
}
