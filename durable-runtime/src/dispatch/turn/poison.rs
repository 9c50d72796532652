//! Turns that their process does not survive: after so many of them the instance is given up, and the others run.

use std::sync::Arc;

use super::Turn;
use crate::dispatch::resident::Resident;
use crate::history::EventKind;
use crate::ids::ExecutionId;
use crate::message::{Message, Start};
use crate::metadata::{self, Identity, Status};
use crate::providers::LeasedTurn;

impl Turn {
    /// Ends the instance without running anything of it. Its parent hears of it.
    pub(super) fn give_up_turn(&mut self, leased: &LeasedTurn) {
        let deaths = leased.attempt.saturating_sub(1);
        let message = format!(
            "its process died {deaths} times in a row while it ran one turn of it; look for an abort, a stack overflow or \
             too much memory, and restart it when that is mended"
        );
        tracing::error!(instance = %self.instance, "given up: {message}");
        let end = EventKind::Poisoned { message };
        if matches!(self.resident, Resident::Absent)
            && let Some(start) = first_start(leased)
        {
            self.note_unbegun(start);
        }
        if let Err(error) = self.end_at_once(end) {
            self.resident.suspend(format!("its end cannot be written: {error}"));
        }
    }

    /// Keeps that there was a start, so that somebody can see what became of it.
    fn note_unbegun(&mut self, start: Start) {
        let identity = Arc::new(Identity::of_start(&start, self.now));
        self.effects.create(ExecutionId::FIRST);
        self.effects.put_metadata(metadata::begun(&identity, Status::Pending));
        self.effects.set_labels(metadata::labels_begun(&identity, Status::Pending));
        self.effects.put_labels(start.labels);
        self.resident = Resident::Pending { execution_id: ExecutionId::FIRST, identity: Some(identity) };
    }
}

fn first_start(leased: &LeasedTurn) -> Option<Start> {
    leased.messages.iter().find_map(|stored| match Message::decode(&stored.data) {
        Ok(Message::Start(start)) => Some(start),
        _ => None,
    })
}
