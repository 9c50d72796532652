//! What a function returns, told apart by the compiler: a `Result` under any alias, or a plain value.

use std::fmt;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

/// The error of a function that returns no `Result`: there is none.
///
/// It is [`std::convert::Infallible`], with the serde traits that one lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Infallible {}

impl fmt::Display for Infallible {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Infallible {}

impl Serialize for Infallible {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match *self {}
    }
}

impl<'de> Deserialize<'de> for Infallible {
    fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("a function without a `Result` has no error"))
    }
}

/// A return type as success and error. Which of the two implementations applies is said by [`Probe`], because a
/// `Result` meets both.
pub trait Shape<const RESULT: bool> {
    /// On success.
    type Ok;
    /// On failure.
    type Err;

    /// The value as a `Result`.
    ///
    /// # Errors
    /// The error of the value, if it is one.
    fn into_result(self) -> Result<Self::Ok, Self::Err>;
}

impl<T, E> Shape<true> for Result<T, E> {
    type Ok = T;
    type Err = E;

    fn into_result(self) -> Self {
        self
    }
}

impl<T> Shape<false> for T {
    type Ok = T;
    type Err = Infallible;

    fn into_result(self) -> Result<T, Infallible> {
        Ok(self)
    }
}

/// Says whether a type is a `Result`: an inherent constant, where there is one, wins over that of a trait.
pub struct Probe<T>(PhantomData<T>);

impl<T, E> Probe<Result<T, E>> {
    /// It is.
    pub const IS_RESULT: bool = true;
}

/// What [`Probe`] says of all other types.
pub trait NotResult {
    /// It is not.
    const IS_RESULT: bool = false;
}

impl<T> NotResult for Probe<T> {}
