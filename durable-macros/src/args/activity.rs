//! `#[activity(name = "..", retry(..), timeout = "..", max_concurrent = 4, terminal = path, tag = "..", local, ..)]`

use proc_macro2::TokenStream;
use syn::{Ident, Path};

use super::{Given, read, values};
use crate::mistakes::Mistakes;

const KNOWN: &[&str] = &[
    "name",
    "retry",
    "timeout",
    "heartbeat",
    "schedule_to_start",
    "schedule_to_close",
    "terminal",
    "max_concurrent",
    "tag",
    "local",
    "crate",
];
const KNOWN_OF_RETRY: &[&str] = &["max_attempts", "initial", "backoff", "factor", "max", "jitter", "total"];

/// What `#[activity(..)]` was given.
#[derive(Default)]
pub(crate) struct ActivityArgs {
    pub(crate) name: Option<String>,
    pub(crate) retry: Option<RetryArgs>,
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) heartbeat_timeout_ms: Option<u64>,
    pub(crate) schedule_to_start_ms: Option<u64>,
    pub(crate) schedule_to_close_ms: Option<u64>,
    pub(crate) terminal: Option<Path>,
    pub(crate) concurrent_max: Option<u32>,
    pub(crate) tag: Option<String>,
    /// Where `local` stands.
    pub(crate) local: Option<Ident>,
    pub(crate) runtime: Option<Path>,
}

/// What `retry(..)` was given.
#[derive(Default)]
pub(crate) struct RetryArgs {
    pub(crate) attempts_max: u32,
    pub(crate) initial_ms: Option<u64>,
    pub(crate) backoff: Option<Backoff>,
    pub(crate) factor: Option<f64>,
    pub(crate) max_ms: Option<u64>,
    pub(crate) jitter: Option<f64>,
    pub(crate) total_ms: Option<u64>,
}

/// How waits grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backoff {
    Fixed,
    Linear,
    Exponential,
}

impl ActivityArgs {
    pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Self {
        let mut args = Self::default();
        read("`#[activity]`", KNOWN, tokens, mistakes, |name, given, mistakes| args.take(name, given, mistakes));
        args
    }

    fn take(&mut self, name: &str, given: &Given, mistakes: &mut Mistakes) {
        match name {
            "name" => self.name = values::name(given, "charge_card", mistakes),
            "retry" => self.retry = RetryArgs::parse(given, mistakes),
            "timeout" => self.timeout_ms = values::limit_ms(given, mistakes),
            "heartbeat" => self.heartbeat_timeout_ms = values::limit_ms(given, mistakes),
            "schedule_to_start" => self.schedule_to_start_ms = values::limit_ms(given, mistakes),
            "schedule_to_close" => self.schedule_to_close_ms = values::limit_ms(given, mistakes),
            "terminal" => self.terminal = values::function(given, "PaymentError::is_final", mistakes),
            "max_concurrent" => self.concurrent_max = values::count(given, mistakes),
            "tag" => self.tag = values::name(given, "gpu", mistakes),
            "local" => self.local = given.alone(mistakes),
            _ => self.runtime = values::path(given, mistakes),
        }
    }
}

impl RetryArgs {
    fn parse(given: &Given, mistakes: &mut Mistakes) -> Option<Self> {
        let tokens =
            given.list("retry(max_attempts = 5, initial = \"200ms\", factor = 2.0, max = \"30s\")", mistakes)?;
        let (mut args, mut attempts_given) = (Self::default(), false);
        read("`retry(..)`", KNOWN_OF_RETRY, tokens, mistakes, |name, given, mistakes| {
            attempts_given |= name == "max_attempts";
            args.take(name, given, mistakes);
        });
        if !attempts_given {
            mistakes.at(&given.name, "`retry` needs to know how often; write `retry(max_attempts = 5, ..)`");
        }
        Some(args)
    }

    fn take(&mut self, name: &str, given: &Given, mistakes: &mut Mistakes) {
        match name {
            "max_attempts" => self.attempts_max = values::attempts(given, mistakes).unwrap_or(1),
            "initial" => self.initial_ms = values::duration_ms(given, mistakes),
            "factor" => self.factor = values::factor(given, mistakes),
            "backoff" => self.backoff = Backoff::parse(given, mistakes),
            "jitter" => self.jitter = values::part(given, mistakes),
            "total" => self.total_ms = values::limit_ms(given, mistakes),
            _ => self.max_ms = values::duration_ms(given, mistakes),
        }
    }
}

impl Backoff {
    fn parse(given: &Given, mistakes: &mut Mistakes) -> Option<Self> {
        values::one_of(
            given,
            &[("fixed", Self::Fixed), ("linear", Self::Linear), ("exponential", Self::Exponential)],
            mistakes,
        )
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn mistakes_in(tokens: TokenStream) -> Vec<String> {
        let mut mistakes = Mistakes::default();
        ActivityArgs::parse(tokens, &mut mistakes);
        mistakes.into_texts()
    }

    #[test]
    fn everything_is_read() {
        let mut mistakes = Mistakes::default();
        let args = ActivityArgs::parse(
            quote!(
                name = "charge",
                retry(max_attempts = 5, initial = "200ms", factor = 2, max = "30s"),
                timeout = "1m",
                crate = ::steps
            ),
            &mut mistakes,
        );
        assert_eq!(mistakes.into_texts(), Vec::<String>::new());
        let retry = args.retry.unwrap();
        assert_eq!(
            (retry.attempts_max, retry.initial_ms, retry.factor, retry.max_ms),
            (5, Some(200), Some(2.0), Some(30_000))
        );
        assert_eq!((args.name.as_deref(), args.timeout_ms), (Some("charge"), Some(60_000)));
        assert!(args.runtime.is_some());
    }

    #[test]
    fn waits_are_described_by_word_and_number() {
        let mut mistakes = Mistakes::default();
        let tokens = quote!(
            retry(max_attempts = 3, backoff = "linear", jitter = 0.5, total = "1h"),
            schedule_to_start = "1s",
            schedule_to_close = "2s",
            terminal = Refused::for_good,
            max_concurrent = 4
        );
        let args = ActivityArgs::parse(tokens, &mut mistakes);
        assert_eq!(mistakes.into_texts(), Vec::<String>::new());
        let retry = args.retry.unwrap();
        assert_eq!((retry.backoff, retry.jitter, retry.total_ms), (Some(Backoff::Linear), Some(0.5), Some(3_600_000)));
        assert_eq!((args.schedule_to_start_ms, args.schedule_to_close_ms), (Some(1_000), Some(2_000)));
        assert_eq!((args.terminal.is_some(), args.concurrent_max), (true, Some(4)));
        assert_eq!(
            mistakes_in(quote!(
                retry(max_attempts = 0, backoff = "cubic", jitter = 2.0),
                terminal = 7,
                max_concurrent = 0
            )),
            [
                "`max_attempts` is a whole number of at least 1 (the first attempt counts)",
                "`backoff` is \"fixed\", \"linear\" or \"exponential\"",
                "`jitter` is a number between 0.0 and 1.0: the part of a wait that chance may take away",
                "`terminal` is the path of a function that takes the error by reference; write `terminal = PaymentError::is_final`",
                "`max_concurrent` is a whole number of at least 1",
            ]
        );
    }

    #[test]
    fn all_mistakes_are_shown_at_once() {
        assert_eq!(
            mistakes_in(quote!(tiemout = "1m", retry(initial = "soon"), tag = 7, tag = "a", name)),
            [
                "`#[activity]` has no argument `tiemout`; did you mean `timeout`? (it has `name`, `retry`, `timeout`, `heartbeat`, `schedule_to_start`, `schedule_to_close`, `terminal`, `max_concurrent`, `tag`, `local`, `crate`)",
                "`soon` is not a duration; write a number and a unit, as in \"200ms\", \"30s\", \"1m\", \"2h\", \"1d\" or \"1h 30m\"",
                "`retry` needs to know how often; write `retry(max_attempts = 5, ..)`",
                "`tag` is a text in quotes; write `tag = \"gpu\"`",
                "`tag` is given twice; keep one of them",
                "`name` takes a value; write `name = ..`",
            ]
        );
    }
}
