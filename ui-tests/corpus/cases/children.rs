use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[activity]
async fn resize(picture: u32) -> Result<u32, String> {
    if picture == 13 { Err("unlucky".to_owned()) } else { Ok(picture * 2) }
}

#[orchestration]
async fn one_album(ctx: OrchestrationContext, pictures: Vec<u32>) -> Result<u32, String> {
    let mut total = 0;
    for picture in pictures {
        total += resize(&ctx, picture).await.map_err(|error| error.to_string())?;
    }
    Ok(total)
}

/// Children side by side; some fail, and that is an answer too.
#[orchestration]
async fn all_albums(ctx: OrchestrationContext, albums: Vec<Vec<u32>>) -> (u32, Vec<String>) {
    let children = albums
        .into_iter()
        .enumerate()
        .map(|(number, pictures)| one_album(&ctx, pictures).id(format!("{}-album-{number}", ctx.instance_id())));
    let mut total = 0;
    let mut failures = Vec::new();
    for outcome in join_all(children).await {
        match outcome {
            Ok(pictures) => total += pictures,
            Err(ChildError::Failed(error)) => failures.push(error),
            Err(other) => failures.push(other.to_string()),
        }
    }
    (total, failures)
}

/// The first child that answers.
#[orchestration]
async fn fastest_album(ctx: OrchestrationContext) -> Result<u32, ChildError<String>> {
    let slow = async {
        ctx.timer(Duration::from_secs(3_600)).await;
        one_album(&ctx, vec![1]).await
    };
    select! {
        answer = slow => answer,
        answer = one_album(&ctx, vec![5, 6]) => answer,
    }
}

/// A generation hands over to the next, as a new execution with a short history.
#[orchestration]
async fn countdown(ctx: OrchestrationContext, from: u32, seen: Vec<u32>) -> Vec<u32> {
    let seen = [seen, vec![from]].concat();
    if from == 0 {
        return seen;
    }
    ctx.timer(Duration::from_secs(60)).await;
    countdown(&ctx, from - 1, seen).continue_as_new().await
}

#[tokio::test]
async fn they_work_for_their_parents() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let albums = vec![vec![1, 2], vec![13], vec![4]];
    let (total, failures) = runtime.run(all_albums(&client, albums)).await.unwrap();
    assert_eq!((total, failures.len()), (14, 1));
    assert_eq!(runtime.run(fastest_album(&client)).await.unwrap(), 22);
    assert_eq!(runtime.run(countdown(&client, 3, vec![])).await.unwrap(), [3, 2, 1, 0]);
    runtime.shutdown().await;
}
