//! Paths with `*` in them.

/// `a::*` matches everything below `a`, `a::*::b` has any one name in the middle, and `a::*!` is every macro of `a`.
pub(super) fn matches(pattern: &str, path: &[String]) -> bool {
    if let Some(above) = pattern.strip_suffix("::*!") {
        return is_below(above, path) && path.last().is_some_and(|last| last.ends_with('!'));
    }
    match pattern.strip_suffix("::*") {
        Some(above) => is_below(above, path),
        None => {
            let count = pattern.split("::").count();
            count == path.len() && is_at_or_below(pattern, path)
        }
    }
}

fn is_below(above: &str, path: &[String]) -> bool {
    is_at_or_below(above, path) && path.len() > above.split("::").count()
}

pub(super) fn is_at_or_below(above: &str, path: &[String]) -> bool {
    let mut parts = path.iter();
    above.split("::").all(|expected| parts.next().is_some_and(|part| expected == "*" || expected == part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_names() {
        for (pattern, path, expected) in [
            ("a::b", "a::b", true),
            ("a::b", "a::b::c", false),
            ("a::b", "a", false),
            ("a::*", "a", false),
            ("a::*", "a::b::c", true),
            ("a::*::c", "a::b::c", true),
            ("a::*::c", "a::b::d", false),
            ("a::*!", "a::b!", true),
            ("a::*!", "a::b", false),
            ("a::b::*", "a::c::d", false),
        ] {
            let path: Vec<String> = path.split("::").map(ToOwned::to_owned).collect();
            assert_eq!(matches(pattern, &path), expected, "{pattern} {path:?}");
        }
    }
}
