//! Where the compiler is asked about the type of a value: before a method with a suspicious name, and before a loop.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Expr, ExprForLoop, ExprMethodCall, UnOp};

use crate::hygiene::Runtime;
use crate::lints::Denied;

/// What is asked, and the rule behind it.
#[derive(Clone, Copy, PartialEq)]
struct Question {
    method: &'static str,
    rule: &'static str,
}

const ITERATES: Question = Question { method: "iterates", rule: "hash_order" };
const USES: Question = Question { method: "uses", rule: "outside_value" };
const ELAPSES: Question = Question { method: "elapses", rule: "outside_value" };

const ITERATING: &[&str] = &[
    "iter",
    "iter_mut",
    "into_iter",
    "keys",
    "values",
    "values_mut",
    "into_keys",
    "into_values",
    "drain",
    "retain",
    "extract_if",
    "union",
    "intersection",
    "difference",
    "symmetric_difference",
];
const ELAPSING: &[&str] = &["elapsed"];
const USING: &[&str] = &[
    "acquire",
    "blocking_lock",
    "blocking_recv",
    "blocking_send",
    "borrow_and_update",
    "call_once",
    "changed",
    "checked_duration_since",
    "compare_exchange",
    "compare_exchange_weak",
    "duration_since",
    "fetch_add",
    "fetch_and",
    "fetch_max",
    "fetch_min",
    "fetch_nand",
    "fetch_or",
    "fetch_sub",
    "fetch_update",
    "fetch_xor",
    "fill_bytes",
    "get_or_init",
    "is_finished",
    "join",
    "join_next",
    "load",
    "lock",
    "next_u32",
    "next_u64",
    "notify_all",
    "notify_one",
    "notify_waiters",
    "random",
    "random_bool",
    "random_range",
    "read",
    "recv",
    "recv_timeout",
    "saturating_duration_since",
    "send",
    "set",
    "store",
    "subscribe",
    "swap",
    "try_acquire",
    "try_iter",
    "try_join_next",
    "try_lock",
    "try_read",
    "try_recv",
    "try_send",
    "try_write",
    "unpark",
    "wait",
    "wait_timeout",
    "wait_while",
    "with",
    "with_borrow",
    "with_borrow_mut",
    "write",
];

/// Too common to ask about, unless what they are called on is a static by its name.
const USING_A_STATIC: &[&str] = &["get", "take", "replace", "get_mut", "into_inner"];
/// These iterate over their argument.
const TAKING: &[&str] = &["chain", "extend", "zip"];

fn question(method: &str) -> Option<Question> {
    let of = |names: &[&str], question| names.contains(&method).then_some(question);
    of(ITERATING, ITERATES).or_else(|| of(USING, USES)).or_else(|| of(ELAPSING, ELAPSES))
}

/// Whether the end of this expression is asked about as a method call.
pub(crate) fn is_asked(expr: &Expr) -> bool {
    matches!(expr, Expr::MethodCall(call) if question(&call.method.to_string()) == Some(ITERATES))
}

/// Asks about the receiver of a method call, if its name is suspicious.
pub(crate) fn method(rt: &Runtime, denied: &Denied, call: &mut ExprMethodCall) -> Option<Expr> {
    let (name, span) = (call.method.to_string(), call.method.span());
    if TAKING.contains(&name.as_str()) {
        call.args.iter_mut().for_each(|argument| self::argument(rt, denied, argument, span));
    }
    let of_static = || (USING_A_STATIC.contains(&name.as_str()) && is_static(&call.receiver)).then_some(USES);
    let question = question(&name).or_else(of_static)?;
    if denied.allows(question.rule, span) || denied.touches(call.receiver.to_token_stream()) {
        return None;
    }
    if is_place(&call.receiver) {
        let asked = ask(rt, question, &call.receiver, span);
        let private = rt.private_at(span);
        return Some(Expr::Verbatim(quote_spanned!(span=> #private::after(#asked, #call))));
    }
    if may_be_bound(&call.receiver) {
        *call.receiver = bound(rt, question, &call.receiver, span);
    }
    None
}

/// Asks about what a method goes over.
fn argument(rt: &Runtime, denied: &Denied, argument: &mut Expr, method: Span) {
    if !is_asked(argument) && is_simple(argument) && !denied.allows(ITERATES.rule, method) {
        *argument = bound(rt, ITERATES, argument, innermost(argument).unwrap_or(method));
    }
}

/// A name, a field, or a reference to one: what else an argument is, its own methods are asked about.
fn is_simple(expr: &Expr) -> bool {
    match expr {
        Expr::Reference(reference) => is_simple(&reference.expr),
        Expr::Path(_) => true,
        Expr::Field(field) => is_simple(&field.base),
        _ => false,
    }
}

fn is_static(expr: &Expr) -> bool {
    let is_upper = |name: &Ident| {
        let name = name.to_string();
        name.len() > 1 && name.chars().all(|one| one.is_ascii_uppercase() || one.is_ascii_digit() || one == '_')
    };
    matches!(expr, Expr::Path(path) if path.path.segments.last().is_some_and(|last| is_upper(&last.ident)))
}

/// Asks about what a loop goes over.
pub(crate) fn head(rt: &Runtime, denied: &Denied, head: &mut ExprForLoop) {
    let span = innermost(&head.expr).unwrap_or(head.for_token.span);
    if !matches!(&*head.expr, Expr::Range(_))
        && may_be_bound(&head.expr)
        && !denied.allows(ITERATES.rule, span)
        && !denied.touches(head.expr.to_token_stream())
    {
        *head.expr = bound(rt, ITERATES, &head.expr, span);
    }
}

fn ask(rt: &Runtime, question: Question, value: &impl ToTokens, span: Span) -> TokenStream {
    let (private, method) = (rt.private_at(span), Ident::new(question.method, span));
    quote_spanned! {span=>
        {
            #[allow(unused_imports)]
            use #private::Harmless as _;
            #private::Probed::new(&#value).#method()
        }
    }
}

/// The same value, asked about on its way. A `match`, because its temporaries live as long as without it. It stands where the
/// value stands, so that warnings of the compiler about the expression around it show what was written.
fn bound(rt: &Runtime, question: Question, value: &Expr, span: Span) -> Expr {
    let name = Ident::new("value", Span::mixed_site());
    let asked = ask(rt, question, &name, span);
    Expr::Verbatim(quote_spanned!(span=> match #value { #name => { #asked; #name } }))
}

/// What can be named twice, and must not be moved.
fn is_place(expr: &Expr) -> bool {
    match expr {
        Expr::Path(_) => true,
        Expr::Field(field) => is_place(&field.base),
        Expr::Paren(paren) => is_place(&paren.expr),
        Expr::Unary(unary) => matches!(unary.op, UnOp::Deref(_)) && is_place(&unary.expr),
        Expr::Index(index) => is_place(&index.expr) && matches!(&*index.index, Expr::Lit(_) | Expr::Path(_)),
        _ => false,
    }
}

/// Whether binding it moves nothing out of a place.
fn may_be_bound(expr: &Expr) -> bool {
    match expr {
        Expr::Index(_) | Expr::Unary(_) => false,
        Expr::Field(field) => may_be_bound(&field.base),
        Expr::Paren(paren) => may_be_bound(&paren.expr),
        _ => true,
    }
}

/// The name that says most about a value: the last of `&self.lines` or `lines`.
fn innermost(expr: &Expr) -> Option<Span> {
    match expr {
        Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.span()),
        Expr::Reference(reference) => innermost(&reference.expr),
        Expr::Paren(paren) => innermost(&paren.expr),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(name.span()),
            syn::Member::Unnamed(index) => Some(index.span),
        },
        Expr::MethodCall(call) => Some(call.method.span()),
        Expr::Call(call) => innermost(&call.func),
        _ => None,
    }
}
