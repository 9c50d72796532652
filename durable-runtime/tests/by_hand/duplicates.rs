//! Two functions of one name stop the start, with both places named.

use durable_runtime::prelude::*;
use durable_runtime::{RegistryError, RuntimeError};

mod left {
    use durable_runtime::prelude::*;

    #[orchestration(name = "twin", version = "1.0.0")]
    pub(super) async fn left(ctx: OrchestrationContext) -> u64 {
        ctx.random()
    }

    #[activity(name = "twin_step")]
    pub(super) async fn left_step() {}
}

mod right {
    use durable_runtime::prelude::*;

    #[orchestration(name = "twin", version = "1.0.0")]
    pub(super) async fn right(ctx: OrchestrationContext) -> u64 {
        ctx.random()
    }

    #[orchestration(name = "twin", version = "2.0.0")]
    pub(super) async fn newer(ctx: OrchestrationContext) -> u64 {
        ctx.random()
    }

    #[activity(name = "twin_step")]
    pub(super) async fn right_step() {}
}

fn builder() -> durable_runtime::RuntimeBuilder {
    Runtime::builder(MemoryProvider::new()).automatic_registration(false)
}

fn twice(started: Result<Runtime, RuntimeError>) -> String {
    let error = started.map(|_| ()).unwrap_err();
    assert!(matches!(error, RuntimeError::Registry(RegistryError::Duplicate { .. })), "{error}");
    error.to_string()
}

#[tokio::test]
async fn two_orchestrations_of_one_name_and_version_are_refused_with_both_places() {
    let text = twice(builder().register::<left::left>().register::<right::right>().start().await);
    assert!(text.starts_with("orchestration `twin 1.0.0` is registered twice, at "), "{text}");
    assert_eq!(text.matches("duplicates.rs:").count(), 2, "{text}");
}

#[tokio::test]
async fn two_activities_of_one_name_are_refused_with_both_places() {
    let builder = builder().register_activity::<left::left_step>().register_activity::<right::right_step>();
    let text = twice(builder.start().await);
    assert!(text.starts_with("activity `twin_step` is registered twice, at "), "{text}");
    assert_eq!(text.matches("duplicates.rs:").count(), 2, "{text}");
}

#[tokio::test]
async fn everything_that_is_annotated_counts() {
    twice(Runtime::builder(MemoryProvider::new()).start().await);
}

#[tokio::test]
async fn one_function_may_be_registered_twice_and_two_versions_live_side_by_side() {
    let builder = builder().register::<left::left>().register::<left::left>().register::<right::newer>();
    let runtime = builder.start().await.unwrap();
    let client = runtime.client();
    let older = left::left(&client).start().await.unwrap();
    let newer = right::newer(&client).start().await.unwrap();
    super::kit::soon(older.result()).await.unwrap();
    super::kit::soon(newer.result()).await.unwrap();
    assert_eq!(older.status().await.unwrap().version, "1.0.0");
    assert_eq!(newer.status().await.unwrap().version, "2.0.0");
    super::kit::end(runtime).await;
}
