//! The values that arguments take: texts, names, numbers, durations, versions, paths.

use std::time::Duration;

use syn::{Expr, ExprLit, ExprPath, Lit, LitStr, Path};

use super::Given;
use crate::mistakes::Mistakes;

/// The longest name in bytes: the rule of `durable_runtime::check_id`.
const NAME_BYTES_MAX: usize = 512;

fn literal(expr: &Expr) -> Option<&Lit> {
    match expr {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

fn text<'a>(given: &'a Given, example: &str, mistakes: &mut Mistakes) -> Option<&'a LitStr> {
    let expr = given.expr(mistakes)?;
    if let Some(Lit::Str(text)) = literal(expr) {
        return Some(text);
    }
    mistakes.at(expr, format!("`{}` is a text in quotes; write `{} = \"{example}\"`", given.name, given.name));
    None
}

/// A name of 1 to 512 bytes without control characters.
pub(super) fn name(given: &Given, example: &str, mistakes: &mut Mistakes) -> Option<String> {
    let literal = text(given, example, mistakes)?;
    let value = literal.value();
    let wrong = if value.is_empty() {
        "is empty; give it at least one character".to_owned()
    } else if value.len() > NAME_BYTES_MAX {
        format!("has {} bytes; at most {NAME_BYTES_MAX} are kept", value.len())
    } else if let Some(character) = value.chars().find(|character| character.is_control()) {
        format!("has the control character {character:?}; take it out")
    } else {
        return Some(value);
    };
    mistakes.at(literal, format!("this {} {wrong}", given.name));
    None
}

/// Three numbers with dots between.
pub(super) fn version(given: &Given, mistakes: &mut Mistakes) -> Option<String> {
    let literal = text(given, "1.0.0", mistakes)?;
    let value = literal.value();
    let number = |part: &str| part.parse::<u32>().is_ok_and(|number| number.to_string() == part);
    if value.split('.').count() == 3 && value.split('.').all(number) {
        return Some(value);
    }
    mistakes.at(literal, format!("`{value}` is not a version; write three numbers, as in `version = \"1.0.0\"`"));
    None
}

/// A duration as people write it; durations are kept in whole milliseconds.
pub(super) fn duration_ms(given: &Given, mistakes: &mut Mistakes) -> Option<u64> {
    let literal = text(given, "30s", mistakes)?;
    match parse_duration_ms(&literal.value()) {
        Ok(ms) => Some(ms),
        Err(wrong) => {
            mistakes.at(literal, wrong);
            None
        }
    }
}

/// A duration that must pass before something is given up: not zero.
pub(super) fn limit_ms(given: &Given, mistakes: &mut Mistakes) -> Option<u64> {
    let ms = duration_ms(given, mistakes)?;
    if ms == 0 {
        let expr = given.expr(mistakes)?;
        mistakes.at(expr, format!("a `{0}` of zero leaves no time at all; leave `{0}` out for none", given.name));
        return None;
    }
    Some(ms)
}

fn parse_duration_ms(text: &str) -> Result<u64, String> {
    let examples = "\"200ms\", \"30s\", \"1m\", \"2h\", \"1d\" or \"1h 30m\"";
    let duration = humantime::parse_duration(text)
        .map_err(|_| format!("`{text}` is not a duration; write a number and a unit, as in {examples}"))?;
    let ms = u64::try_from(duration.as_millis()).map_err(|_| format!("`{text}` is longer than can be kept"))?;
    if Duration::from_millis(ms) == duration {
        Ok(ms)
    } else {
        Err(format!("`{text}` has a part below a millisecond; durations are kept in whole milliseconds"))
    }
}

/// A whole number of at least 1.
pub(super) fn count(given: &Given, mistakes: &mut Mistakes) -> Option<u32> {
    whole(given, "", mistakes)
}

/// How many attempts, the first included.
pub(super) fn attempts(given: &Given, mistakes: &mut Mistakes) -> Option<u32> {
    whole(given, " (the first attempt counts)", mistakes)
}

fn whole(given: &Given, hint: &str, mistakes: &mut Mistakes) -> Option<u32> {
    let expr = given.expr(mistakes)?;
    let number = match literal(expr) {
        Some(Lit::Int(number)) => number.base10_parse::<u32>().ok(),
        _ => None,
    };
    let number = number.filter(|number| *number > 0);
    if number.is_none() {
        mistakes.at(expr, format!("`{}` is a whole number of at least 1{hint}", given.name));
    }
    number
}

fn number(expr: &Expr) -> Option<f64> {
    match literal(expr) {
        Some(Lit::Float(number)) => number.base10_parse::<f64>().ok(),
        Some(Lit::Int(number)) => number.base10_parse::<f64>().ok(),
        _ => None,
    }
}

/// A number between 0.0 and 1.0.
pub(super) fn part(given: &Given, mistakes: &mut Mistakes) -> Option<f64> {
    let expr = given.expr(mistakes)?;
    let part = number(expr).filter(|part| (0.0..=1.0).contains(part));
    if part.is_none() {
        let what = "a number between 0.0 and 1.0: the part of a wait that chance may take away";
        mistakes.at(expr, format!("`{}` is {what}", given.name));
    }
    part
}

/// One of these words.
pub(super) fn one_of<T: Copy>(given: &Given, known: &[(&str, T)], mistakes: &mut Mistakes) -> Option<T> {
    let expr = given.expr(mistakes)?;
    let word = if let Some(Lit::Str(text)) = literal(expr) { text.value() } else { String::new() };
    let found = known.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    if found.is_none() {
        let names: Vec<_> = known.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let (last, others) = names.split_last()?;
        mistakes.at(expr, format!("`{}` is {} or {last}", given.name, others.join(", ")));
    }
    found
}

/// A number of at least 1.0.
pub(super) fn factor(given: &Given, mistakes: &mut Mistakes) -> Option<f64> {
    let expr = given.expr(mistakes)?;
    let number = number(expr).filter(|number| number.is_finite() && *number >= 1.0);
    if number.is_none() {
        mistakes.at(expr, format!("`{}` is a number of at least 1.0; 1.0 keeps the wait as it is", given.name));
    }
    number
}

/// The path of a crate or module.
pub(super) fn path(given: &Given, mistakes: &mut Mistakes) -> Option<Path> {
    let hint = format!("`{0}` is the path of `durable_runtime`; write `{0} = ::durable_runtime`", given.name);
    path_or(given, &hint, mistakes)
}

/// The path of a function of one error.
pub(super) fn function(given: &Given, example: &str, mistakes: &mut Mistakes) -> Option<Path> {
    let what = "the path of a function that takes the error by reference";
    path_or(given, &format!("`{0}` is {what}; write `{0} = {example}`", given.name), mistakes)
}

fn path_or(given: &Given, hint: &str, mistakes: &mut Mistakes) -> Option<Path> {
    let expr = given.expr(mistakes)?;
    if let Expr::Path(ExprPath { qself: None, path, .. }) = expr {
        return Some(path.clone());
    }
    mistakes.at(expr, hint);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("200ms", 200),
            ("30s", 30_000),
            ("1m", 60_000),
            ("2h", 7_200_000),
            ("1d", 86_400_000),
            ("1h 30m", 5_400_000),
        ] {
            assert_eq!(parse_duration_ms(text), Ok(ms), "{text}");
        }
        assert!(
            parse_duration_ms("soon").unwrap_err().starts_with("`soon` is not a duration; write a number and a unit")
        );
        assert!(parse_duration_ms("30").is_err());
        assert!(parse_duration_ms("5us").unwrap_err().contains("below a millisecond"));
    }
}
