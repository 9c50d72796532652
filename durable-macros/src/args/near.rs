//! "Did you mean": the known word that a mistyped one is nearest to.

/// The message for an argument that does not exist.
pub(super) fn unknown(owner: &str, name: &str, known: &[&str]) -> String {
    let list = known.iter().map(|known| format!("`{known}`")).collect::<Vec<_>>().join(", ");
    match nearest(name, known) {
        Some(nearest) => format!("{owner} has no argument `{name}`; did you mean `{nearest}`? (it has {list})"),
        None => format!("{owner} has no argument `{name}`; it has {list}"),
    }
}

/// At most a third of the letters may differ.
pub(crate) fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    known
        .iter()
        .map(|known| (distance(name, known), *known))
        .filter(|(distance, known)| *distance * 3 <= known.len().max(name.len()))
        .min()
        .map(|(_, known)| known)
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to.chars()) {
            let above = *cell;
            left = (before + usize::from(a != b)).min(above + 1).min(left + 1);
            *cell = left;
            before = above;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, expected) in
            [("", "ab", 2), ("retry", "retry", 0), ("retries", "retry", 3), ("tmeout", "timeout", 1)]
        {
            assert_eq!(distance(from, to), expected, "{from} {to}");
            assert_eq!(distance(to, from), expected, "{to} {from}");
        }
    }

    #[test]
    fn only_near_words_are_suggested() {
        let known = ["name", "retry", "timeout", "heartbeat"];
        assert_eq!(nearest("tiemout", &known), Some("timeout"));
        assert_eq!(nearest("heart_beat", &known), Some("heartbeat"));
        assert_eq!(nearest("queue", &known), None);
    }
}
