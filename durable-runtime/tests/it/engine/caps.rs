//! How many activities of one name or tag run at once, and that those who wait hold up nobody.

use durable_runtime::RuntimeError;
use durable_runtime::prelude::*;

use super::kit::{each_store, end, gate, soon};

#[activity(max_concurrent = 2)]
async fn few_at_once(name: String) {
    gate(name).pass().await;
}

#[activity(tag = "scarce")]
async fn of_a_scarce_tag(name: String) {
    gate(name).pass().await;
}

#[activity]
async fn free_for_all() -> u32 {
    1
}

#[orchestration]
async fn calls_many(ctx: OrchestrationContext, name: String, tagged: bool, count: usize) -> usize {
    let done = match tagged {
        true => join_all((0..count).map(|_| of_a_scarce_tag(&ctx, name.clone()))).await,
        false => join_all((0..count).map(|_| few_at_once(&ctx, name.clone()))).await,
    };
    done.into_iter().filter(Result::is_ok).count()
}

#[orchestration]
async fn calls_a_free_one(ctx: OrchestrationContext) -> Result<u32, ActivityError> {
    free_for_all(&ctx).await
}

#[tokio::test]
async fn no_more_of_a_name_or_tag_run_at_once_than_its_cap_and_others_go_on() {
    for test in each_store() {
        let builder = test.runtime().serve_tag("scarce").max_concurrent_tag("scarce", 1).activities_max(50);
        let runtime = builder.start().await.unwrap();
        let client = runtime.client();
        for (tagged, most, name) in [(false, 2, "named"), (true, 1, "tagged")] {
            let name = test.named(name);
            let handle = calls_many(&client, name.clone(), tagged, 7).start().await.unwrap();
            for ended in 0..7 {
                gate(&name).reached().await;
                // Whoever waits for a place lets others pass.
                soon(calls_a_free_one(&client).start().await.unwrap().result()).await.unwrap();
                assert!(gate(&name).runs() <= ended + most, "{name}");
                gate(&name).open();
            }
            assert_eq!(soon(handle.result()).await.unwrap(), 7);
        }
        assert!(test.is_quiet().await);
        end(runtime).await;
    }
}

#[tokio::test]
async fn the_builder_has_the_last_word() {
    for test in each_store() {
        let runtime = test.runtime().max_concurrent("few_at_once", 5).start().await.unwrap();
        let name = test.named("more than the attribute says");
        let handle = calls_many(&runtime.client(), name.clone(), false, 9).start().await.unwrap();
        for _ in 0..5 {
            gate(&name).reached().await;
        }
        test.activities_are(9, 5).await;
        gate(&name).open_for_all();
        assert_eq!(soon(handle.result()).await.unwrap(), 9);
        end(runtime).await;
    }
}

#[tokio::test]
async fn a_cap_on_what_is_not_there_stops_the_start() {
    let [test, _] = each_store();
    let Err(RuntimeError::Registry(error)) = test.runtime().max_concurrent("few_at_onec", 1).start().await else {
        panic!("it started")
    };
    let text = error.to_string();
    assert!(text.contains("`few_at_onec`") && text.contains("`few_at_once`"), "{text}");
}
