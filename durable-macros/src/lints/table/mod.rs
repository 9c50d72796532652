//! The rules as rows: a new rule is a row, a page in `durable-runtime/errors/`, and a case in `ui-tests/`.

mod chance;
mod language;
mod pattern;
mod shared;
mod tasks;
mod time;
mod world;

pub(crate) use language::{ADDRESS, ASYNC_CLOSURE, STATIC, UNKNOWN_MACRO, UNSAFE};

/// One rule: the paths it refuses, why, and what to write.
pub(crate) struct Row {
    /// Stable: messages end with it, and its page has this name.
    pub(crate) code: &'static str,
    /// Stable: `#[allow_nondeterminism]` names it.
    pub(crate) name: &'static str,
    /// Full paths; `x::*` is everything below `x`, a `*` inside of a path any one name, and `x!` a macro.
    pub(crate) paths: &'static [&'static str],
    /// Exceptions, each with all that is below it.
    except: &'static [&'static str],
    /// Goes on behind the name of what is refused.
    pub(crate) why: &'static str,
    /// What to write instead.
    pub(crate) instead: &'static str,
    /// Names below the `*` of `paths`, for tools that cannot read a `*`.
    pub(crate) spelled: &'static [&'static str],
}

impl Row {
    const fn new(
        (code, name): (&'static str, &'static str),
        paths: &'static [&'static str],
        why: &'static str,
        instead: &'static str,
    ) -> Self {
        Self { code, name, paths, except: &[], why, instead, spelled: &[] }
    }

    const fn except(mut self, except: &'static [&'static str]) -> Self {
        self.except = except;
        self
    }

    const fn spelled(mut self, spelled: &'static [&'static str]) -> Self {
        self.spelled = spelled;
        self
    }

    /// `name` is what the user wrote, in backticks.
    pub(crate) fn message(&self, name: &str) -> String {
        format!("{name} {}; {} ({})", self.why, self.instead, self.code)
    }

    /// Whether what breaks the rule is found by the compiler, by its type: no walk over names tells.
    pub(crate) fn is_about_types(&self) -> bool {
        language::OF_TYPES.iter().any(|row| row.code == self.code)
    }

    fn refuses(&self, path: &[String]) -> bool {
        self.paths.iter().any(|one| pattern::matches(one, path))
            && !self.except.iter().any(|one| pattern::is_at_or_below(one, path))
    }
}

const DIFFERS: &str = "gives another answer when this code is replayed";
const REPEATS: &str = "is done once more at every replay";
const UNRECORDED: &str = "is not recorded, so a replay could see another order";
const AN_ACTIVITY: &str = "move it into an `#[activity]`";

/// The versions that the item names of other crates were read from. Where a row has `x::*` alone, nothing but the name
/// of the crate matters.
#[cfg(test)]
const READ: &[(&str, &str)] = &[
    ("ahash", "0.8.12"),
    ("async_io", "2.6.0"),
    ("async_std", "1.13.2"),
    ("chrono", "0.4.45"),
    ("crossbeam", "0.8.5"),
    ("cuid2", "0.1.6"),
    ("fastrand", "2.5.0"),
    ("futures", "0.3.34"),
    ("futures_lite", "2.6.1"),
    ("hyper", "1.12.0"),
    ("jiff", "0.2.43"),
    ("lazy_static", "1.5.1"),
    ("nanoid", "0.5.0"),
    ("once_cell", "1.21.4"),
    // `thread_rng`, `prelude::random`, `OsRng` and `from_entropy` are names of 0.8.8, `from_os_rng` of 0.9.5.
    ("rand", "0.10.3"),
    ("rand_core", "0.10.1"),
    ("reqwest", "0.13.5"),
    ("smol", "2.0.2"),
    ("svix_ksuid", "0.10.0"),
    ("time", "0.3.55"),
    ("tokio", "1.54.1"),
    // `Ulid::new` is a name of 1.2.1.
    ("ulid", "3.0.0"),
    ("uuid", "1.29.1"),
    ("web_time", "1.1.0"),
    ("xid", "1.1.1"),
];

/// All rules that a list of paths can say.
fn of_paths() -> impl Iterator<Item = &'static Row> {
    [time::ROWS, chance::ROWS, world::ROWS, tasks::ROWS, shared::ROWS, language::ROWS].into_iter().flatten()
}

/// All rules.
pub(crate) fn all() -> impl Iterator<Item = &'static Row> {
    of_paths().chain(language::OF_FORM).chain(language::OF_TYPES)
}

/// The rule that refuses a full path.
pub(crate) fn find(path: &[String]) -> Option<&'static Row> {
    of_paths().find(|row| row.refuses(path))
}

/// The rule with this name or code.
pub(crate) fn named(name: &str) -> Option<&'static Row> {
    all().find(|row| row.name == name || row.code == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(path: &str) -> Option<&'static str> {
        let path: Vec<String> = path.split("::").map(ToOwned::to_owned).collect();
        find(&path).map(|row| row.code)
    }

    #[test]
    fn rows_are_found_by_path_and_by_what_is_above() {
        for (path, expected) in [
            ("std::time::Instant::now", Some("DUR0101")),
            ("std::time::Instant", None),
            ("std::time::Duration::from_secs", None),
            ("std::env::var", Some("DUR0301")),
            ("std::env::consts::OS", None),
            ("std::net::IpAddr::from", None),
            ("std::net::TcpStream::connect", Some("DUR0303")),
            ("std::println!", Some("DUR0501")),
            ("std::process::id", Some("DUR0307")),
            ("std::process::exit", Some("DUR0304")),
            ("std::sync::Arc::new", None),
            ("std::sync::Arc::as_ptr", Some("DUR0604")),
            ("std::sync::Mutex::new", Some("DUR0409")),
            ("tokio::task::JoinSet::new", Some("DUR0402")),
            ("tokio::time::Duration::from_secs", None),
            ("uuid::Uuid::parse_str", None),
            ("fastrand::Rng::with_seed", None),
            ("rand::rngs::SmallRng::from_os_rng", Some("DUR0201")),
            ("rand::rngs::SmallRng::seed_from_u64", None),
        ] {
            assert_eq!(code(path), expected, "{path}");
        }
    }

    #[test]
    fn every_path_is_refused_by_the_row_it_stands_in() {
        for row in of_paths() {
            for path in row.paths {
                assert_eq!(code(&path.replace('*', "x")), Some(row.code), "{path}");
            }
            for path in row.spelled {
                let refused = [path.to_string(), format!("{path}::x")].iter().any(|path| code(path) == Some(row.code));
                assert!(refused, "{path}");
            }
        }
    }

    #[test]
    fn codes_and_names_are_different() {
        let mut known: Vec<&str> = all().flat_map(|row| [row.code, row.name]).collect();
        let count = known.len();
        known.sort_unstable();
        known.dedup();
        assert_eq!(known.len(), count);
        assert!(all().all(|row| row.code.len() == 7 && row.code.starts_with("DUR")));
    }

    #[test]
    fn item_names_of_other_crates_were_read_and_not_remembered() {
        for path in of_paths().flat_map(|row| row.paths.iter().chain(row.except)) {
            let (root, below) = path.split_once("::").unwrap();
            let by_name_of_the_crate = ["*", "*!"].contains(&below);
            let is_read = READ.iter().any(|(name, _)| *name == root);
            assert!(root == "std" || by_name_of_the_crate || is_read, "{path}");
        }
    }
}
