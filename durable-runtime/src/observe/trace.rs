//! The context of a trace, as the W3C writes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How long a `tracestate` may be, in bytes: what the recommendation asks everybody to carry.
const STATE_BYTES_MAX: usize = 512;

/// Which trace something belongs to: the headers `traceparent` and `tracestate` of the W3C recommendation
/// "Trace Context".
///
/// It is stored with the start of an instance and carried, as it is, to its activities, its children and its later
/// executions. The engine makes no ids of its own: all of that hangs below the span that started the instance.
///
/// ```
/// use durable_runtime::observe::TraceContext;
///
/// let context: TraceContext = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse()?;
/// assert_eq!(context.trace_id(), "0af7651916cd43dd8448eb211c80319c");
/// assert!(context.is_sampled());
/// # Ok::<(), durable_runtime::observe::TraceContextError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceContext {
    parent: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    state: Option<String>,
}

/// A text is no context of a trace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TraceContextError {
    /// Not of the form of a `traceparent`.
    #[error(
        "not a `traceparent`: two, 32, 16 and two lower-case hexadecimal digits with `-` between, ids not all zero"
    )]
    Parent,
    /// The `tracestate` is too long, or has characters that a header may not have.
    #[error("not a `tracestate`: at most {STATE_BYTES_MAX} printable ASCII characters")]
    State,
}

impl TraceContext {
    /// Adds a `tracestate`.
    ///
    /// # Errors
    /// [`TraceContextError::State`] if it cannot be one.
    pub fn with_state(mut self, state: impl Into<String>) -> Result<Self, TraceContextError> {
        let state = state.into();
        if state.len() > STATE_BYTES_MAX || !state.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(TraceContextError::State);
        }
        self.state = Some(state).filter(|state| !state.is_empty());
        Ok(self)
    }

    /// The header `traceparent`.
    pub fn traceparent(&self) -> &str {
        &self.parent
    }

    /// The header `tracestate`, if there is one.
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The id of the trace: 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        self.parent.get(3..35).unwrap_or_default()
    }

    /// The id of the span that started the instance: 16 hexadecimal digits.
    pub fn parent_id(&self) -> &str {
        self.parent.get(36..52).unwrap_or_default()
    }

    /// Whether the trace is recorded.
    pub fn is_sampled(&self) -> bool {
        let flags = self.parent.get(53..55).and_then(|flags| u8::from_str_radix(flags, 16).ok());
        flags.is_some_and(|flags| flags & 1 == 1)
    }
}

impl FromStr for TraceContext {
    type Err = TraceContextError;

    fn from_str(text: &str) -> Result<Self, TraceContextError> {
        let parts: Vec<&str> = text.split('-').collect();
        let is_hex = |part: &str, digits: usize| {
            part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        };
        let is_id = |part: &str, digits: usize| is_hex(part, digits) && part.bytes().any(|byte| byte != b'0');
        match parts.as_slice() {
            // Later versions may add parts; `ff` is none.
            [version, trace, parent, flags, rest @ ..]
                if is_hex(version, 2)
                    && *version != "ff"
                    && is_id(trace, 32)
                    && is_id(parent, 16)
                    && is_hex(flags, 2)
                    && (*version != "00" || rest.is_empty()) =>
            {
                Ok(Self { parent: format!("{version}-{trace}-{parent}-{flags}"), state: None })
            }
            _ => Err(TraceContextError::Parent),
        }
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parent)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_no_traceparent_is_refused() {
        let parse = |text: &str| text.parse::<TraceContext>();
        assert_eq!(parse(GOOD).unwrap().parent_id(), "b7ad6b7169203331");
        assert!(!parse(&GOOD.replace("-01", "-02")).unwrap().is_sampled());
        assert!(parse(&format!("01{}-more", &GOOD[2..])).is_ok(), "a later version");
        for bad in [
            "",
            "00",
            &GOOD.to_uppercase(),
            &GOOD[1..],
            &GOOD[..54],
            &format!("{GOOD}-more"),
            &format!("ff{}", &GOOD[2..]),
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0af7651916cd43dd8448eb211c80319ü-b7ad6b7169203331-01",
        ] {
            assert_eq!(parse(bad), Err(TraceContextError::Parent), "{bad}");
        }
    }

    #[test]
    fn a_state_is_bounded() {
        let context: TraceContext = GOOD.parse().unwrap();
        assert_eq!(
            context.clone().with_state("rojo=00f067aa0ba902b7").unwrap().tracestate(),
            Some("rojo=00f067aa0ba902b7")
        );
        assert_eq!(context.clone().with_state("x".repeat(513)), Err(TraceContextError::State));
        assert_eq!(context.clone().with_state("line\nbreak"), Err(TraceContextError::State));
        assert_eq!(context.with_state("").unwrap().tracestate(), None);
    }
}
