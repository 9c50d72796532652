//! Code changes while subscriptions run for years. Three ways, in one program that is deployed twice:
//!
//! - Ada began under the first deploy, and goes on as she began: `ctx.patched` says no to her.
//! - Grace begins under the second deploy with the same version, and gets a receipt: `ctx.patched` says yes.
//! - Kurt gets version 2, beside version 1, because he is new and it is the newest.

use std::error::Error;
use std::path::Path;

use durable_runtime::prelude::*;

#[activity]
async fn charge(customer: String, cents: u64) -> String {
    format!("{customer} paid {cents} cents")
}

#[activity]
async fn send_receipt(line: String) -> String {
    format!("{line}, with a receipt")
}

#[derive(Event, Serialize, Deserialize)]
struct RenewalDay;

mod first_deploy {
    use durable_runtime::prelude::*;

    #[orchestration(name = "renew", version = "1.0.0")]
    pub async fn renew(ctx: OrchestrationContext, customer: String) -> Result<String, ActivityError> {
        ctx.event::<super::RenewalDay>().await;
        super::charge(&ctx, customer, 900).await
    }
}

mod second_deploy {
    use durable_runtime::prelude::*;

    /// A small change: guarded, so that those who began without it go on without it.
    #[orchestration(name = "renew", version = "1.0.0")]
    pub async fn renew(ctx: OrchestrationContext, customer: String) -> Result<String, ActivityError> {
        let receipts = ctx.patched("receipts");
        ctx.event::<super::RenewalDay>().await;
        let line = super::charge(&ctx, customer, 900).await?;
        if receipts { super::send_receipt(&ctx, line).await } else { Ok(line) }
    }

    /// A large one: a version of its own.
    #[orchestration(name = "renew", version = "2.0.0")]
    pub async fn renew_by_month(ctx: OrchestrationContext, customer: String) -> Result<String, ActivityError> {
        let mut paid = Vec::new();
        for _ in 0..2 {
            ctx.event::<super::RenewalDay>().await;
            paid.push(super::charge(&ctx, customer.clone(), 90).await?);
        }
        Ok(paid.join(", "))
    }
}

/// What a deploy has in common with the other. Registered by hand: both deploys are in this one program.
fn deploy(store: &Path) -> Result<durable_runtime::RuntimeBuilder, Box<dyn Error>> {
    let builder = Runtime::builder(SledProvider::open(store)?).automatic_registration(false);
    Ok(builder.register_activity::<charge>().register_activity::<send_receipt>())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = deploy(folder.path())?.register::<first_deploy::renew>().start().await?;
    first_deploy::renew(&runtime.client(), "Ada".to_owned()).id("Ada").start().await?;
    runtime.shutdown(Duration::from_secs(5)).await;

    let builder = deploy(folder.path())?.register::<second_deploy::renew>();
    let runtime = builder.register::<second_deploy::renew_by_month>().start().await?;
    let client = runtime.client();
    second_deploy::renew(&client, "Grace".to_owned()).id("Grace").start().await?;
    client.start_named("renew", &serde_json::json!({ "customer": "Kurt" })).id("Kurt").start().await?;
    for customer in ["Ada", "Grace", "Kurt", "Kurt"] {
        client.raise(customer, "renewal_day", &()).await?;
    }
    for customer in ["Ada", "Grace", "Kurt"] {
        let handle = client.handle::<second_deploy::renew>(customer)?;
        let said = handle.result().await?;
        println!("{}: {said}", handle.status().await?.version);
    }
    runtime.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
