use std::fmt::{Debug, Display};

use durable_runtime::DurableFuture;
use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[activity]
async fn shout(text: String) -> String {
    text.to_uppercase()
}

#[deterministic]
async fn each<T, F, D>(items: impl IntoIterator<Item = T>, mut call: F) -> Vec<D::Output>
where
    F: FnMut(T) -> D,
    D: DurableFuture,
{
    let mut answers = Vec::new();
    for item in items {
        answers.push(call(item).await);
    }
    answers
}

#[deterministic]
fn describe<T: Display + PartialOrd, const N: usize>(values: [T; N]) -> String {
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        let rises = at > 0 && values.get(at - 1).is_some_and(|before| before < value);
        text += &format!("{}{value}", if rises { "<" } else { "|" });
    }
    text
}

/// Helpers with type parameters, closures and constants.
#[orchestration]
async fn generic_helpers(ctx: OrchestrationContext, words: Vec<String>) -> Result<String, ActivityError> {
    let loud = each(words, |word| shout(&ctx, word)).await;
    let loud: Vec<String> = loud.into_iter().collect::<Result<_, _>>()?;
    Ok(format!("{} {}", loud.join("+"), describe([3, 5, 4])))
}

trait Step {
    fn name(&self) -> String;
    fn cost(&self) -> u64 {
        1
    }
}

#[derive(Debug)]
struct Walk(u64);
#[derive(Debug)]
struct Rest;

impl Step for Walk {
    fn name(&self) -> String {
        format!("walk {}", self.0)
    }
    fn cost(&self) -> u64 {
        self.0
    }
}

impl Step for Rest {
    fn name(&self) -> String {
        "rest".to_owned()
    }
}

fn show<T: Debug + ?Sized>(value: &T) -> String {
    format!("{value:?}")
}

/// Trait objects and dynamic calls.
#[orchestration]
async fn dynamic_steps(ctx: OrchestrationContext, distance: u64) -> Result<(u64, Vec<String>), ActivityError> {
    let steps: Vec<Box<dyn Step>> = vec![Box::new(Walk(distance)), Box::new(Rest), Box::new(Walk(distance / 2))];
    let cost = steps.iter().map(|step| step.cost()).sum();
    let mut names = Vec::with_capacity(steps.len());
    for step in &steps {
        names.push(shout(&ctx, step.name()).await?);
    }
    names.push(show(&Walk(1)));
    Ok((cost, names))
}

#[tokio::test]
async fn their_types_are_found() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let words = vec!["one".to_owned(), "two".to_owned()];
    let text = runtime.run(generic_helpers(&client, words)).await.unwrap();
    assert_eq!(text, "ONE+TWO |3<5|4");
    let (cost, names) = runtime.run(dynamic_steps(&client, 8)).await.unwrap();
    assert_eq!((cost, names.join(",")), (13, "WALK 8,REST,WALK 4,Walk(1)".to_owned()));
    runtime.shutdown().await;
}
