//! The files that the crate being compiled may begin with, by its manifest.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table};

/// The roots of all targets that have the name of the crate being compiled.
pub(super) fn of_this_crate() -> Vec<PathBuf> {
    let (Some(folder), Ok(name)) = (env::var_os("CARGO_MANIFEST_DIR"), env::var("CARGO_CRATE_NAME")) else {
        return Vec::new();
    };
    let folder = PathBuf::from(folder);
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    // Set for programs, and for examples.
    let is_program = env::var_os("CARGO_BIN_NAME").is_some();
    of(&folder, &manifest, &name, is_program)
}

/// Dependencies that have another name here than the crate itself has: `clock = { package = "chrono" }`.
pub(super) fn renamed() -> Vec<(String, String)> {
    let folder = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    renamed_in(&fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default())
}

pub(super) fn renamed_in(manifest: &str) -> Vec<(String, String)> {
    let manifest = manifest.parse::<DocumentMut>().unwrap_or_default();
    let tables = ["dependencies", "dev-dependencies"].into_iter().filter_map(|key| manifest.get(key)?.as_table_like());
    let entries = tables.flat_map(|table| {
        table.iter().filter_map(|(name, value)| {
            Some((name.to_owned(), value.as_table_like()?.get("package")?.as_str()?.to_owned()))
        })
    });
    entries.map(|(name, package)| (name.replace('-', "_"), package.replace('-', "_"))).collect()
}

/// What `[lib]`, `[[bin]]` and the like say, and the places where cargo looks without being told.
pub(super) fn of(folder: &Path, manifest: &str, crate_name: &str, is_program: bool) -> Vec<PathBuf> {
    let manifest = manifest.parse::<DocumentMut>().unwrap_or_default();
    let package = manifest.get("package").and_then(|package| package.get("name")).and_then(Item::as_str);
    let named = |name: &str| name.replace('-', "_") == crate_name;
    let is_package = package.is_some_and(named);
    let mut roots = Vec::new();
    let lib = manifest.get("lib").and_then(Item::as_table);
    if !is_program && lib.and_then(|lib| text(lib, "name")).map_or(is_package, named) {
        roots.push(folder.join(lib.and_then(|lib| text(lib, "path")).unwrap_or("src/lib.rs")));
    }
    for kind in ["bin", "example", "test", "bench"] {
        let targets = manifest.get(kind).and_then(Item::as_array_of_tables);
        let targets = targets.into_iter().flatten().filter(|target| text(target, "name").is_some_and(named));
        roots.extend(targets.filter_map(|target| text(target, "path")).map(|path| folder.join(path)));
    }
    if is_package && is_program {
        roots.push(folder.join("src/main.rs"));
    }
    for inside in ["src/bin", "examples", "tests", "benches"] {
        roots.extend(found(&folder.join(inside), crate_name));
    }
    roots.into_iter().filter(|root| root.is_file()).filter_map(|root| root.canonicalize().ok()).collect()
}

fn text<'a>(table: &'a Table, key: &str) -> Option<&'a str> {
    table.get(key).and_then(Item::as_str)
}

/// `name.rs` and `name/main.rs`, where the name may be written with `-`.
fn found(folder: &Path, crate_name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_named = |path: &PathBuf| {
        path.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| stem.replace('-', "_") == crate_name)
    };
    let mut roots: Vec<PathBuf> = entries.filter(is_named).collect();
    roots.sort();
    roots.into_iter().map(|path| if path.is_dir() { path.join("main.rs") } else { path }).collect()
}
