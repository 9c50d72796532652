//! See `cases/mod.rs`.

#[path = "../../cases/mod.rs"]
mod cases;
