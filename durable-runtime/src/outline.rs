//! The outline of an orchestration: what its macro saw of its shape.

mod mermaid;

/// The durable calls, branches and loops of an orchestration, in the order of its code.
///
/// Two versions of an orchestration with the same outline give their commands in the same order, as far as tokens
/// tell; `FINGERPRINT` is a hash of [`to_text`](Self::to_text).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outline {
    /// The steps of the body, outermost.
    pub steps: &'static [OutlineStep],
}

/// One step, and the steps inside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlineStep {
    /// What it is.
    pub kind: OutlineKind,
    /// What is called or waited for; empty where there is no name.
    pub name: &'static str,
    /// The line of the source file.
    pub line: u32,
    /// The steps of its arms or of its body.
    pub steps: &'static [OutlineStep],
}

/// What a step of an outline is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OutlineKind {
    /// A call with the context: an activity, a child or a helper. Tokens do not tell which.
    Call,
    /// A call that only a child allows, such as `.detach()`.
    Child,
    /// `ctx.timer(..)` or `ctx.sleep_until(..)`.
    Timer,
    /// `ctx.event::<T>()` and its relatives.
    Event,
    /// `ctx.side_effect(..)`.
    SideEffect,
    /// An `.await` of something that was called before.
    Await,
    /// `if` or `match`; its steps are arms.
    Branch,
    /// One way through a branch, one future of a join, or one branch of a select with its body.
    Arm,
    /// `for`, `while` or `loop`.
    Loop,
    /// `join!`, `try_join!`, `join_all` or `try_join_all`.
    Join,
    /// `select!` or `race`.
    Select,
}

impl Outline {
    /// One step a line, two spaces for each level, without source lines.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        self.steps.iter().for_each(|step| step.write(0, &mut text));
        text
    }

    /// A flowchart for [mermaid](https://mermaid.js.org), with the line of each step.
    ///
    /// ```standalone_crate
    /// use durable_runtime::prelude::*;
    ///
    /// #[activity]
    /// async fn ask() {}
    ///
    /// #[orchestration]
    /// async fn patient(ctx: OrchestrationContext) -> Result<(), ActivityError> {
    ///     ctx.timer(Duration::from_secs(60)).await;
    ///     ask(&ctx).await
    /// }
    ///
    /// # fn main() {
    /// let chart = patient::OUTLINE.to_mermaid();
    /// assert!(chart.starts_with("flowchart TD\n    n0([start])"));
    /// assert!(chart.contains("timer"));
    /// assert!(chart.contains("ask<br/>line "));
    /// # }
    /// ```
    pub fn to_mermaid(&self) -> String {
        mermaid::Chart::of(self.steps)
    }
}

impl OutlineStep {
    fn write(&self, depth: usize, text: &mut String) {
        let line = format!("{:depth$}{:?} {}", "", self.kind, self.name, depth = depth * 2);
        text.push_str(line.trim_end());
        text.push('\n');
        self.steps.iter().for_each(|step| step.write(depth + 1, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn step(kind: OutlineKind, name: &'static str, steps: &'static [OutlineStep]) -> OutlineStep {
        OutlineStep { kind, name, line: 7, steps }
    }

    #[test]
    fn an_outline_reads_as_indented_lines() {
        const CALL: &[OutlineStep] = &[step(OutlineKind::Call, "pack", &[])];
        const ARMS: &[OutlineStep] = &[step(OutlineKind::Arm, "", CALL), step(OutlineKind::Arm, "", &[])];
        const OUTLINE: Outline =
            Outline { steps: &[step(OutlineKind::Branch, "if", ARMS), step(OutlineKind::Timer, "", &[])] };
        let chart = [
            "flowchart TD",
            "    n0([start])",
            "    n1{\"if<br/>line 7\"}",
            "    n0 --> n1",
            "    n2[\"pack<br/>line 7\"]",
            "    n1 --> n2",
            "    n3([\"timer<br/>line 7\"])",
            "    n2 --> n3",
            "    n1 --> n3",
            "    n4([end])",
            "    n3 --> n4\n",
        ];
        assert_eq!(OUTLINE.to_mermaid(), chart.join("\n"));
        assert_eq!(OUTLINE.to_text(), "Branch if\n  Arm\n    Call pack\n  Arm\nTimer\n");
    }

    #[test]
    fn a_flowchart_comes_together_again() {
        const CALL: &[OutlineStep] = &[step(OutlineKind::Call, "pack", &[])];
        const ARMS: &[OutlineStep] = &[step(OutlineKind::Arm, "", CALL), step(OutlineKind::Arm, "", CALL)];
        const BODY: &[OutlineStep] = &[step(OutlineKind::Join, "join!", ARMS)];
        const OUTLINE: Outline = Outline { steps: &[step(OutlineKind::Loop, "while", BODY)] };
        let chart = OUTLINE.to_mermaid();
        let arrows: Vec<_> = chart.lines().filter(|line| line.contains("-->")).map(str::trim).collect();
        let expected =
            ["n0 --> n1", "n1 --> n2", "n2 --> n3", "n2 --> n4", "n3 --> n5", "n4 --> n5", "n5 --> n1", "n1 --> n6"];
        assert_eq!(arrows, expected);
    }
}
