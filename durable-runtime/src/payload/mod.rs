//! Values that cross a border: JSON, encoded once by the user's types and never touched again by the engine.

mod ordered;

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A type whose values can be arguments, outputs, errors and events: anything that serde can write and read back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot cross into or out of an activity, orchestration or event",
    label = "this type cannot be written as JSON and read back",
    note = "derive `Serialize` and `Deserialize` for it, and let it own what it holds (no borrowed fields)"
)]
// What the implementation below asks for is no supertrait: of supertraits, the compiler reports each one that is missing,
// and not this trait.
pub trait PayloadValue: Sized + 'static {
    /// The value as JSON.
    ///
    /// # Errors
    /// [`CodecError`] if the value refuses.
    #[doc(hidden)]
    fn to_payload(&self) -> Result<Payload, CodecError>;

    /// The value of some JSON.
    ///
    /// # Errors
    /// [`CodecError`], which names the field that does not fit.
    #[doc(hidden)]
    fn from_payload(payload: &Payload) -> Result<Self, CodecError>;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Send + 'static> PayloadValue for T {
    fn to_payload(&self) -> Result<Payload, CodecError> {
        Payload::encode(self)
    }

    fn from_payload(payload: &Payload) -> Result<Self, CodecError> {
        payload.read()
    }
}

/// One encoded value: a piece of JSON text, cheap to clone.
#[derive(Clone)]
pub struct Payload(Arc<RawValue>);

/// A value could not be encoded, or a payload is not of the type that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CodecError {
    message: String,
}

impl CodecError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

impl Payload {
    /// Encodes a value. What a hash map or hash set holds is written sorted.
    ///
    /// # Errors
    /// [`CodecError`] if the type refuses, as maps whose keys are no texts do.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, CodecError> {
        let raw = ordered::encode(value)
            .map_err(|error| CodecError::new(format!("a `{}` cannot be encoded: {error}", type_name::<T>())))?;
        Ok(Self(raw.into()))
    }

    /// Decodes a value.
    ///
    /// # Errors
    /// [`CodecError`], which names the field that does not fit.
    pub fn decode<T: PayloadValue>(&self) -> Result<T, CodecError> {
        T::from_payload(self)
    }

    /// As [`Payload::decode`], for what the macros make: its parts are payload values.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, CodecError> {
        serde_json::from_str(self.as_str()).map_err(|_| self.explain::<T>())
    }

    /// Takes a JSON text as it is.
    ///
    /// # Errors
    /// [`CodecError`] if it is not JSON.
    pub fn from_json(text: String) -> Result<Self, CodecError> {
        let raw = RawValue::from_string(text).map_err(|error| CodecError::new(format!("not JSON: {error}")))?;
        Ok(Self(raw.into()))
    }

    /// Takes what a store has kept of a JSON text.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, CodecError> {
        let text = std::str::from_utf8(bytes).map_err(|error| CodecError::new(format!("not a text: {error}")))?;
        Self::from_json(text.to_owned())
    }

    /// The payload `null`.
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned().into())
    }

    /// The JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The length of the JSON text in bytes.
    pub fn len(&self) -> usize {
        self.as_str().len()
    }

    /// Never: a payload has at least one character.
    pub fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }

    /// Decodes once more, slower, to find the field.
    fn explain<T: DeserializeOwned>(&self) -> CodecError {
        let mut deserializer = serde_json::Deserializer::from_str(self.as_str());
        match serde_path_to_error::deserialize::<_, T>(&mut deserializer) {
            Ok(_) => CodecError::new("characters follow the value"),
            Err(error) if error.path().iter().len() == 0 => CodecError::new(error.inner().to_string()),
            Err(error) => CodecError::new(format!("field `{}`: {}", error.path(), error.inner())),
        }
    }
}

fn type_name<T: ?Sized>() -> &'static str {
    std::any::type_name::<T>()
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Payload {}

/// Shows the length only: what users store does not belong into logs.
impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}

impl Serialize for Payload {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer)?.into()))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Order {
        lines: Vec<Line>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Line {
        cents: u64,
    }

    #[test]
    fn what_was_encoded_is_kept_to_the_letter() {
        let payload = Payload::encode(&Order { lines: vec![Line { cents: 5 }] }).unwrap();
        let event = serde_json::to_string(&BTreeMap::from([("input", payload.clone())])).unwrap();
        assert_eq!(event, r#"{"input":{"lines":[{"cents":5}]}}"#);
        let back: BTreeMap<String, Payload> = serde_json::from_str(&event).unwrap();
        assert_eq!(back["input"], payload);
    }

    #[test]
    fn a_misfit_names_its_field() {
        let payload = Payload::from_json(r#"{"lines":[{"cents":"five"}]}"#.into()).unwrap();
        let error = payload.decode::<Order>().unwrap_err().to_string();
        assert_eq!(error, "field `lines[0].cents`: invalid type: string \"five\", expected u64 at line 1 column 25");
    }

    #[test]
    fn a_value_that_json_cannot_hold_is_an_error() {
        let error = Payload::encode(&BTreeMap::from([(vec![1], 2)])).unwrap_err().to_string();
        assert!(error.contains("key must be a string"), "{error}");
    }
}
