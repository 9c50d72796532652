//! The attempts of an activity that failed before its last one: what a completion says of them.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::clock::Timestamp;
use crate::payload::Payload;

/// How many failed attempts are kept of one call: the newest.
const KEPT_MAX: usize = 10;
/// How long the text of an error is that is kept of a failed attempt, in bytes.
const ERROR_BYTES_MAX: usize = 1_024;

/// An attempt of an activity that failed and was followed by another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FailedAttempt {
    /// Which one, counted from 1.
    pub attempt: u32,
    /// When it was handed to a worker.
    pub began_at: Timestamp,
    /// Why it failed. An error of more than 1 KiB is kept as a text with its beginning.
    pub failure: Failure,
}

/// Adds one; the oldest go when there are more than ten.
pub(crate) fn note(attempts: &mut Vec<FailedAttempt>, attempt: u32, began_at: Timestamp, failure: &Failure) {
    attempts.push(FailedAttempt { attempt, began_at, failure: shortened(failure.clone()) });
    let surplus = attempts.len().saturating_sub(KEPT_MAX);
    attempts.drain(..surplus);
}

fn shortened(failure: Failure) -> Failure {
    match failure {
        Failure::Failed { error } if error.len() > ERROR_BYTES_MAX => {
            let text = format!("{} … ({} bytes)", head(error.as_str()), error.len());
            Payload::encode(&text).map_or(Failure::Codec { message: text }, |error| Failure::Failed { error })
        }
        Failure::Panicked { message, place } if message.len() > ERROR_BYTES_MAX => {
            Failure::Panicked { message: format!("{} … ({} bytes)", head(&message), message.len()), place }
        }
        failure => failure,
    }
}

fn head(text: &str) -> &str {
    let mut end = ERROR_BYTES_MAX.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_long_errors_shortened() {
        let mut attempts = Vec::new();
        for attempt in 1..=25 {
            let error = Payload::encode(&"ü".repeat(5_000)).unwrap();
            note(&mut attempts, attempt, Timestamp::EPOCH, &Failure::Failed { error });
            note(
                &mut attempts,
                attempt,
                Timestamp::EPOCH,
                &Failure::Panicked { message: "ü".repeat(5_000), place: None },
            );
        }
        assert_eq!(
            attempts.iter().map(|attempt| attempt.attempt).collect::<Vec<_>>(),
            [21, 21, 22, 22, 23, 23, 24, 24, 25, 25]
        );
        let bytes = serde_json::to_vec(&attempts).unwrap().len();
        assert!(bytes < 10 * (ERROR_BYTES_MAX + 200), "{bytes}");
        assert!(attempts.iter().all(|attempt| !attempt.failure.summary().is_empty()));
    }
}
