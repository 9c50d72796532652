//! Every case of `cases/`: those in `pass` compile and run, those in `fail` print exactly the text beside them.
//!
//! After a change that is meant, `TRYBUILD=overwrite cargo test -p ui-tests` writes the new texts; read them.
//! One theme alone: `cargo test -p ui-tests -- compiler trybuild=select/`.

use std::env;
use std::process::Command;

/// The texts are those of one compiler.
const TOOLCHAIN: &str = include_str!("../../rust-toolchain.toml");

/// Never skips: the texts of another compiler would differ everywhere, and say nothing.
#[test]
fn the_compiler_says_what_is_written_beside_each_case() {
    let pinned = TOOLCHAIN.split_once("channel = \"").unwrap().1.split('"').next().unwrap();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = String::from_utf8(Command::new(rustc).arg("--version").output().unwrap().stdout).unwrap();
    assert!(
        version.starts_with(&format!("rustc {pinned} ")),
        "the expected texts are those of rustc {pinned}, but this is {version}; run with `cargo +{pinned}`"
    );
    ui_tests::without_debug_information(|| {
        let cases = trybuild::TestCases::new();
        cases.pass("cases/*/pass/*.rs");
        cases.compile_fail("cases/*/fail/*.rs");
    });
}
