//! What a format string asks for.

use syn::{Expr, ExprLit, Lit, LitStr, Macro};

use crate::known_macros::Arguments;

/// The format string among the arguments, if it has a `{:p}`.
pub(super) fn address(call: &Macro) -> Option<LitStr> {
    let arguments = Arguments::of(call, &[]);
    let texts = arguments.expressions().into_iter().filter_map(|expr| match expr {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.clone()),
        _ => None,
    });
    texts.into_iter().find(|text| asks_for_address(&text.value()))
}

/// Whether one of the `{..}` ends in `p` behind its colon, as in `{:p}`, `{x:#p}` or `{0:>20p}`.
fn asks_for_address(text: &str) -> bool {
    let text = text.replace("{{", "").replace("}}", "");
    text.split('{').skip(1).any(|part| {
        let inside = part.split('}').next().unwrap_or_default();
        inside.split_once(':').is_some_and(|(_, how)| how.trim_end().ends_with('p'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_formats() {
        for (text, expected) in [
            ("{:p}", true),
            ("at {x:#p}.", true),
            ("{p}", false),
            ("{x:?} p", false),
            ("{{:p}}", false),
            ("{:>4}", false),
        ] {
            assert_eq!(asks_for_address(text), expected, "{text}");
        }
    }
}
