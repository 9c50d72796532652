//! The bank: as a real payment service, it moves money once for each idempotency key, however often it is asked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use durable_runtime::prelude::*;

use crate::ledger::{self, Call, Entry};
use crate::orders::Card;

#[derive(Serialize, Deserialize)]
pub(crate) enum Payment {
    Charged,
    Declined,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("the bank cannot be reached: {0}")]
pub(crate) struct Unreachable(String);

pub(crate) struct Bank {
    books: Mutex<Books>,
}

struct Books {
    ledger: File,
    /// The keys for which money was moved.
    done: BTreeSet<String>,
}

impl Bank {
    /// Remembers from the ledger what it has done already.
    pub(crate) fn open(ledger: &Path) -> io::Result<Self> {
        let moved = ledger::read(ledger)?.into_iter().filter(|entry| entry.call.moves_money());
        let done = moved.map(|entry| entry.key).collect();
        Ok(Self { books: Mutex::new(Books { ledger: ledger::open(ledger)?, done }) })
    }

    pub(crate) fn charge(
        &self,
        key: &str,
        order_id: &str,
        card: &Card,
        cents: u64,
        attempt: u32,
    ) -> Result<Payment, Unreachable> {
        if attempt <= attempts_in_vain(card) {
            self.note(key, order_id, cents, Call::NotReached)?;
            return Err(Unreachable(format!("attempt {attempt} timed out")));
        }
        if card.number.starts_with("4000 0002") {
            self.note(key, order_id, cents, Call::Declined)?;
            return Ok(Payment::Declined);
        }
        self.note(key, order_id, cents, Call::Charged)?;
        Ok(Payment::Charged)
    }

    pub(crate) fn refund(&self, key: &str, order_id: &str, cents: u64) -> Result<(), Unreachable> {
        self.note(key, order_id, cents, Call::Refunded)
    }

    /// Writes every call down; one that would move money a second time is a repetition, and moves none.
    fn note(&self, key: &str, order_id: &str, cents: u64, call: Call) -> Result<(), Unreachable> {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let call = if call.moves_money() && books.done.contains(key) { Call::Repeated } else { call };
        let entry = Entry { key: key.to_owned(), order_id: order_id.to_owned(), cents, call };
        ledger::append(&mut books.ledger, &entry).map_err(|error| Unreachable(error.to_string()))?;
        if call.moves_money() {
            books.done.insert(key.to_owned());
        }
        Ok(())
    }
}

/// How many attempts fail before the bank is reached: one to three with some cards, none with most.
fn attempts_in_vain(card: &Card) -> u32 {
    match card.number.starts_with("4000 0119") {
        true => 1 + card.number.bytes().last().map_or(0, |digit| u32::from(digit) % 3),
        false => 0,
    }
}
