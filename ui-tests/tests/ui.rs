//! Every case of `cases/`: those in `pass` compile and run, those in `fail` print exactly the text beside them.
//!
//! After a change that is meant, `TRYBUILD=overwrite cargo test -p ui-tests` writes the new texts; read them.
//! One theme alone: `cargo test -p ui-tests -- compiler trybuild=select/`.

use std::env;
use std::process::Command;

/// The texts are those of one compiler.
const TOOLCHAIN: &str = include_str!("../../rust-toolchain.toml");

/// What cargo reads in place of `debug = ..` of a profile. trybuild builds the cases in a project of its own, which knows
/// nothing of our profiles: with what is usual, the programs of `pass` would be ten gigabytes of debug information.
const DEBUG: &str = "CARGO_PROFILE_DEV_DEBUG";
const STRIP: &str = "CARGO_PROFILE_DEV_STRIP";

/// Never skips: the texts of another compiler would differ everywhere, and say nothing.
#[test]
fn the_compiler_says_what_is_written_beside_each_case() {
    if env::var_os(STRIP).is_none() {
        // trybuild passes its environment on to cargo, and a process may not change its own: so it starts anew.
        let mut again = Command::new(env::current_exe().unwrap());
        again.args(env::args_os().skip(1)).arg("--nocapture").env(DEBUG, "0").env(STRIP, "debuginfo");
        return assert!(again.status().unwrap().success(), "cases differ: see above");
    }
    let pinned = TOOLCHAIN.split_once("channel = \"").unwrap().1.split('"').next().unwrap();
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = String::from_utf8(Command::new(rustc).arg("--version").output().unwrap().stdout).unwrap();
    assert!(
        version.starts_with(&format!("rustc {pinned} ")),
        "the expected texts are those of rustc {pinned}, but this is {version}; run with `cargo +{pinned}`"
    );
    let cases = trybuild::TestCases::new();
    cases.pass("cases/*/pass/*.rs");
    cases.compile_fail("cases/*/fail/*.rs");
}
