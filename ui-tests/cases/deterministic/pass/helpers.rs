#![allow(unused)]

use durable_runtime::prelude::*;

#[activity]
async fn price(item: String) -> Result<u64, String> {
    Ok(item.len() as u64)
}

struct Cart {
    items: Vec<String>,
}

impl Cart {
    #[deterministic]
    async fn total<T>(&self, ctx: &OrchestrationContext, discount: T) -> Result<u64, ActivityError<String>>
    where
        T: Into<u64> + Copy,
    {
        let mut total = 0;
        for item in &self.items {
            total += price(ctx, item.clone()).await?;
        }
        Ok(total - discount.into())
    }

    #[deterministic]
    fn count(&self) -> usize {
        self.items.len()
    }

    #[deterministic]
    const fn limit() -> usize {
        10
    }
}

#[deterministic]
async fn longest<'a>(ctx: OrchestrationContext, a: &'a str, b: &str) -> &'a str {
    ctx.timer(Duration::from_secs(b.len() as u64)).await;
    a
}

#[deterministic]
async fn with_pattern((a, b): (u64, u64), mut c: u64) -> impl Iterator<Item = u64> {
    c += 1;
    [a, b, c].into_iter()
}

#[orchestration]
async fn process(ctx: OrchestrationContext, items: Vec<String>) -> Result<u64, ActivityError<String>> {
    let cart = Cart { items };
    let name = longest(ctx, "a", "b").await;
    let sum: u64 = with_pattern((1, 2), 3).await.sum();
    Ok(cart.total(&ctx, 1u32).await? + cart.count() as u64 + sum + name.len() as u64)
}

fn main() {}
