#![allow(unused)]

use durable_runtime::prelude::*;

use durable_runtime::LocalBoxDurable;

#[activity]
async fn charge() -> u64 {
    5
}

#[orchestration]
async fn process(ctx: OrchestrationContext) -> Result<u64, ActivityError> {
    let mut total = 0;
    'items: for item in 0..3 {
        let Ok(cents) = charge(&ctx).await else { continue 'items };
        total += match charge(&ctx).await {
            Ok(0) => break 'items,
            Ok(more) if more > 3 => charge(&ctx).await?,
            _ => cents,
        };
        while let Ok(more) = charge(&ctx).await {
            if more > item {
                return Err(charge(&ctx).await.unwrap_err());
            }
        }
    }
    let closure = |factor: u64| async move { charge(&ctx).await.map(|cents| cents * factor) };
    let block = async { Ok::<u64, ActivityError>(closure(2).await? + 1) };
    let boxed: LocalBoxDurable<'_, u64> = Box::pin(async { 5 });
    let mut pinned = std::pin::pin!(ctx.timer(Duration::from_secs(1)));
    pinned.as_mut().await;
    let text = format!("{} {}", charge(&ctx).await?, boxed.await);
    assert!(matches!(charge(&ctx).await, Ok(5) | Err(_)), "{}", charge(&ctx).await?);
    let list = vec![charge(&ctx).await?; 3];
    let (left, right) = try_join!(charge(&ctx), async { block.await })?;
    let all = try_join_all((0..3).map(|_| charge(&ctx))).await?;
    Ok(total + left + right + all.len() as u64 + list.len() as u64 + text.len() as u64)
}

fn main() {}
