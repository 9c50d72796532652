//! The shape of an orchestration, as the macro reads it from the body.

/// The durable calls of an orchestration, its branches and loops, in the order of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// The steps.
    pub steps: &'static [OutlineStep],
}

/// One step of an outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlineStep {
    /// What it is.
    pub kind: OutlineKind,
    /// What it is called, where it has a name.
    pub name: &'static str,
    /// The line of the source.
    pub line: u32,
    /// What stands inside.
    pub steps: &'static [OutlineStep],
}

/// What a step of an outline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutlineKind {
    /// A call to an activity or a child; which of the two the macro cannot see.
    Call,
    /// A timer.
    Timer,
    /// A wait for an event.
    Event,
    /// A side effect.
    SideEffect,
    /// An `if` or a `match`.
    Branch,
    /// One arm of a branch or of a select.
    Arm,
    /// A loop.
    Loop,
    /// Side by side, until all are done.
    Join,
    /// Side by side, until the first is done.
    Select,
}
