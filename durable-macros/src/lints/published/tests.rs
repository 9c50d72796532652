//! Table, pages and codes agree; and what a page shows as refused is refused, by its rule and no other.

use std::fs;
use std::path::PathBuf;

use quote::ToTokens;
use syn::{Item, ItemFn, Path};

use super::*;
use crate::lints::allow::Allows;
use crate::lints::names::{Names, Scope};
use crate::lints::walk::{self, Listener, Strictness, Subject};

fn errors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../durable-runtime/errors")
}

fn page(code: &str) -> String {
    fs::read_to_string(errors().join(format!("{code}.md"))).unwrap_or_else(|_| panic!("{code} has no page"))
}

/// The first block of code below a heading, as the compiler sees it.
fn block(page: &str, heading: &str) -> String {
    let below = page.split_once(&format!("\n## {heading}\n")).expect(heading).1;
    let block = below.split("```").nth(1).unwrap().split_once('\n').unwrap().1;
    block.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

#[derive(Default)]
struct Codes(Vec<&'static str>);

impl Listener for Codes {
    fn refused(&mut self, _: &dyn ToTokens, row: &'static Row, _: &str) {
        self.0.push(row.code);
    }

    fn mentioned(&mut self, _: &dyn ToTokens, _: &[String], _: Vec<String>, _: &mut Allows) {}

    fn count(&self) -> usize {
        self.0.len()
    }
}

fn is_orchestration(function: &ItemFn) -> bool {
    function.attrs.iter().any(|attribute| attribute.path().is_ident("orchestration"))
}

/// The rules that the orchestration in this code breaks.
fn broken(code: &str) -> Vec<&'static str> {
    let file = syn::parse_file(code).unwrap_or_else(|error| panic!("{error}\n{code}"));
    let function = file.items.iter().find_map(|item| match item {
        Item::Fn(function) if is_orchestration(function) => Some(function),
        _ => None,
    });
    let function = function.expect("an orchestration");
    let listed: Vec<Path> = if code.contains("macros(double)") { vec![syn::parse_quote!(double)] } else { Vec::new() };
    let mut names = Names::default();
    names.push(Scope::of_module(vec!["crate".into()], &file.items));
    let subject = Subject {
        strictness: Strictness::Body,
        signature: &function.sig,
        body: &function.block,
        macros: &listed,
        names,
    };
    let mut codes = Codes::default();
    walk::walk(subject, &mut Allows::default(), &mut codes);
    codes.0
}

#[test]
fn every_rule_has_a_page_that_says_what_the_table_says() {
    for row in table::all() {
        let page = page(row.code);
        assert!(page.starts_with(&format!("# {}: ", row.code)), "{}", row.code);
        let says = format!("Rule `{}`: it {}; {}.", row.name, row.why, row.instead);
        assert!(page.replace('\n', " ").contains(&says), "{}: {says}", row.code);
        for path in row.paths {
            assert!(page.contains(&format!("- `{path}`\n")), "{}: {path}", row.code);
        }
        let listed = page.lines().filter(|line| line.starts_with("- `")).count();
        assert_eq!(listed, row.paths.len(), "{}", row.code);
    }
}

#[test]
fn every_page_is_that_of_a_rule_and_is_shown() {
    let shown = fs::read_to_string(errors().join("../src/errors.rs")).unwrap();
    for entry in fs::read_dir(errors()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let code = name.strip_suffix(".md").unwrap();
        assert!(table::named(code).is_some(), "{name} is the page of no rule");
        assert!(shown.contains(&format!("\"{code}\"")), "{name} is not shown");
    }
}

#[test]
fn what_a_page_refuses_is_refused_and_what_it_advises_is_not() {
    for row in table::all().filter(|row| !row.is_about_types()) {
        let page = page(row.code);
        assert_eq!(broken(&block(&page, "Refused")), [row.code], "{}", row.code);
        assert!(broken(&block(&page, "Instead")).is_empty(), "{}", row.code);
    }
}

#[test]
fn clippy_gets_names_without_stars() {
    let fragment = clippy();
    assert!(fragment.parse::<toml_edit::DocumentMut>().is_ok(), "{fragment}");
    assert!(!fragment.contains('*'), "{fragment}");
    for entry in ["\"std::time::Instant::now\"", "\"std::fs::File\"", "\"std::println\""] {
        assert_eq!(fragment.matches(entry).count(), 1, "{entry}");
    }
}
