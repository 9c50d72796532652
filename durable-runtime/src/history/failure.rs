//! How a piece of work can fail: the stored form of every typed error.

use serde::{Deserialize, Serialize};

use super::place::Place;
use crate::limits::Limits;
use crate::payload::Payload;

/// Why an activity, a child or an orchestration ended without an output.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Failure {
    /// It returned an error.
    Failed {
        /// The error, encoded.
        error: Payload,
    },
    /// It did not end in time.
    TimedOut {
        /// Which limit it was, with its length.
        message: String,
    },
    /// It was cancelled.
    Cancelled {
        /// Why.
        reason: String,
    },
    /// It was ended at once from outside.
    Terminated {
        /// Why.
        reason: String,
    },
    /// It panicked.
    Panicked {
        /// The text of the panic.
        message: String,
        /// Where.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
    },
    /// An argument did not decode, or an output could not be encoded.
    Codec {
        /// Which, and why.
        message: String,
    },
    /// It could not be started: no such name or version, no state, an id that is taken.
    Unavailable {
        /// Why.
        message: String,
    },
    /// It waits for something that no event will ever bring.
    NeverWakes {
        /// What to look for.
        message: String,
    },
    /// Its process died again and again while it ran, so it was given up.
    Poisoned {
        /// How often, and what it was about.
        message: String,
    },
    /// A limit was reached.
    LimitReached {
        /// Which one.
        message: String,
    },
}

impl Failure {
    /// The same, of a length that may be kept.
    pub(crate) fn within(self, limits: &Limits) -> Self {
        let cut = |text: String| cut(text, limits.error_text_bytes_max);
        match self.text_cut(limits) {
            Self::Failed { error } if error.len() > limits.payload_bytes_max => {
                let (bytes, most) = (error.len(), limits.payload_bytes_max);
                Self::LimitReached { message: format!("the error has {bytes} bytes; at most {most} are kept") }
            }
            Self::Panicked { message, place } => Self::Panicked { message: cut(message), place },
            Self::Codec { message } => Self::Codec { message: cut(message) },
            Self::Unavailable { message } => Self::Unavailable { message: cut(message) },
            other => other,
        }
    }

    /// The same; but an error that is a text is cut, if it is too long.
    pub(crate) fn text_cut(self, limits: &Limits) -> Self {
        match self {
            Self::Failed { error } if error.len() > limits.error_text_bytes_max && error.as_str().starts_with('"') => {
                Self::Failed { error: cut_text(error, limits.error_text_bytes_max) }
            }
            other => other,
        }
    }

    /// What it is, in one line and without any payload.
    pub fn summary(&self) -> String {
        match self {
            Self::Failed { .. } => "returned an error".to_owned(),
            Self::TimedOut { message } => format!("timed out: {message}"),
            Self::Cancelled { reason } => format!("cancelled: {reason}"),
            Self::Terminated { reason } => format!("terminated: {reason}"),
            Self::Panicked { message, place: Some(place) } => format!("panicked at {place}: {message}"),
            Self::Panicked { message, place: None } => format!("panicked: {message}"),
            Self::Codec { message } | Self::Unavailable { message } => message.clone(),
            Self::NeverWakes { message } | Self::LimitReached { message } | Self::Poisoned { message } => {
                message.clone()
            }
        }
    }
}

/// An error that is a text, cut as other texts are.
fn cut_text(error: Payload, most: usize) -> Payload {
    let text = error.read::<String>().and_then(|text| Payload::encode(&cut(text, most)));
    text.unwrap_or(error)
}

/// The beginning of a text that is too long, with a mark that says so.
pub(crate) fn cut(mut text: String, most: usize) -> String {
    const MARK: &str = " … (cut)";
    if text.len() > most {
        let mut end = most.saturating_sub(MARK.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push_str(MARK);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters_and_marked() {
        assert_eq!(cut("short".to_owned(), 5), "short");
        let most = " … (cut)".len() + 5;
        let text = cut("ä".repeat(most), most);
        assert_eq!(text, "ää … (cut)");
        assert!(text.len() <= most);
    }

    #[test]
    fn an_error_that_is_a_text_is_cut_and_one_with_fields_is_not() {
        let limits = Limits { error_text_bytes_max: 40, ..Limits::default() };
        let failed = |error: &serde_json::Value| Failure::Failed { error: Payload::encode(error).unwrap() };
        let within = |error: serde_json::Value| match failed(&error).within(&limits) {
            Failure::Failed { error } => error.read::<serde_json::Value>().unwrap(),
            other => panic!("{other:?}"),
        };
        assert_eq!(within("x".repeat(40).into()), "x".repeat(40));
        let cut = format!("{} … (cut)", "x".repeat(30));
        assert_eq!(within("x".repeat(41).into()), cut);
        let fields = serde_json::json!({ "text": "x".repeat(100) });
        assert_eq!(within(fields.clone()), fields);
    }
}
