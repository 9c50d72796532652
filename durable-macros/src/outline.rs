//! The outline of an orchestration: its durable calls, branches and loops, in the order of the code.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprForLoop, ExprIf, ExprLoop, ExprMatch, ExprMethodCall, ExprWhile, Item, Macro};

use crate::known_macros::{self, Arguments};
use crate::model::Function;

/// The outline of one body.
pub(crate) struct Outline {
    steps: Vec<Step>,
}

struct Step {
    /// The name of the `OutlineKind`.
    kind: &'static str,
    name: String,
    line: usize,
    steps: Vec<Step>,
}

/// Reads the body of a function.
pub(crate) fn of(function: &Function) -> Outline {
    let mut walk = Walk { context: function.context_name(), steps: Vec::new() };
    walk.visit_block(&function.body);
    Outline { steps: walk.steps }
}

impl Outline {
    /// FNV-1a, 64 bits, over the outline as text. Lines are left out: moving code changes nothing.
    pub(crate) fn fingerprint(&self) -> u64 {
        let start = 0xcbf2_9ce4_8422_2325_u64;
        self.to_text().bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    }

    /// One step a line, two spaces for each level.
    fn to_text(&self) -> String {
        let mut text = String::new();
        self.steps.iter().for_each(|step| step.write(0, &mut text));
        text
    }

    pub(crate) fn to_tokens(&self, rt: &TokenStream) -> TokenStream {
        let steps = self.steps.iter().map(|step| step.to_tokens(rt));
        quote!(#rt::Outline { steps: &[#(#steps),*] })
    }
}

impl Step {
    fn write(&self, depth: usize, text: &mut String) {
        text.push_str(&"  ".repeat(depth));
        text.push_str(self.kind);
        if !self.name.is_empty() {
            text.push(' ');
            text.push_str(&self.name);
        }
        text.push('\n');
        self.steps.iter().for_each(|step| step.write(depth + 1, text));
    }

    fn to_tokens(&self, rt: &TokenStream) -> TokenStream {
        let (kind, name, line) = (format_ident!("{}", self.kind), &self.name, u32::try_from(self.line).unwrap_or(0));
        let steps = self.steps.iter().map(|step| step.to_tokens(rt));
        quote!(#rt::OutlineStep { kind: #rt::OutlineKind::#kind, name: #name, line: #line, steps: &[#(#steps),*] })
    }
}

/// The line in the user's file; 0 outside of the compiler.
fn line(span: Span) -> usize {
    if proc_macro::is_available() { span.unwrap().line() } else { 0 }
}

struct Walk<'a> {
    context: Option<&'a Ident>,
    steps: Vec<Step>,
}

impl<'ast> Visit<'ast> for Walk<'_> {
    fn visit_item(&mut self, _: &'ast Item) {}

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        let (name, span) = callee(&call.func);
        match name.as_str() {
            "join_all" | "try_join_all" => self.group("Join", name, span, |walk| visit::visit_expr_call(walk, call)),
            "race" => self.group("Select", name, span, |walk| visit::visit_expr_call(walk, call)),
            _ => {
                visit::visit_expr_call(self, call);
                if call.args.first().is_some_and(|first| self.is_context(first)) {
                    self.leaf("Call", name, span);
                }
            }
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let (name, span) = (call.method.to_string(), call.method.span());
        visit::visit_expr_method_call(self, call);
        if self.is_context(&call.receiver) {
            if let Some(kind) = kind_of_method(&name) {
                self.leaf(kind, described(call), span);
            }
        } else if ["detach", "continue_as_new", "version", "id"].contains(&name.as_str()) && self.calls(&call.receiver)
        {
            // Only a child can do this.
            if let Some(last) = self.steps.last_mut() {
                last.kind = "Child";
            }
        }
    }

    fn visit_expr_await(&mut self, awaited: &'ast syn::ExprAwait) {
        let before = self.count();
        visit::visit_expr_await(self, awaited);
        if self.count() == before {
            self.leaf("Await", callee(&awaited.base).0, awaited.await_token.span);
        }
    }

    fn visit_expr_if(&mut self, branch: &'ast ExprIf) {
        self.visit_expr(&branch.cond);
        let arms = [
            self.inside(|walk| walk.visit_block(&branch.then_branch)),
            self.inside(|walk| branch.else_branch.iter().for_each(|(_, other)| walk.visit_expr(other))),
        ];
        self.branch("if", branch.if_token.span, arms.into_iter().map(|steps| (String::new(), steps)).collect());
    }

    fn visit_expr_match(&mut self, branch: &'ast ExprMatch) {
        self.visit_expr(&branch.expr);
        let arms = branch.arms.iter().map(|arm| (String::new(), self.inside(|walk| walk.visit_arm(arm))));
        let arms = arms.collect();
        self.branch("match", branch.match_token.span, arms);
    }

    fn visit_expr_for_loop(&mut self, repeated: &'ast ExprForLoop) {
        self.visit_expr(&repeated.expr);
        self.group("Loop", "for".into(), repeated.for_token.span, |walk| walk.visit_block(&repeated.body));
    }

    fn visit_expr_while(&mut self, repeated: &'ast ExprWhile) {
        self.group("Loop", "while".into(), repeated.while_token.span, |walk| visit::visit_expr_while(walk, repeated));
    }

    fn visit_expr_loop(&mut self, repeated: &'ast ExprLoop) {
        self.group("Loop", "loop".into(), repeated.loop_token.span, |walk| walk.visit_block(&repeated.body));
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let span = call.path.segments.last().map_or_else(Span::call_site, |segment| segment.ident.span());
        match Arguments::of(call, &[]) {
            Arguments::Join(list) => {
                let arms = list.iter().map(|expr| (String::new(), self.own(expr))).collect();
                self.arms("Join", known_macros::name(call), span, arms);
            }
            Arguments::Select(select) => {
                let arms = select.branches.iter().map(|branch| {
                    let parts = [Some(&branch.future), Some(&branch.body)].into_iter().flatten();
                    (String::new(), parts.flat_map(|expr| self.own(expr)).collect())
                });
                let arms =
                    arms.chain(select.otherwise.iter().map(|body| ("else".to_owned(), self.own(body)))).collect();
                self.arms("Select", String::new(), span, arms);
            }
            other => {
                let steps: Vec<Step> = other.expressions().into_iter().flat_map(|expr| self.own(expr)).collect();
                self.steps.extend(steps);
            }
        }
    }
}

impl Walk<'_> {
    fn is_context(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Reference(reference) => self.is_context(&reference.expr),
            Expr::Paren(paren) => self.is_context(&paren.expr),
            Expr::Path(path) => self.context.is_some_and(|context| path.path.is_ident(context)),
            _ => false,
        }
    }

    /// Whether this is a durable call, perhaps with options behind it.
    fn calls(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Call(call) => call.args.first().is_some_and(|first| self.is_context(first)),
            Expr::MethodCall(call) => !self.is_context(&call.receiver) && self.calls(&call.receiver),
            _ => false,
        }
    }

    fn count(&self) -> usize {
        self.steps.len()
    }

    fn leaf(&mut self, kind: &'static str, name: String, span: Span) {
        self.steps.push(Step { kind, name, line: line(span), steps: Vec::new() });
    }

    /// The steps found by `visit`, apart from those found so far.
    fn inside(&mut self, visit: impl FnOnce(&mut Self)) -> Vec<Step> {
        let outside = std::mem::take(&mut self.steps);
        visit(self);
        std::mem::replace(&mut self.steps, outside)
    }

    /// The steps of an expression that lives shorter than the walk: arguments of a macro are parsed on the way.
    fn own(&self, expr: &Expr) -> Vec<Step> {
        let mut walk = Walk { context: self.context, steps: Vec::new() };
        walk.visit_expr(expr);
        walk.steps
    }

    /// A step around others; none if there are no others.
    fn group(&mut self, kind: &'static str, name: String, span: Span, visit: impl FnOnce(&mut Self)) {
        let steps = self.inside(visit);
        if !steps.is_empty() {
            self.steps.push(Step { kind, name, line: line(span), steps });
        }
    }

    fn branch(&mut self, name: &str, span: Span, arms: Vec<(String, Vec<Step>)>) {
        if arms.iter().any(|(_, steps)| !steps.is_empty()) {
            self.arms("Branch", name.to_owned(), span, arms);
        }
    }

    fn arms(&mut self, kind: &'static str, name: String, span: Span, arms: Vec<(String, Vec<Step>)>) {
        let line = line(span);
        let arms =
            arms.into_iter().map(|(name, steps)| Step { kind: "Arm", name, line: first_line(&steps, line), steps });
        self.steps.push(Step { kind, name, line, steps: arms.collect() });
    }
}

fn first_line(steps: &[Step], otherwise: usize) -> usize {
    steps.first().map_or(otherwise, |step| step.line)
}

/// The last segment of what is called, or of the name that is awaited.
fn callee(expr: &Expr) -> (String, Span) {
    match expr {
        Expr::Path(path) => match path.path.segments.last() {
            Some(last) => (last.ident.to_string(), last.ident.span()),
            None => (String::new(), Span::call_site()),
        },
        Expr::Call(call) => callee(&call.func),
        Expr::MethodCall(call) => (call.method.to_string(), call.method.span()),
        Expr::Try(tried) => callee(&tried.expr),
        Expr::Reference(reference) => callee(&reference.expr),
        _ => (String::new(), syn::spanned::Spanned::span(expr)),
    }
}

fn kind_of_method(name: &str) -> Option<&'static str> {
    match name {
        "timer" | "sleep_until" | "timeout" => Some("Timer"),
        "event" | "event_named" | "try_event" => Some("Event"),
        "side_effect" => Some("SideEffect"),
        _ => None,
    }
}

/// What a step is called: the event type, or a name given as text.
fn described(call: &ExprMethodCall) -> String {
    if let Some(types) = &call.turbofish
        && call.method == "event"
    {
        let args = &types.args;
        return quote!(#args).to_string().replace(' ', "");
    }
    match call.args.first() {
        Some(Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. })) => text.value(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use syn::{Block, parse_quote};

    use super::*;
    use crate::model::Kind;

    fn outline(block: Block) -> Outline {
        let item = parse_quote!(async fn f(ctx: OrchestrationContext) #block);
        of(&Function::read(Kind::Orchestration, item))
    }

    #[test]
    fn calls_branches_loops_joins_and_selects() {
        let outline = outline(parse_quote!({
            let receipt = shop::charge_card(&ctx, order.card, round(order.cents)).retry(policy).await?;
            if receipt.big {
                ctx.timer(day).await;
            } else {
                log();
            }
            for item in items {
                pack(&ctx, item).await;
            }
            audit(&ctx, 1).detach();
            join!(pack(&ctx, a), label(&ctx, b));
            let x = select! { a = ctx.event::<Approved>() => Some(a), () = ctx.timer(day) => { refund(&ctx).await?; None } };
            let number = ctx.side_effect("dice", || 4).await;
            let waiting = pack(&ctx, c);
            if number > 3 {
                println!("no step in here")
            }
            waiting.await;
            ctx.timeout(day, pack(&ctx, d).timeout(hour)).await;
            join_all(items.iter().map(|item| pack(&ctx, item))).await
        }));
        let expected = "Call charge_card\nBranch if\n  Arm\n    Timer\n  Arm\nLoop for\n  Call pack\nChild audit\nJoin join\n  Arm\n    \
            Call pack\n  Arm\n    Call label\nSelect\n  Arm\n    Event Approved\n  Arm\n    Timer\n    Call refund\nSideEffect dice\n\
            Call pack\nAwait waiting\nCall pack\nTimer\nJoin join_all\n  Call pack\n";
        assert_eq!(outline.to_text(), expected);
    }

    #[test]
    fn the_fingerprint_is_fnv_and_ignores_lines() {
        assert_eq!(outline(parse_quote!({})).fingerprint(), 0xcbf2_9ce4_8422_2325);
        let one = outline(parse_quote!({ pack(&ctx).await })).fingerprint();
        let other = outline(parse_quote!({
            let x = 1;
            pack(&ctx, x).await
        }))
        .fingerprint();
        let more = outline(parse_quote!({
            pack(&ctx).await;
            pack(&ctx).await
        }))
        .fingerprint();
        assert_eq!(one, other);
        assert_ne!(one, more);
    }
}
