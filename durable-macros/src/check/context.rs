//! The context: which, where, and how it is taken.

use crate::mistakes::Mistakes;
use crate::model::{Argument, Function, Kind, Role};

pub(super) fn check(function: &Function, mistakes: &mut Mistakes) {
    wrong_kind(function, mistakes);
    missing(function, mistakes);
    first_and_once(function, mistakes);
    by_value(function, mistakes);
    state(function, mistakes);
}

fn wrong_kind(function: &Function, mistakes: &mut Mistakes) {
    for argument in function.with_role(Role::WrongContext) {
        mistakes.at(
            argument.ty(),
            format!(
                "this is the context of another kind of function; {} takes `{}`",
                function.kind.noun(),
                function.kind.context()
            ),
        );
    }
}

/// Not reported beside a wrong one: that is the same mistake.
fn missing(function: &Function, mistakes: &mut Mistakes) {
    let none = function.with_role(Role::Context).chain(function.with_role(Role::WrongContext)).next().is_none();
    if function.kind == Kind::Orchestration && none {
        mistakes.at(
            function.ident(),
            format!(
                "an orchestration acts through its context; write `{}(ctx: OrchestrationContext, ..)`",
                function.ident()
            ),
        );
    }
}

fn first_and_once(function: &Function, mistakes: &mut Mistakes) {
    let mut contexts = function.with_role(Role::Context);
    if let Some(context) = contexts.next()
        && !is_first(function, context)
    {
        mistakes.at(&context.written, "the context comes first; move it to the front");
    }
    for second in contexts {
        mistakes.at(&second.written, "there is one context; take the second one out");
    }
}

fn is_first(function: &Function, context: &Argument) -> bool {
    function.arguments.first().is_some_and(|first| std::ptr::eq(first, context))
}

fn by_value(function: &Function, mistakes: &mut Mistakes) {
    for context in function.with_role(Role::Context) {
        if context.borrowed().is_some() {
            mistakes.at(context.ty(), format!("the context is taken by value; write `{}`", function.kind.context()));
        }
    }
    for state in function.with_role(Role::State) {
        if state.borrowed().is_some() {
            mistakes.at(state.ty(), "state is taken by value (it is a shared handle); take the `&` out");
        }
    }
}

fn state(function: &Function, mistakes: &mut Mistakes) {
    if function.kind == Kind::Orchestration {
        for state in function.with_role(Role::State) {
            mistakes.at(
                state.ty(),
                "an orchestration has no state but its history; take `State<T>` in an activity, and call that",
            );
        }
    }
}
