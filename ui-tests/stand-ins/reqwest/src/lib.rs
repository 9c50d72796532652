//! A few paths of the real `reqwest`, which would build a hundred crates: rules look at names alone.

/// A client that does nothing.
pub struct Client;

impl Client {
    /// One more of them.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self
    }
}

/// The code of a response.
pub struct StatusCode(pub u16);

/// Requests that wait.
pub mod blocking {
    /// Asks nobody.
    pub fn get(_: &str) {}
}
