//! An instance and all below it.

use durable_runtime::client::ReadError;
use durable_runtime::prelude::*;

use crate::engine::kit::{each_store, end, status_when};

#[orchestration]
async fn grows(ctx: OrchestrationContext, depth: u32) {
    if depth > 0 {
        let id = ctx.instance_id();
        grows(&ctx, 0).id(format!("{id}/leaf")).detach().unwrap();
        grows(&ctx, depth - 1).id(format!("{id}/branch")).await.unwrap();
    }
    ctx.event_named::<u32>("never").await;
}

#[tokio::test]
async fn children_stand_below_their_parents() {
    for test in each_store() {
        let runtime = test.runtime().start().await.unwrap();
        let client = runtime.client();
        grows(&client, 2).id("root").start().await.unwrap();
        for id in ["root/leaf", "root/branch/leaf", "root/branch/branch"] {
            status_when(&test.store, id, |status| status.status == Status::Running).await;
        }
        grows(&client, 0).id("stranger").start().await.unwrap();
        let tree = client.tree("root").await.unwrap();
        let lines = [
            "root  grows 1.0.0  running",
            "  root/branch  grows 1.0.0  running",
            "    root/branch/branch  grows 1.0.0  running",
            "    root/branch/leaf  grows 1.0.0  running",
            "  root/leaf  grows 1.0.0  running\n",
        ];
        assert_eq!(tree.to_string(), lines.join("\n"));
        assert_eq!(client.tree("stranger").await.unwrap().children, Vec::new());
        assert!(matches!(client.tree("nobody").await, Err(ReadError::NotFound(_))));
        end(runtime).await;
    }
}
