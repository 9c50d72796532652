//! Runs every example as a reader would, in a folder of its own, and looks at what it says.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

type Outcome = Result<(), Box<dyn Error>>;

#[test]
fn hello_greets_once_however_often_it_runs() -> Outcome {
    let folder = tempfile::tempdir()?;
    assert_eq!(said(&folder, "hello", "")?, "greeting Ada ...\nHello, Ada!\n");
    assert_eq!(said(&folder, "hello", "")?, "Hello, Ada!\n");
    Ok(())
}

#[test]
fn human_approval_shows_the_approval_and_the_end_of_patience() -> Outcome {
    let said = said(&tempfile::tempdir()?, "human_approval", "")?;
    assert!(said.contains("train to Oslo: paid out, approved by Grace\n"), "{said}");
    assert!(said.contains("lunch for nine: sent back, nobody looked at it in time\n"), "{said}");
    Ok(())
}

#[test]
fn fan_out_adds_up_to_what_was_sold() -> Outcome {
    let said = said(&tempfile::tempdir()?, "fan_out", "")?;
    assert!(said.contains("\nin all         249,217 EUR\n"), "{said}"); // as `generate_orders` says
    assert!(said.contains(" of 40 parts were counted before the stop, "), "{said}");
    Ok(())
}

#[test]
fn eternal_keeps_every_history_short() -> Outcome {
    let said = said(&tempfile::tempdir()?, "eternal", "")?;
    let lengths: Vec<u32> = said.lines().filter_map(|line| number_after(line, ": ")).collect();
    assert_eq!(lengths.len(), 6, "{said}");
    assert!(lengths.iter().all(|length| (20..=30).contains(length)), "{said}");
    assert!(said.contains("60 readings taken, none lost"), "{said}");
    Ok(())
}

#[test]
fn children_reports_the_branch_that_does_not_balance() -> Outcome {
    let said = said(&tempfile::tempdir()?, "children", "")?;
    assert!(said.contains("Graz: not closed, 250 cents are missing in the till\n"), "{said}");
    assert!(said.contains("Oslo: closed, 4130 EUR sold\n"), "{said}");
    assert!(said.contains("the audit of 2026-10 confirms 12340 EUR\n"), "{said}");
    Ok(())
}

#[test]
fn saga_undoes_in_reverse_after_an_error_and_a_cancellation() -> Outcome {
    let said = said(&tempfile::tempdir()?, "saga", "")?;
    assert!(said.contains("=> 3 bookings kept\n"), "{said}");
    let undone = |journey: &str, parts: &[&str]| {
        parts.iter().map(|part| format!("  given back: {part} {journey}\n")).collect::<String>()
    };
    let moon = undone("to the moon", &["Hotel", "Flight"]) + "=> no Car is to be had\n";
    let oslo = undone("to Oslo", &["Car", "Hotel", "Flight"]) + "=> the instance was cancelled: too cold\n";
    assert!(said.contains(&moon), "{said}");
    assert!(said.contains(&oslo), "{said}");
    Ok(())
}

#[test]
fn versions_lets_everybody_go_on_as_they_began() -> Outcome {
    let said = said(&tempfile::tempdir()?, "versions", "")?;
    let expected = "1.0.0: Ada paid 900 cents\n\
        1.0.0: Grace paid 900 cents, with a receipt\n\
        2.0.0: Kurt paid 90 cents, Kurt paid 90 cents\n";
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn polling_monitor_waits_and_gives_up() -> Outcome {
    let said = said(&tempfile::tempdir()?, "polling_monitor", "")?;
    assert!(said.contains("short film: done, seen at look 6\n"), "{said}");
    assert!(said.contains("long film: given up, still at "), "{said}");
    Ok(())
}

#[test]
fn testing_kit_lets_a_month_pass() -> Outcome {
    let said = said(&tempfile::tempdir()?, "testing_kit", "")?;
    assert_eq!(said.lines().count(), 3, "{said}");
    Ok(())
}

#[test]
fn rate_limited_import_goes_on_after_a_crash_and_subscribes_once() -> Outcome {
    let folder = tempfile::tempdir()?;
    let crashed = run(folder.path(), "rate_limited_import", "--rows 1230 --crash-after 300")?;
    assert!(died_by_abort(&crashed), "{crashed:?}");

    let resumed = said(&folder, "rate_limited_import", "")?;
    assert!(resumed.contains("1,230 members imported from "), "{resumed}");
    assert!(resumed.contains("1,230 subscribed, 0 of them twice\n"), "{resumed}");
    Ok(())
}

#[test]
fn own_provider_runs_an_orchestration() -> Outcome {
    let said = said(&tempfile::tempdir()?, "own_provider", "")?;
    assert!(
        said.starts_with("lent `Dune` from the shelf, `Emma` from the shelf, `Ulysses` from the shelf\n"),
        "{said}"
    );
    assert!(said.lines().filter_map(|line| line.strip_suffix(" transactions")).any(|calls| calls != "0"), "{said}");
    Ok(())
}

#[test]
fn order_saga_goes_on_after_a_crash_and_charges_once() -> Outcome {
    let folder = tempfile::tempdir()?;
    let crashed = run(folder.path(), "order_saga", "--orders 200 --crash-after 60")?;
    assert!(died_by_abort(&crashed), "{crashed:?}");

    let resumed = said(&folder, "order_saga", "--orders 200")?;
    assert_eq!(row(&resumed, "completed "), Some(182), "{resumed}");
    assert_eq!(row(&resumed, "refunded "), Some(9), "{resumed}");
    assert_eq!(row(&resumed, "failed "), Some(9), "{resumed}");
    assert!(row(&resumed, "resumed ").is_some_and(|resumed| resumed > 0), "{resumed}");
    assert!(resumed.contains("\ncharged 191 cards, every one exactly once\n"), "{resumed}");

    let again = said(&folder, "order_saga", "--orders 200")?;
    assert!(again.contains("All of them were finished by an earlier run"), "{again}");
    assert!(again.contains("\ncharged 191 cards, every one exactly once\n"), "{again}");
    Ok(())
}

#[test]
fn order_saga_notices_a_card_that_is_charged_twice() -> Outcome {
    let folder = tempfile::tempdir()?;
    said(&folder, "order_saga", "--orders 20 --data shop")?;
    let path = folder.path().join("shop/ledger.jsonl");
    let ledger = fs::read_to_string(&path)?;
    let charge = ledger.lines().find(|line| line.contains("\"charged\"")).ok_or("no card was charged")?;
    fs::write(&path, format!("{ledger}{charge}\n"))?;

    let output = run(folder.path(), "order_saga", "--orders 20 --data shop")?;
    let error = String::from_utf8(output.stderr)?;
    assert!(!output.status.success());
    assert!(error.contains("money was moved 2 times for the idempotency key order-"), "{error}");

    let anew = said(&folder, "order_saga", "--orders 20 --data shop --fresh")?;
    assert_eq!(row(&anew, "resumed "), Some(0), "{anew}");
    Ok(())
}

#[test]
fn generate_orders_writes_the_orders_that_are_committed() -> Outcome {
    let folder = tempfile::tempdir()?;
    said(&folder, "generate_orders", "orders.json")?;
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/orders.json");
    assert!(fs::read(folder.path().join("orders.json"))? == fs::read(committed)?, "run `generate_orders` and commit");
    Ok(())
}

/// What an example prints, if it succeeds.
fn said(folder: &tempfile::TempDir, example: &str, arguments: &str) -> Result<String, Box<dyn Error>> {
    let output = run(folder.path(), example, arguments)?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(format!("`{example} {arguments}` ended with {}: {error}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

fn run(folder: &Path, example: &str, arguments: &str) -> Result<Output, Box<dyn Error>> {
    let program = program(example)?;
    Ok(Command::new(program).args(arguments.split_whitespace()).current_dir(folder).output()?)
}

/// Cargo puts examples beside the folder of the tests, and builds both for `cargo test` and `cargo nextest run`; but
/// not for `--test run`.
fn program(example: &str) -> Result<PathBuf, Box<dyn Error>> {
    let test = env::current_exe()?;
    let built = test.parent().and_then(Path::parent).ok_or("the test is in no folder")?;
    let program = built.join("examples").join(format!("{example}{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        return Err(format!("example `{example}` is not built; run `cargo build --examples` first").into());
    }
    Ok(program)
}

/// The number of a row of the summary.
fn row(said: &str, name: &str) -> Option<u32> {
    said.lines().find_map(|line| number_after(line.strip_prefix(name)?, " "))
}

fn number_after(line: &str, before: &str) -> Option<u32> {
    line.split_once(before)?.1.split_whitespace().next()?.parse().ok()
}

#[cfg(unix)]
fn died_by_abort(output: &Output) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    const SIGABRT: i32 = 6;
    output.status.signal() == Some(SIGABRT)
}

#[cfg(not(unix))]
fn died_by_abort(output: &Output) -> bool {
    !output.status.success()
}
