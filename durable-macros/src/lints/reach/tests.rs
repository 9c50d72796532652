//! Where a crate begins, by manifests as they are written.

use std::fs;
use std::path::{Path, PathBuf};

use super::roots;

/// A folder of its own for each test, with these empty files in it.
fn folder(name: &str, files: &[&str]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("durable-macros-{}-{name}", std::process::id()));
    for file in files {
        let path = folder.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    folder.canonicalize().unwrap()
}

fn found(folder: &Path, manifest: &str, name: &str, is_program: bool) -> Vec<String> {
    let roots = roots::of(folder, manifest, name, is_program);
    roots.iter().map(|root| root.strip_prefix(folder).unwrap().display().to_string()).collect()
}

#[test]
fn the_targets_of_a_manifest_are_found() {
    let files =
        ["src/lib.rs", "src/main.rs", "src/bin/two-parts.rs", "examples/many/main.rs", "tests/it.rs", "odd/place.rs"];
    let folder = folder("targets", &files);
    let plain = "[package]\nname = \"my-shop\"\n";
    let named =
        "[package]\nname = \"my-shop\"\n[lib]\nname = \"shop\"\n[[bin]]\nname = \"odd-one\"\npath = \"odd/place.rs\"\n";
    for (manifest, name, is_program, expected) in [
        (plain, "my_shop", false, vec!["src/lib.rs"]),
        (plain, "my_shop", true, vec!["src/main.rs"]),
        (plain, "two_parts", true, vec!["src/bin/two-parts.rs"]),
        (plain, "many", true, vec!["examples/many/main.rs"]),
        (plain, "it", false, vec!["tests/it.rs"]),
        (plain, "build_script_build", false, vec![]),
        (named, "shop", false, vec!["src/lib.rs"]),
        (named, "my_shop", false, vec![]),
        (named, "odd_one", true, vec!["odd/place.rs"]),
        ("no manifest", "it", false, vec!["tests/it.rs"]),
    ] {
        assert_eq!(found(&folder, manifest, name, is_program), expected, "{name}");
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn dependencies_with_another_name_are_known_by_their_own() {
    let manifest = "[dependencies]\nserde = \"1\"\nmy-clock = { package = \"chrono\", version = \"0.4\" }\n\
        [dev-dependencies.dice]\npackage = \"rand-core\"\n";
    let expected = [("my_clock", "chrono"), ("dice", "rand_core")];
    assert_eq!(roots::renamed_in(manifest), expected.map(|(name, package)| (name.to_owned(), package.to_owned())));
}
