//! Every case of `cases/`: those in `pass` compile and run, those in `fail` print exactly the text beside them.
//!
//! After a change that is meant, `TRYBUILD=overwrite cargo test -p ui-tests` writes the new texts; read them.

use std::process::Command;

/// The texts are those of one compiler.
const TOOLCHAIN: &str = include_str!("../../rust-toolchain.toml");

#[test]
fn the_compiler_says_what_is_written_beside_each_case() {
    check_compiler();
    let cases = trybuild::TestCases::new();
    cases.pass("cases/*/pass/*.rs");
    cases.compile_fail("cases/*/fail/*.rs");
}

/// Never skips: texts of another compiler would differ everywhere, and say nothing.
fn check_compiler() {
    let pinned = TOOLCHAIN.split_once("channel = \"").unwrap().1.split('"').next().unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    let version = String::from_utf8(output.stdout).unwrap();
    assert!(
        version.starts_with(&format!("rustc {pinned} ")),
        "the expected texts are those of rustc {pinned}, but this is {version}; run with `cargo +{pinned}`"
    );
}
