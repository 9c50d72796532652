//! What can be seen from outside: spans and traces, metrics, logs.

mod captured;

mod canary;
mod metrics;
mod recorder;
mod silence;
mod spans;
