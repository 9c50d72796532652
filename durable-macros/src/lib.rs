//! The attributes of `durable-runtime`; depend on that crate, which re-exports them.
