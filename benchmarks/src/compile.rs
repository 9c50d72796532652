//! What the attributes cost at compile time: `cargo check` of the same code with and without them.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use durable_workloads::{About, Figures, Line, RawFlushes, Result, millis, percentile};
use serde_json::json;
use tempfile::TempDir;

use crate::print;

/// How many functions a crate has, so that what they cost is more than what varies.
const BODIES: usize = 10;
/// How often each crate is checked: in turn, so that all see the same machine.
const ROUNDS: usize = 7;

/// Checks crates of functions with so many awaits, and crates of so many files.
pub(crate) fn compile(awaits: usize, files: usize) -> Result {
    let folder = TempDir::new()?;
    let raw = RawFlushes::before(folder.path())?;
    let crates = [
        Crate::new(&folder, "empty", &[])?,
        Crate::new(&folder, "plain", &bodies("", awaits))?,
        Crate::new(&folder, "annotated", &bodies("#[orchestration]", awaits))?,
        Crate::new(&folder, "files_plain", &modules("", files))?,
        Crate::new(&folder, "files_annotated", &modules("#[orchestration]", files))?,
    ];
    let mut times = vec![Vec::new(); crates.len()];
    // The first round builds what they depend on.
    for round in 0..=ROUNDS {
        for (one, times) in crates.iter().zip(&mut times) {
            let time = one.check(round)?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    let medians: Vec<f64> = times.iter_mut().map(|times| millis(percentile(times, 0.5))).collect();
    let [empty, plain, annotated, files_plain, files_annotated] = medians[..] else { return Ok(()) };
    let figures: Figures = [
        ("empty_check_ms", empty),
        ("plain_check_ms", plain),
        ("annotated_check_ms", annotated),
        ("more_than_plain", (annotated - plain) / plain),
        ("more_than_plain_without_empty", (annotated - plain) / (plain - empty)),
        ("files_plain_check_ms", files_plain),
        ("files_annotated_check_ms", files_annotated),
        ("files_more_ms", files_annotated - files_plain),
    ]
    .map(|(name, figure)| (name.to_owned(), figure))
    .into();
    let about =
        About { engine: "macros".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), settings: json!({}) };
    let options = json!({ "awaits": awaits, "bodies": BODIES, "files": files, "rounds": ROUNDS });
    print(&Line::new("compile", about, options, raw.after()?, figures))
}

struct Crate {
    folder: PathBuf,
    target: PathBuf,
}

impl Crate {
    fn new(root: &TempDir, name: &str, sources: &[(String, String)]) -> Result<Self> {
        let folder = root.path().join(name);
        fs::create_dir_all(folder.join("src"))?;
        let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../durable-runtime");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nedition = \"2024\"\n[dependencies]\nserde = {{ version = \"1\", features = [\"derive\"] }}\n\
             durable-runtime = {{ path = {runtime:?}, default-features = false }}\n[workspace]\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
        fs::copy(lock, folder.join("Cargo.lock"))?;
        let mut library = PRELUDE.to_owned();
        for (module, text) in sources {
            if module.is_empty() {
                library.push_str(text);
            } else {
                writeln!(library, "pub mod {module};")?;
                fs::write(folder.join(format!("src/{module}.rs")), text)?;
            }
        }
        fs::write(folder.join("src/lib.rs"), library)?;
        Ok(Self { folder, target: root.path().join("target") })
    }

    fn check(&self, round: usize) -> Result<Duration> {
        let library = self.folder.join("src/lib.rs");
        let text = fs::read_to_string(&library)?;
        fs::write(&library, format!("{text}\n// {round}"))?;
        let start = Instant::now();
        let output = Command::new(env!("CARGO"))
            .args(["check", "--offline", "--quiet"])
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "0")
            .output()?;
        let elapsed = start.elapsed();
        if output.status.success() { Ok(elapsed) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
    }
}

const PRELUDE: &str = "#![allow(unused)]
use durable_runtime::prelude::*;

#[activity]
async fn step(number: u64) -> Result<u64, String> { Ok(number) }
#[activity]
async fn other(number: u64, text: String) -> Result<u64, String> { Ok(number) }
";

fn bodies(attribute: &str, awaits: usize) -> Vec<(String, String)> {
    let mut text = String::new();
    for body in 0..BODIES {
        let _ = writeln!(
            text,
            "{attribute}\nasync fn body_{body}(ctx: OrchestrationContext, mut n: u64) -> Result<u64, ActivityError<String>> {{"
        );
        for number in 0..awaits {
            let _ = match number % 4 {
                0 => writeln!(text, "    n += step(&ctx, n + {number}).await?;"),
                1 => writeln!(text, "    if n > {number} {{ n = other(&ctx, n, format!(\"{{n}}\")).await?; }}"),
                2 => writeln!(
                    text,
                    "    match step(&ctx, n).await {{ Ok(m) => n = m.max({number}), Err(error) => return Err(error) }}"
                ),
                _ => writeln!(
                    text,
                    "    let m: Vec<u64> = (0..n).map(|k| k * 2).collect(); n = step(&ctx, m.len() as u64).await?;"
                ),
            };
        }
        text.push_str("    Ok(n)\n}\n");
    }
    vec![(String::new(), text)]
}

/// Many files of plain functions, and one orchestration that calls through them.
fn modules(attribute: &str, files: usize) -> Vec<(String, String)> {
    let mut sources: Vec<(String, String)> = (0..files)
        .map(|file| {
            let mut text = String::new();
            for function in 0..20 {
                let next = (file + 1) % files;
                let call = if function == 0 && next > 0 {
                    format!("crate::module_{next}::function_0(n)")
                } else {
                    "n".to_owned()
                };
                let _ = writeln!(text, "pub fn function_{function}(n: u64) -> u64 {{\n    let list: Vec<u64> = (0..n.min({function})).collect();\n    if list.len() > 3 {{ return 1; }}\n    {call} + {function}\n}}");
            }
            (format!("module_{file}"), text)
        })
        .collect();
    let root = format!(
        "{attribute}\nasync fn through_all(ctx: OrchestrationContext, n: u64) -> Result<u64, ActivityError<String>> {{\n    \
         step(&ctx, module_0::function_0(n)).await\n}}\n"
    );
    sources.push((String::new(), root));
    sources
}
