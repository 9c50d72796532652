use durable_runtime::LocalBoxDurable;
use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[activity]
async fn children_of(folder: String) -> Vec<String> {
    match folder.as_str() {
        "/" => vec!["/a".into(), "/b".into()],
        "/a" => vec!["/a/x".into(), "/a/y".into()],
        _ => Vec::new(),
    }
}

fn walk(ctx: &OrchestrationContext, folder: String) -> LocalBoxDurable<'_, Result<Vec<String>, ActivityError>> {
    Box::pin(walk_one(ctx, folder))
}

#[deterministic]
async fn walk_one(ctx: &OrchestrationContext, folder: String) -> Result<Vec<String>, ActivityError> {
    let inside = children_of(ctx, folder.clone()).await?;
    let below = try_join_all(inside.into_iter().map(|child| walk(ctx, child))).await?;
    Ok(std::iter::once(folder).chain(below.into_iter().flatten()).collect())
}

/// A tree, walked by a helper that calls itself.
#[orchestration]
async fn list_tree(ctx: OrchestrationContext, root: String) -> Result<Vec<String>, ActivityError> {
    walk(&ctx, root).await
}

/// Pure recursion needs no help.
#[orchestration]
async fn towers(ctx: OrchestrationContext, discs: u32) -> Vec<(char, char)> {
    fn carry(discs: u32, [from, over, to]: [char; 3], moves: &mut Vec<(char, char)>) {
        if discs > 0 {
            carry(discs - 1, [from, to, over], moves);
            moves.push((from, to));
            carry(discs - 1, [over, from, to], moves);
        }
    }

    let mut moves = Vec::new();
    carry(discs, ['A', 'B', 'C'], &mut moves);
    ctx.timer(Duration::from_secs(moves.len() as u64)).await;
    moves
}

/// An orchestration that is its own child, down to the leaves.
#[orchestration]
async fn sum_of(ctx: OrchestrationContext, numbers: Vec<u64>) -> Result<u64, String> {
    match numbers.as_slice() {
        [] => Ok(0),
        [one] => Ok(*one),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            let (left, right) = join!(sum_of(&ctx, left.to_vec()), sum_of(&ctx, right.to_vec()));
            let text = |error: ChildError<String>| error.to_string();
            Ok(left.map_err(text)? + right.map_err(text)?)
        }
    }
}

#[tokio::test]
async fn they_come_to_an_end() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let tree = runtime.run(list_tree(&client, "/".into())).await.unwrap();
    assert_eq!(tree, ["/", "/a", "/a/x", "/a/y", "/b"]);
    assert_eq!(runtime.run(towers(&client, 4)).await.unwrap().len(), 15);
    assert_eq!(runtime.run(sum_of(&client, (1..=7).collect())).await.unwrap(), 28);
    runtime.shutdown().await;
}
