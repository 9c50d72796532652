//! Building the peers, and fetching the server of one: all in `target/peers`, nothing is installed elsewhere.

use std::path::{Path, PathBuf};

use durable_workloads::Result;
use tokio::process::Command;

/// The release of Restate that is compared with.
const RESTATE: &str = "1.7.12";

/// Builds a peer, as a release, with the lock file it has.
pub(super) async fn build(peer: &str) -> Result<PathBuf> {
    let target = target()?;
    let manifest = Path::new("benchmarks/peers").join(peer).join("Cargo.toml");
    if !manifest.is_file() {
        return Err(format!("no `{}` here; run this in the folder of the project", manifest.display()).into());
    }
    say(&format!("building {peer}"));
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--release", "--locked", "--quiet", "--manifest-path"]).arg(&manifest);
    let status = cargo.arg("--target-dir").arg(&target).status().await?;
    if !status.success() {
        return Err(format!("the peer `{peer}` could not be built; what cargo says stands above").into());
    }
    Ok(target.join("release").join(format!("bench-{peer}")))
}

/// The server of Restate, from its npm package.
pub(super) async fn restate_server() -> Result<PathBuf> {
    let folder = target()?.join(format!("restate-server-{RESTATE}"));
    if let Some(server) = binary_in(&folder) {
        return Ok(server);
    }
    say(&format!("fetching the server of Restate {RESTATE}"));
    std::fs::create_dir_all(&folder)?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix"]);
    npm.arg(&folder).arg(format!("@restatedev/restate-server@{RESTATE}"));
    match npm.status().await {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("npm could not fetch the server of Restate ({status})").into()),
        Err(error) => {
            return Err(
                format!("the server of Restate comes as an npm package, and `npm` cannot be run: {error}").into()
            );
        }
    }
    binary_in(&folder).ok_or_else(|| "the npm package has no server for this kind of machine".into())
}

/// The one program in the package for this machine.
fn binary_in(folder: &Path) -> Option<PathBuf> {
    let packages = std::fs::read_dir(folder.join("node_modules/@restatedev")).ok()?;
    packages.filter_map(|package| Some(package.ok()?.path().join("bin/restate-server"))).find(|server| server.is_file())
}

/// A folder beside what cargo builds, which `cargo clean` takes away too.
fn target() -> Result<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let folder = target.join("peers");
    std::fs::create_dir_all(&folder)?;
    Ok(folder.canonicalize()?)
}

#[expect(clippy::print_stderr, reason = "said beside the result of the program")]
fn say(what: &str) {
    eprintln!("{what}");
}
