//! Prints the rules of orchestrations for `clippy.toml`: `cargo run --example clippy_rules >> clippy.toml`

fn main() {
    print!("{}", durable_runtime::errors::CLIPPY_TOML);
}
