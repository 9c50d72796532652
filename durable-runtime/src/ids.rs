//! What things are called: ids that are types, so that none is passed in the place of another.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The longest id, name or label in bytes (every store must be able to use it as part of a key).
pub const ID_BYTES_MAX: usize = 512;

/// Why a text cannot be an id or a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Nothing was given.
    #[error("{what} is empty; give it at least one character")]
    Empty {
        /// What the text was to be: `instance id`, `event name` …
        what: &'static str,
    },
    /// Longer than [`ID_BYTES_MAX`].
    #[error("{what} has {bytes} bytes; at most {ID_BYTES_MAX} are kept")]
    TooLong {
        /// What the text was to be.
        what: &'static str,
        /// How long it is.
        bytes: usize,
    },
    /// A NUL, a line break or another control character.
    #[error("{what} has the control character {character:?} at byte {at}; take it out")]
    Control {
        /// What the text was to be.
        what: &'static str,
        /// The character.
        character: char,
        /// Where it stands.
        at: usize,
    },
}

/// The one rule for ids and names: 1 to 512 bytes, no control characters, anything else allowed.
///
/// # Errors
/// [`IdError`], which says what is wrong with the text.
pub fn check_id(what: &'static str, text: &str) -> Result<(), IdError> {
    if text.is_empty() {
        return Err(IdError::Empty { what });
    }
    if text.len() > ID_BYTES_MAX {
        return Err(IdError::TooLong { what, bytes: text.len() });
    }
    match text.char_indices().find(|(_, character)| character.is_control()) {
        Some((at, character)) => Err(IdError::Control { what, character, at }),
        None => Ok(()),
    }
}

macro_rules! text_id {
    ($(#[$docs:meta])* $name:ident, $what:literal) => {
        $(#[$docs])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            #[doc = concat!("Takes a text as ", $what, ".")]
            ///
            /// # Errors
            /// [`IdError`] if it is empty, longer than 512 bytes, or has a control character.
            pub fn new(text: impl AsRef<str>) -> Result<Self, IdError> {
                let text = text.as_ref();
                check_id($what, text)?;
                Ok(Self(text.into()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id! {
    /// Names an instance: one run of an orchestration through all its executions.
    InstanceId, "instance id"
}

text_id! {
    /// Names a message among those of one queue. The sender chooses it, so that sending twice stores once.
    MessageId, "message id"
}

macro_rules! number_id {
    ($(#[$docs:meta])* $name:ident) => {
        $(#[$docs])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// The one after this.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

number_id! {
    /// Which execution of an instance: 1, and one more with each continue-as-new.
    ExecutionId
}

number_id! {
    /// Where an event stands in the history of its execution: 1, 2, 3 … without gaps.
    EventId
}

number_id! {
    /// Which command of an execution, by the order in which the code gave them: 1, 2, 3 …
    CommandId
}

impl ExecutionId {
    /// The first execution of every instance.
    pub const FIRST: Self = Self(1);
}

impl EventId {
    /// The first event of every history.
    pub const FIRST: Self = Self(1);
}

/// A lease on one execution of an instance, or on one activity message of it.
///
/// Prints as `{instance}-{execution}-{timestamp}-{fence}`. Every grant of a store has a larger fence
/// than any before it, and a transaction under a smaller one writes nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LockToken {
    /// Whose lease it is.
    pub instance: InstanceId,
    /// The execution it was granted for; it is worthless for another.
    pub execution_id: ExecutionId,
    /// When it was granted, by the clock of the store, in milliseconds since 1970.
    pub granted_at_ms: u64,
    /// Larger than that of every earlier grant.
    pub fence: u64,
}

impl fmt::Display for LockToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{}", self.instance, self.execution_id, self.granted_at_ms, self.fence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_any_printable_text_up_to_512_bytes() {
        for good in ["a", "order-42", "../x", "a/b'c\"", "Ärger ☃", &"x".repeat(512)] {
            assert_eq!(InstanceId::new(good).unwrap().as_str(), good);
        }
        assert_eq!(InstanceId::new(""), Err(IdError::Empty { what: "instance id" }));
        assert_eq!(InstanceId::new("x".repeat(513)), Err(IdError::TooLong { what: "instance id", bytes: 513 }));
        assert_eq!(
            InstanceId::new("a\0b").unwrap_err().to_string(),
            "instance id has the control character '\\0' at byte 1; take it out"
        );
    }

    #[test]
    fn a_lock_token_prints_its_four_parts() {
        let token = LockToken {
            instance: InstanceId::new("order-42").unwrap(),
            execution_id: ExecutionId(3),
            granted_at_ms: 1_700_000_000_000,
            fence: 17,
        };
        assert_eq!(token.to_string(), "order-42-3-1700000000000-17");
    }
}
