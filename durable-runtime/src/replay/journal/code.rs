//! What the code does with a journal, through its context and its futures.

use super::{Journal, Open, Resolution, Settled};
use crate::clock::Timestamp;
use crate::history::{EventKind, Failure};
use crate::ids::{CommandId, EventId};
use crate::payload::Payload;

impl Journal {
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    pub(crate) fn position(&self) -> EventId {
        self.position
    }

    /// Whether the history has come to a tenth of what it may have.
    pub(crate) fn is_long(&self) -> bool {
        let limits = &self.facts.limits;
        self.position.0 >= limits.history_events_max / 10 || self.history_bytes >= limits.history_bytes_max / 10
    }

    pub(crate) fn is_replaying(&self) -> bool {
        self.replaying
    }

    pub(crate) fn set_custom_status(&mut self, status: Payload) {
        self.custom_status = Some(status);
    }

    /// The id of the next command.
    pub(crate) fn next_command(&self) -> CommandId {
        CommandId(self.commands + 1)
    }

    /// Gives a command: `make` gets its id. What can come back for it stays open.
    pub(crate) fn give(&mut self, make: impl FnOnce(CommandId) -> EventKind) -> CommandId {
        let command = self.next_command();
        self.commands = command.0;
        let kind = make(command);
        if self.end.is_some() {
            return command;
        }
        match Open::of(&kind) {
            Some((_, open @ Open::Dependent { .. })) => self.dependents.push((command, open)),
            Some((_, open)) => {
                self.open.insert(command, open);
            }
            None => {}
        }
        self.check_open_limit();
        self.given.push(kind);
        command
    }

    /// Gives the command to wait for an event; takes the oldest one that is there.
    pub(crate) fn await_event(&mut self, name: &str, make: impl FnOnce(CommandId) -> EventKind) -> CommandId {
        let command = self.give(make);
        let delivery = self.mailbox.wait(name, command);
        self.take_delivery(name, delivery);
        command
    }

    /// The event that was given did not fit: waits for the next.
    pub(crate) fn await_event_again(&mut self, name: &str, command: CommandId) {
        self.open.insert(command, Open::Event { name: name.to_owned() });
        let delivery = self.mailbox.wait_again(name, command);
        self.take_delivery(name, delivery);
    }

    pub(crate) fn try_event(&mut self, name: &str) -> Option<Payload> {
        self.mailbox.take(name)
    }

    pub(crate) fn oldest_event(&self, name: &str) -> Option<EventId> {
        self.mailbox.oldest(name)
    }

    /// What the command came back with, once.
    pub(crate) fn take_resolution(&mut self, command: CommandId) -> Option<Resolution> {
        self.settled.remove(&command).map(|settled| settled.resolution)
    }

    /// What came back and was not taken.
    pub(crate) fn settled(&self) -> impl Iterator<Item = CommandId> {
        self.settled.keys().copied()
    }

    /// At which event the command came back.
    pub(crate) fn settled_at(&self, command: CommandId) -> Option<EventId> {
        self.settled.get(&command).map(|settled| settled.at)
    }

    /// The future of the command was dropped.
    pub(crate) fn abandon(&mut self, command: CommandId) {
        if self.silent {
            return;
        }
        if let Some(Settled { resolution: Resolution::Event { name, arrival, value }, .. }) =
            self.settled.remove(&command)
        {
            // It was given to a wait that did not look: the next one gets it.
            let delivery = self.mailbox.put(&name, arrival, value);
            self.take_delivery(&name, delivery);
            return;
        }
        if let Some(open) = self.open.remove(&command) {
            self.cancel(command, open);
        }
    }

    pub(super) fn cancel(&mut self, command: CommandId, open: Open) {
        if let Open::Event { name } = &open {
            self.mailbox.forget(name, command);
        }
        self.given.push(EventKind::CommandCancelled { command });
        self.cancelled.push((command, open));
    }

    fn check_open_limit(&mut self) {
        let most = self.facts.limits.open_commands_max;
        if self.open.len() + self.dependents.len() > most {
            let message = format!("more than {most} activities, timers, children and waits are open at once");
            self.finish(EventKind::Failed { failure: Failure::LimitReached { message } });
        }
    }
}
