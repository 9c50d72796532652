//! `#[allow_nondeterminism(rule, reason = "..")]`: the justified exception, where it stands.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::visit::{self, Visit};
use syn::visit_mut::VisitMut;
use syn::{Attribute, Block, Expr, ExprMethodCall, Item, LitStr, Meta, Stmt, Token};

use super::Checked;
use super::table::{self, Row};
use crate::args::near;
use crate::mistakes::Mistakes;
use crate::model::edges;

const NAME: &str = "allow_nondeterminism";
const EXAMPLE: &str = "`#[allow_nondeterminism(wall_clock, reason = \"..\")]`";

pub(crate) fn is_allowance(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|segment| segment.ident == NAME)
}

/// What stands in the parentheses.
#[derive(Default)]
struct Allowance {
    rules: Vec<Ident>,
    reason: Option<LitStr>,
}

impl Parse for Allowance {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let mut allowance = Self::default();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            if name == "reason" {
                input.parse::<Token![=]>()?;
                allowance.reason = Some(input.parse()?);
            } else {
                allowance.rules.push(name);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(allowance)
    }
}

/// The allowances around the place where a walk is, and whether each was needed.
#[derive(Default)]
pub(super) struct Allows {
    given: Vec<Given>,
    /// Indices of those that count here, the innermost last.
    open: Vec<usize>,
    errors: Vec<syn::Error>,
    /// For the rules that the types decide: where they are off.
    off: Vec<(&'static Row, Range)>,
}

struct Given {
    row: &'static Row,
    rule: Ident,
    used: bool,
}

type Range = ((usize, usize), (usize, usize));

impl Allows {
    /// Steps into what stands under these attributes; how many allowances they hold is to be given to `leave`.
    pub(super) fn enter(&mut self, attributes: &[Attribute], node: Option<&dyn ToTokens>) -> usize {
        let before = self.open.len();
        for attribute in attributes.iter().filter(|attribute| is_allowance(attribute)) {
            self.read(attribute, node);
        }
        self.open.len() - before
    }

    pub(super) fn leave(&mut self, entered: usize) {
        self.open.truncate(self.open.len().saturating_sub(entered));
    }

    /// Whether the rule is allowed to be broken here.
    pub(super) fn covers(&mut self, row: &Row) -> bool {
        let at = self.open.iter().rev().find(|at| self.given.get(**at).is_some_and(|given| given.row.code == row.code));
        let given = at.and_then(|at| self.given.get_mut(*at));
        given.map(|given| given.used = true).is_some()
    }

    /// Reports what is wrong with the allowances themselves; what is left is where rules about types are off.
    pub(super) fn finish(self, mistakes: &mut Mistakes) -> Vec<(&'static Row, Range)> {
        self.errors.into_iter().for_each(|error| mistakes.push(error));
        for given in self.given.iter().filter(|given| !given.used && !given.row.is_about_types()) {
            mistakes.at(&given.rule, format!("nothing here breaks the rule `{}`; take this out", given.row.name));
        }
        self.off
    }

    fn read(&mut self, attribute: &Attribute, node: Option<&dyn ToTokens>) {
        let allowance = match &attribute.meta {
            Meta::List(list) => list.parse_args::<Allowance>(),
            _ => Ok(Allowance::default()),
        };
        match allowance {
            Ok(allowance) => self.take(attribute, allowance, node),
            Err(error) => self.errors.push(error),
        }
    }

    fn take(&mut self, attribute: &Attribute, allowance: Allowance, node: Option<&dyn ToTokens>) {
        if allowance.rules.is_empty() {
            self.wrong(attribute, format!("this names no rule; write {EXAMPLE}"));
        } else if let Some(reason) = &allowance.reason {
            if reason.value().trim().is_empty() {
                self.wrong(reason, "the reason is empty; say why it is safe here".to_owned());
            }
        } else {
            self.wrong(attribute.path(), format!("this gives no reason why it is safe here; write {EXAMPLE}"));
        }
        for rule in allowance.rules {
            match table::named(&rule.to_string()) {
                Some(row) => self.open(row, rule, node),
                None => self.wrong(&rule, unknown(&rule.to_string())),
            }
        }
    }

    fn open(&mut self, row: &'static Row, rule: Ident, node: Option<&dyn ToTokens>) {
        self.open.push(self.given.len());
        self.given.push(Given { row, rule, used: false });
        if let Some(range) = node.and_then(|node| range(&node.to_token_stream())) {
            self.off.push((row, range));
        }
    }

    fn wrong(&mut self, at: impl ToTokens, message: String) {
        self.errors.push(syn::Error::new_spanned(at, message));
    }
}

fn unknown(rule: &str) -> String {
    let known: Vec<&str> = table::all().map(|row| row.name).collect();
    match near::nearest(rule, &known) {
        Some(near) => format!("there is no rule `{rule}`; did you mean `{near}`?"),
        None => format!("there is no rule `{rule}`; the rules are `{}`", known.join("`, `")),
    }
}

/// From where to where in the user's file. Outside of the compiler there are no places.
fn range(tokens: &TokenStream) -> Option<Range> {
    let (first, last) = edges(tokens);
    proc_macro::is_available().then(|| {
        let (start, end) = (first.unwrap().start(), last.unwrap().end());
        ((start.line(), start.column()), (end.line(), end.column()))
    })
}

/// The rules that stand allowed among the attributes of a plain helper; mistakes in them are reported there.
pub(super) fn rules(attributes: &[Attribute]) -> Vec<&'static str> {
    let mut allows = Allows::default();
    allows.enter(attributes, None);
    allows.given.iter().map(|given| given.row.name).collect()
}

/// The attributes of a statement; for `#[..] x = y;` they are on `x`.
pub(super) fn of_stmt(statement: &Stmt) -> &[Attribute] {
    match statement {
        Stmt::Local(local) => &local.attrs,
        Stmt::Macro(call) => &call.attrs,
        Stmt::Item(Item::Static(item)) => &item.attrs,
        Stmt::Item(Item::Macro(item)) => &item.attrs,
        Stmt::Item(_) => &[],
        Stmt::Expr(expr, _) => of_first(expr),
    }
}

/// The attributes that stand in front of an expression.
fn of_first(expr: &Expr) -> &[Attribute] {
    match expr {
        Expr::Assign(assign) => of_first(&assign.left),
        Expr::Binary(binary) => of_first(&binary.left),
        Expr::Cast(cast) => of_first(&cast.expr),
        other => of_expr(other),
    }
}

macro_rules! attributes {
    ($expr:expr, $($variant:ident)*) => {
        match $expr {
            $(Expr::$variant(expr) => &expr.attrs,)*
            _ => &[],
        }
    };
}

/// The attributes of an expression itself.
pub(super) fn of_expr(expr: &Expr) -> &[Attribute] {
    attributes!(
        expr,
        Array Assign Async Await Binary Block Break Call Cast Closure Const Continue Field ForLoop Group If Index Infer
        Let Lit Loop Macro Match MethodCall Paren Path Range RawAddr Reference Repeat Return Struct Try TryBlock Tuple
        Unary Unsafe While Yield
    )
}

/// Takes the allowances out of a body; the compiler knows nothing of them.
pub(crate) fn consume(body: &mut Block) {
    struct Consume;
    impl VisitMut for Consume {
        fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
            attributes.retain(|attribute| !is_allowance(attribute));
        }
    }
    Consume.visit_block_mut(body);
}

/// Whether something in a body may break rules: under an allowance, or in what a side effect does.
pub(crate) fn has_exceptions(checked: &Checked<'_>) -> bool {
    struct Search(bool);
    impl<'ast> Visit<'ast> for Search {
        fn visit_attribute(&mut self, attribute: &'ast Attribute) {
            self.0 |= is_allowance(attribute);
        }
        fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
            self.0 |= call.method == "side_effect";
            visit::visit_expr_method_call(self, call);
        }
    }
    let mut search = Search(checked.attributes.iter().any(is_allowance));
    search.visit_block(checked.body);
    search.0
}
