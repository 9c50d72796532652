//! The lines of an export.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::ids::{ExecutionId, InstanceId, MessageId};

/// The newest version of the format that this version writes; it reads all up to this one.
pub const FORMAT_VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    /// The first line.
    Head { format: u32 },
    /// An instance begins.
    Instance {
        id: InstanceId,
        execution: ExecutionId,
        metadata: BTreeMap<String, Data>,
        labels: BTreeMap<String, String>,
    },
    /// The next events of an execution.
    Event { execution: ExecutionId, id: u64, data: Data },
    /// A key with its value.
    Kv { key: String, data: Data },
    /// A message that waits.
    Message(StoredMessage),
    /// The instance is whole: so many lines it had, the first and this one aside.
    Whole { lines: u64 },
    /// The last line.
    End { instances: u64 },
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredMessage {
    /// Whether it is an activity.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) activity: bool,
    pub(super) id: MessageId,
    pub(super) execution: ExecutionId,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) topic: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    pub(super) visible_at: Timestamp,
    pub(super) data: Data,
}

/// What a store keeps without reading it: a text, which it nearly always is, or bytes in hexadecimal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Data {
    Text(String),
    Bytes { hex: String },
}

impl Data {
    pub(super) fn of(bytes: &Bytes) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes { hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect() },
        }
    }

    /// The bytes again; `None` if they are not in hexadecimal.
    pub(super) fn bytes(&self) -> Option<Bytes> {
        match self {
            Self::Text(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
            Self::Bytes { hex } => {
                let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
                let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
                let pairs = digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit));
                pairs.map(|byte| u8::try_from(byte).ok()).collect::<Option<Vec<u8>>>().map(Bytes::from)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_comes_back_to_the_letter() {
        for bytes in [&b""[..], b"{\"a\":\"\\u00fc\"}", "ü\n".as_bytes(), &[0, 255, 16, 1], &[0x80]] {
            let data = Data::of(&Bytes::copy_from_slice(bytes));
            let text = serde_json::to_string(&data).unwrap();
            assert_eq!(serde_json::from_str::<Data>(&text).unwrap().bytes().unwrap(), bytes);
        }
        for bad in ["0", "0g", "ü"] {
            assert_eq!(Data::Bytes { hex: bad.to_owned() }.bytes(), None);
        }
    }
}
