//! The rules as rows: a new rule is a row, a page and a case.

/// One rule: the paths it refuses, why, and what to write.
pub(super) struct Row {
    /// Stable: pages, configuration and `#[allow_nondeterminism]` name it.
    pub(super) code: &'static str,
    /// Full paths; `x::*` is everything below `x`, and `x!` a macro.
    pub(super) paths: &'static [&'static str],
    /// Exceptions from a `*`.
    pub(super) except: &'static [&'static str],
    /// Goes on behind the name.
    pub(super) why: &'static str,
    /// What to write instead.
    pub(super) instead: &'static str,
}

impl Row {
    const fn new(code: &'static str, paths: &'static [&'static str], why: &'static str, instead: &'static str) -> Self {
        Self { code, paths, except: &[], why, instead }
    }

    const fn except(mut self, except: &'static [&'static str]) -> Self {
        self.except = except;
        self
    }

    /// `name` is what the user wrote, in backticks.
    pub(super) fn message(&self, name: &str) -> String {
        format!("{name} {}; {} ({})", self.why, self.instead, self.code)
    }
}

const DIFFERS: &str = "gives another answer when this code is replayed";
const REPEATS: &str = "is done once more at every replay";
const UNRECORDED: &str = "is not recorded, so a replay could see another order";

/// `unsafe` in a body.
pub(super) const UNSAFE: Row = Row::new(
    "DUR0601",
    &[],
    "can do what no rule sees, and what a replay does not repeat",
    "move it into an `#[activity]`",
);

/// A `static` in a body.
pub(super) const STATIC: Row = Row::new(
    "DUR0602",
    &[],
    "keeps what it holds from one run to the next, and a replay finds something else in it",
    "write `const`, or use a local variable",
);

/// The first rule set.
pub(super) const ROWS: &[Row] = &[
    Row::new(
        "DUR0101",
        &[
            "std::time::Instant::now",
            "std::time::Instant::elapsed",
            "std::time::SystemTime::now",
            "std::time::SystemTime::elapsed",
            "chrono::Utc::now",
            "chrono::Utc::today",
            "chrono::Local::now",
            "chrono::Local::today",
            "time::OffsetDateTime::now_utc",
            "time::OffsetDateTime::now_local",
            "time::UtcDateTime::now",
            "time::Instant::now",
            "jiff::Timestamp::now",
            "jiff::Zoned::now",
            "tokio::time::Instant::now",
            "web_time::Instant::now",
            "web_time::SystemTime::now",
            "quanta::*",
            "coarsetime::*",
            "minstant::*",
        ],
        DIFFERS,
        "use `ctx.now()`",
    ),
    Row::new(
        "DUR0102",
        &["time::UtcOffset::current_local_offset", "jiff::tz::TimeZone::system", "iana_time_zone::*"],
        "is that of the machine on which this code is replayed",
        "take the time zone as an argument",
    ),
    Row::new(
        "DUR0201",
        &[
            "rand::random",
            "rand::random_range",
            "rand::random_bool",
            "rand::random_iter",
            "rand::random_ratio",
            "rand::rng",
            "rand::thread_rng",
            "rand::rngs::ThreadRng::*",
            "rand::rngs::OsRng",
            "rand::SeedableRng::from_os_rng",
            "rand::SeedableRng::from_entropy",
            "rand::rngs::StdRng::from_os_rng",
            "rand::rngs::StdRng::from_entropy",
            "rand::rngs::SmallRng::from_os_rng",
            "rand::rngs::SmallRng::from_entropy",
            "fastrand::*",
            "getrandom::*",
            "nanorand::*",
        ],
        DIFFERS,
        "use `ctx.random()`, or a generator seeded with it",
    )
    .except(&["fastrand::Rng::with_seed"]),
    Row::new(
        "DUR0202",
        &[
            "uuid::Uuid::new_v1",
            "uuid::Uuid::now_v1",
            "uuid::Uuid::new_v4",
            "uuid::Uuid::new_v6",
            "uuid::Uuid::now_v6",
            "uuid::Uuid::new_v7",
            "uuid::Uuid::now_v7",
            "ulid::Ulid::new",
            "cuid::*",
            "cuid2::*",
            "xid::new",
            "nanoid::nanoid!",
        ],
        DIFFERS,
        "use `ctx.new_guid()`",
    ),
    Row::new(
        "DUR0203",
        &[
            "std::hash::RandomState::new",
            "std::collections::hash_map::RandomState::new",
            "std::hash::RandomState::default",
            "std::collections::hash_map::RandomState::default",
            "ahash::RandomState::new",
        ],
        DIFFERS,
        "use a `BTreeMap`, or a hasher with fixed keys",
    ),
    Row::new(
        "DUR0301",
        &["std::env::*"],
        "is that of the process in which this code is replayed",
        "take it as an argument, or read it in an `#[activity]`",
    )
    .except(&["std::env::VarError", "std::env::consts"]),
    Row::new(
        "DUR0302",
        &[
            "std::fs::*",
            "tokio::fs::*",
            "async_fs::*",
            "fs_err::*",
            "tempfile::*",
            "memmap2::*",
            "std::path::Path::exists",
            "std::path::Path::try_exists",
            "std::path::Path::is_file",
            "std::path::Path::is_dir",
            "std::path::Path::metadata",
            "std::path::Path::read_dir",
            "std::path::Path::canonicalize",
        ],
        "touches files, which are others when this code is replayed",
        "move it into an `#[activity]`",
    ),
    Row::new(
        "DUR0303",
        &[
            "std::net::TcpStream::*",
            "std::net::TcpListener::*",
            "std::net::UdpSocket::*",
            "std::net::ToSocketAddrs::*",
            "std::os::unix::net::*",
            "tokio::net::*",
            "reqwest::*",
            "hyper::*",
            "ureq::*",
            "isahc::*",
            "surf::*",
            "sqlx::*",
            "tokio_postgres::*",
            "rusqlite::*",
            "redis::*",
            "mongodb::*",
        ],
        "talks to the world once more at every replay",
        "move it into an `#[activity]`",
    )
    .except(&["reqwest::StatusCode", "reqwest::Method", "reqwest::Url", "hyper::StatusCode", "hyper::Method"]),
    Row::new(
        "DUR0307",
        &["std::process::id"],
        "is another when this code is replayed",
        "use `ctx.instance_id()`, or `ctx.new_guid()` for something new",
    ),
    Row::new(
        "DUR0304",
        &["std::process::*", "tokio::process::*", "async_process::*", "nix::*", "libc::*"],
        REPEATS,
        "move it into an `#[activity]`",
    )
    .except(&["std::process::ExitCode", "std::process::id"]),
    Row::new(
        "DUR0305",
        &["std::io::stdin", "tokio::io::stdin"],
        "reads something else when this code is replayed",
        "wait for an event with `ctx.event()`",
    ),
    Row::new(
        "DUR0306",
        &["num_cpus::*", "sysinfo::*", "hostname::*", "whoami::*", "gethostname::*", "dirs::*", "sys_locale::*"],
        "is that of the machine on which this code is replayed",
        "ask in an `#[activity]`",
    ),
    Row::new(
        "DUR0401",
        &[
            "std::thread::spawn",
            "std::thread::scope",
            "std::thread::Builder::*",
            "rayon::*",
            "crossbeam::scope",
            "crossbeam::thread::scope",
        ],
        UNRECORDED,
        "move the work into an `#[activity]`",
    ),
    Row::new(
        "DUR0402",
        &[
            "tokio::spawn",
            "tokio::task::*",
            "async_std::task::spawn",
            "async_std::task::spawn_blocking",
            "smol::spawn",
            "smol::unblock",
            "futures::executor::*",
            "tokio::runtime::*",
            "pollster::*",
        ],
        UNRECORDED,
        "call an `#[activity]`, or several side by side with `join!`",
    ),
    Row::new(
        "DUR0403",
        &[
            "std::thread::sleep",
            "std::thread::sleep_ms",
            "std::thread::sleep_until",
            "tokio::time::sleep",
            "tokio::time::sleep_until",
            "tokio::time::interval",
            "tokio::time::interval_at",
            "async_std::task::sleep",
            "smol::Timer::*",
            "async_io::Timer::*",
            "futures_timer::Delay::*",
            "gloo_timers::*",
        ],
        "is not recorded, and waits once more at every replay",
        "use `ctx.timer(..)`",
    ),
    Row::new(
        "DUR0404",
        &["tokio::time::timeout", "tokio::time::timeout_at", "async_std::future::timeout"],
        "is not recorded, so a replay could time out where this run did not",
        "use `select!` with `ctx.timer(..)`",
    ),
    Row::new(
        "DUR0405",
        &[
            "std::thread::current",
            "std::thread::park",
            "std::thread::park_timeout",
            "std::thread::yield_now",
            "std::thread::available_parallelism",
            "std::thread_local!",
        ],
        "depends on the thread, which is another when this code is replayed",
        "use local variables",
    ),
    Row::new(
        "DUR0406",
        &[
            "tokio::select!",
            "futures::select!",
            "futures::select_biased!",
            "futures_util::select!",
            "futures_util::select_biased!",
            "futures::future::select",
            "futures::future::select_all",
            "futures::future::select_ok",
            "futures_util::future::select",
            "futures_util::future::select_all",
            "futures::stream::FuturesUnordered::*",
            "futures::stream::FuturesOrdered::*",
            "futures_util::stream::FuturesUnordered::*",
            "async_std::future::Future::race",
        ],
        UNRECORDED,
        "use `durable_runtime::select!` or `durable_runtime::race(..)`, which go by the history",
    ),
    Row::new(
        "DUR0407",
        &[
            "tokio::join!",
            "tokio::try_join!",
            "futures::join!",
            "futures::try_join!",
            "futures_util::join!",
            "futures_util::try_join!",
            "futures::future::join",
            "futures::future::join_all",
            "futures::future::try_join",
            "futures::future::try_join_all",
            "futures_util::future::join",
            "futures_util::future::join_all",
            "futures_util::future::try_join",
            "futures_util::future::try_join_all",
        ],
        UNRECORDED,
        "use the `join!`, `try_join!`, `join_all` or `try_join_all` of `durable_runtime`",
    ),
    Row::new(
        "DUR0408",
        &[
            "tokio::sync::*",
            "futures::channel::*",
            "async_channel::*",
            "flume::*",
            "crossbeam_channel::*",
            "std::sync::mpsc::*",
        ],
        UNRECORDED,
        "use local variables, or wait for an event with `ctx.event()`",
    ),
    Row::new(
        "DUR0501",
        &[
            "std::println!",
            "std::print!",
            "std::eprintln!",
            "std::eprint!",
            "std::dbg!",
            "std::io::stdout",
            "std::io::stderr",
        ],
        "prints once more at every replay",
        "use `tracing::info!`, which is silent then",
    ),
    Row::new(
        "DUR0603",
        &["std::panic::catch_unwind", "std::panic::set_hook", "std::panic::take_hook"],
        "hides a bug from the runtime, which suspends the instance until it is mended",
        "return an error",
    ),
];

/// The rule that refuses a full path.
pub(super) fn find(path: &[String]) -> Option<&'static Row> {
    ROWS.iter().find(|row| matches_one(row.paths, path) && !matches_one_below(row.except, path))
}

fn matches_one(patterns: &[&str], path: &[String]) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix("::*") {
        Some(above) => is_below(above, path) && path.len() > above.split("::").count(),
        None => pattern.split("::").eq(path.iter().map(String::as_str)),
    })
}

fn matches_one_below(patterns: &[&str], path: &[String]) -> bool {
    patterns.iter().any(|above| is_below(above, path))
}

fn is_below(above: &str, path: &[String]) -> bool {
    above.split("::").zip(path).filter(|(a, b)| a == b).count() == above.split("::").count()
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
            ("tokio::task::JoinSet::new", Some("DUR0402")),
            ("uuid::Uuid::parse_str", None),
            ("fastrand::Rng::with_seed", None),
        ] {
            assert_eq!(code(path), expected, "{path}");
        }
    }

    #[test]
    fn codes_are_different() {
        let mut codes: Vec<&str> = ROWS.iter().chain([&UNSAFE, &STATIC]).map(|row| row.code).collect();
        let count = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
