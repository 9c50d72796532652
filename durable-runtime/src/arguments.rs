//! How the arguments of a function become one JSON object: what the attributes emit calls this.
//!
//! A type that cannot cross is one error, at the type, from [`crosses`]. The code that writes and reads the object must
//! therefore compile for such types as well: [`Writing`] and [`Reading`] have the real methods for payload values only,
//! and for everything else the compiler falls back to the methods of a trait, which refuse.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserializer, Serialize, forward_to_deserialize_any};

use crate::PayloadValue;

/// Holds if `T` can be an argument.
pub const fn crosses<T: PayloadValue>() {}

/// An argument about to be written.
pub struct Writing<'a, T>(pub &'a T);

impl<'a, T: PayloadValue + Serialize> Writing<'a, T> {
    /// The value itself.
    pub fn value(&self) -> &'a T {
        self.0
    }
}

/// Stands in where the type is no payload value; such a program is refused elsewhere.
pub trait Unwritable {
    /// Nothing.
    fn value(&self) -> &'static () {
        &()
    }
}

impl<T> Unwritable for Writing<'_, T> {}

/// An argument about to be read.
pub struct Reading<T>(PhantomData<T>);

impl<T> Reading<T> {
    /// Nothing is needed to begin.
    pub const NEW: Self = Self(PhantomData);
}

impl<T: PayloadValue + DeserializeOwned> Reading<T> {
    /// The value behind the key that was just read.
    ///
    /// # Errors
    /// Those of the type.
    pub fn value<'de, M: MapAccess<'de>>(&self, map: &mut M) -> Result<T, M::Error> {
        map.next_value()
    }

    /// What stands for an argument that is not there: `None` if it is an `Option`, so that a new optional argument does
    /// not break what was stored without it.
    ///
    /// # Errors
    /// A missing field, for all other types.
    pub fn missing<E: Error>(&self, key: &'static str) -> Result<T, E> {
        T::deserialize(Missing { key, error: PhantomData })
    }
}

/// Stands in where the type is no payload value; such a program is refused elsewhere.
pub trait Unreadable<T> {
    /// Never a value.
    ///
    /// # Errors
    /// Always.
    fn value<'de, M: MapAccess<'de>>(&self, _: &mut M) -> Result<T, M::Error> {
        Err(M::Error::custom("not a payload value"))
    }

    /// Never a value.
    ///
    /// # Errors
    /// Always.
    fn missing<E: Error>(&self, key: &'static str) -> Result<T, E> {
        Err(E::missing_field(key))
    }
}

impl<T> Unreadable<T> for Reading<T> {}

/// Reads a key as its position among the argument names, `None` for a name that is not among them.
pub struct ArgumentNames(pub &'static [&'static str]);

impl<'de> DeserializeSeed<'de> for ArgumentNames {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for ArgumentNames {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of an argument")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|known| *known == name))
    }
}

/// Passes over the value of an argument that the function does not have, or no longer has.
///
/// # Errors
/// If it is not even JSON.
pub fn skip_argument<'de, M: MapAccess<'de>>(map: &mut M) -> Result<(), M::Error> {
    map.next_value::<IgnoredAny>().map(drop)
}

/// Reads as `None` where an `Option` is wanted, and as an error that names the key everywhere else.
struct Missing<E> {
    key: &'static str,
    error: PhantomData<E>,
}

impl<'de, E: Error> Deserializer<'de> for Missing<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, E> {
        Err(E::missing_field(self.key))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_none()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct newtype_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Error;

    use super::*;

    #[test]
    fn only_options_may_be_missing() {
        assert_eq!(Reading::<Option<u8>>::NEW.missing::<Error>("tip").unwrap(), None);
        let error = Reading::<u8>::NEW.missing::<Error>("tip").unwrap_err();
        assert_eq!(error.to_string(), "missing field `tip`");
    }

    #[test]
    fn types_that_cannot_cross_compile_and_are_refused() {
        struct Opaque;
        assert_eq!(Writing(&Opaque).value(), &());
        assert!(Reading::<Opaque>::NEW.missing::<Error>("tip").is_err());
    }
}
