//! What is asked wrongly: each verb, each place for a value, each duration, as tables of what is answered.

mod depth;
mod sizes;
mod times;
mod verbs;
