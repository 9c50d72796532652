//! What a runtime can run.

use durable_runtime::prelude::*;

#[activity(max_concurrent = 3)]
async fn listed_step() {}

#[orchestration(version = "1.9.0")]
async fn listed(ctx: OrchestrationContext) -> Result<(), ActivityError> {
    listed_step(&ctx).await
}

#[tokio::test]
async fn the_registry_says_names_versions_places_and_outlines() {
    let builder = Runtime::builder(MemoryProvider::new()).automatic_registration(false);
    let runtime = builder.register::<listed>().register_activity::<listed_step>().start().await.unwrap();
    let registry = runtime.registry();
    let [orchestration] = registry.orchestrations.as_slice() else { panic!("{registry:?}") };
    assert_eq!((orchestration.name, orchestration.version), ("listed", "1.9.0"));
    assert_eq!(orchestration.fingerprint, listed::FINGERPRINT);
    assert!(orchestration.place.file.ends_with("registry.rs"));
    assert_eq!(orchestration.outline.to_text(), "Call listed_step\n");
    let [activity] = registry.activities.as_slice() else { panic!("{registry:?}") };
    assert_eq!((activity.name, activity.max_concurrent), ("listed_step", Some(3)));
    runtime.shutdown(Duration::from_secs(5)).await;
}
