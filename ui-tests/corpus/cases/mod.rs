//! Orchestrations as people write them. All compile, under both editions, and run to their result: no rule may refuse
//! what is deterministic.

mod builders;
mod calendar;
mod children;
mod errors;
mod events;
mod generics;
mod iterators;
mod json;
mod pollers;
mod recursion;
mod sagas;
mod state_machines;
mod text;
