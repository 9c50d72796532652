//! The cases are in `cases/`: by theme, what passes and what fails, with the text that the compiler prints.
//! The cases that pass do so in edition 2021 too; `ui-tests` itself compiles them in edition 2024.

use std::env;
use std::process::Command;

/// What cargo reads in place of what a profile says.
const DEBUG: &str = "CARGO_PROFILE_DEV_DEBUG";
const STRIP: &str = "CARGO_PROFILE_DEV_STRIP";

/// Runs a test of trybuild so that the programs it builds carry no debug information.
///
/// trybuild builds the cases in a project of its own, which knows nothing of our profiles: with what is usual, the programs
/// would be six gigabytes. It passes its environment on to cargo, and a process may not change its own: so it starts anew,
/// with the same arguments.
///
/// # Panics
/// If the test fails.
pub fn without_debug_information(test: impl FnOnce()) {
    if env::var_os(STRIP).is_some() {
        return test();
    }
    let mut arguments: Vec<_> = env::args_os().skip(1).collect();
    arguments.push("--nocapture".into());
    let again = |tests| Command::new(tests).args(arguments).env(DEBUG, "0").env(STRIP, "debuginfo").status();
    let ended = env::current_exe().and_then(again);
    assert!(
        ended.as_ref().is_ok_and(|status| status.success()),
        "what is wrong is said above; it ended with {ended:?}"
    );
}
