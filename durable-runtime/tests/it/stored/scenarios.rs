//! What happens to the programs: recorded at the moments that a store can be left in.

use std::collections::BTreeMap;

use durable_runtime::client::StartRequest;
use durable_runtime::prelude::*;
use durable_runtime::testing::{RecordedHistory, TestRuntime};

use super::{given_up, programs as p};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

/// The runtime of a scenario, and what was recorded of all of them.
struct Recorder {
    runtime: TestRuntime,
    recorded: BTreeMap<String, RecordedHistory>,
}

/// All histories by name.
pub(super) async fn all() -> BTreeMap<String, RecordedHistory> {
    let mut recorder = Recorder { runtime: runtime().await, recorded: BTreeMap::new() };
    recorder.activities().await;
    recorder.waits().await;
    recorder.events().await;
    recorder.children().await;
    recorder.ends().await;
    recorder.cancellations().await;
    recorder.suspensions().await;
    recorder.kept().await;
    recorder.keyed().await;
    recorder.poisoned().await;
    recorder.runtime.shutdown().await;
    recorder.recorded
}

/// With one shard, so that nothing is a question of threads.
async fn runtime() -> TestRuntime {
    TestRuntime::builder().configure(|builder| builder.shards(1).keep_store_open()).start().await.unwrap()
}

impl Recorder {
    fn client(&self) -> Client {
        self.runtime.client()
    }

    /// Starts an instance in a runtime of its own. Its id is the name of the scenario.
    async fn begin<O: durable_runtime::Orchestration>(
        &mut self,
        id: &str,
        request: impl FnOnce(&Client) -> StartRequest<O>,
    ) -> Handle<O> {
        std::mem::replace(&mut self.runtime, runtime().await).shutdown().await;
        self.start(id, request).await
    }

    /// As [`Recorder::begin`], in the runtime that is there; waits until the instance waits.
    async fn start<O: durable_runtime::Orchestration>(
        &self,
        id: &str,
        request: impl FnOnce(&Client) -> StartRequest<O>,
    ) -> Handle<O> {
        let handle = request(&self.client()).id(format!("stored-{id}")).start().await.unwrap();
        self.runtime.settled().await;
        handle
    }

    /// Keeps the newest history of the instance as `{id}.{stage}`.
    async fn keep(&mut self, id: &str, stage: &str) {
        let execution_id = self.client().status(format!("stored-{id}")).await.unwrap().execution_id;
        self.keep_execution(id, stage, execution_id).await;
    }

    async fn keep_execution(&mut self, id: &str, stage: &str, execution_id: durable_runtime::ExecutionId) {
        let handle = self.client().handle::<p::nothing>(format!("stored-{id}")).unwrap();
        let events = self.client().history(handle.id(), execution_id).await.unwrap();
        let instance = handle.id().clone();
        self.recorded.insert(format!("{id}.{stage}"), RecordedHistory { instance, execution_id, events });
    }

    /// Starts an instance and keeps its history when it waits, or has ended at once.
    async fn at_once<O: durable_runtime::Orchestration>(
        &mut self,
        id: &str,
        request: impl FnOnce(&Client) -> StartRequest<O>,
    ) {
        self.begin(id, request).await;
        self.keep(id, "at_once").await;
    }

    /// As [`Recorder::at_once`], and once more after so much time.
    async fn then<O: durable_runtime::Orchestration>(
        &mut self,
        id: &str,
        request: impl FnOnce(&Client) -> StartRequest<O>,
        time: Duration,
    ) {
        self.at_once(id, request).await;
        self.runtime.advance(time).await;
        self.keep(id, "later").await;
    }

    async fn raise(&self, id: &str, by: &str) {
        let go = p::Go { by: by.to_owned() };
        self.client().raise(format!("stored-{id}"), "stored.go", &go).await.unwrap();
        self.runtime.settled().await;
    }

    async fn activities(&mut self) {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        self.at_once("in_turn_none", |client| p::in_turn(client, texts(&[]))).await;
        self.at_once("in_turn_one", |client| p::in_turn(client, texts(&["a"]))).await;
        self.at_once("in_turn_three", |client| p::in_turn(client, texts(&["a", "ä\n\"\\\u{0}", ""]))).await;
        self.at_once("side_by_side_two", |client| p::side_by_side(client, texts(&["a", "b"]))).await;
        self.at_once("side_by_side_twenty", |client| p::side_by_side(client, vec!["x".repeat(300); 20])).await;
        self.then("retried_first_time", |client| p::retried(client, 1), SECOND).await;
        self.then("retried_third_time", |client| p::retried(client, 3), SECOND * 10).await;
        self.then("retried_in_vain", |client| p::retried(client, 9), SECOND * 10).await;
        self.at_once("settings", |client| p::settings(client)).await;
        self.then("looks_up", |client| p::looks_up(client, texts(&["a", "b"])), SECOND * 10).await;
        self.at_once("panic_in_an_activity", |client| p::survives_a_panic(client)).await;
        self.then("unserved", |client| p::gives_up(client), HOUR).await;
    }

    async fn waits(&mut self) {
        self.then("sleeps", |client| p::sleeps(client, 3), HOUR * 3).await;
        self.then("sleeps_never", |client| p::sleeps(client, 0), SECOND).await;
        self.then("sleeps_for_ever", |client| p::sleeps(client, 1 << 40), HOUR).await;
        self.then("limited_in_vain", |client| p::limited(client), HOUR).await;
        self.begin("limited_in_time", |client| p::limited(client)).await;
        self.raise("limited_in_time", "Ada").await;
        self.keep("limited_in_time", "raised").await;
        self.at_once("draws", |client| p::draws(client)).await;
    }

    async fn events(&mut self) {
        self.then("approval_too_late", |client| p::approval(client), HOUR * 24).await;
        self.begin("approval", |client| p::approval(client)).await;
        self.raise("approval", "Ada").await;
        self.keep("approval", "raised").await;
        self.begin("mailbox", |client| p::mailbox(client, 3)).await;
        for (stage, by) in [("one", "Ada"), ("two", "Grace"), ("three", "Kurt")] {
            self.raise("mailbox", by).await;
            self.keep("mailbox", stage).await;
        }
        self.begin("takes_one", |client| p::takes_one(client, Vec::new(), 3)).await;
        for by in ["Ada", "Grace", "Kurt"] {
            self.raise("takes_one", by).await;
        }
        self.keep("takes_one", "all_wait").await;
        self.runtime.advance(SECOND * 3).await;
        for execution in 1..=3 {
            self.keep_execution("takes_one", &format!("{execution}"), durable_runtime::ExecutionId(execution)).await;
        }
        self.begin("nested", |client| p::nested(client, 3)).await;
        self.keep("nested", "first_round").await;
        self.raise("nested", "Ada").await;
        self.keep("nested", "second_round").await;
        self.runtime.advance(SECOND * 30).await;
        self.keep("nested", "third_round").await;
        self.raise("nested", "Grace").await;
        self.keep("nested", "done").await;
    }

    async fn children(&mut self) {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        self.at_once("child_alone", |client| p::child(client, "a".to_owned(), 1)).await;
        self.then("parent_of_one", |client| p::parent(client, texts(&["a"])), SECOND * 2).await;
        self.then("parent_of_three", |client| p::parent(client, texts(&["a", "broken", "c"])), SECOND * 2).await;
        self.runtime.advance(SECOND * 2).await;
        self.keep("parent_of_three", "done").await;
        // The second child's id is taken.
        self.begin("parent_in_vain-2", |client| p::nothing(client)).await;
        self.start("parent_in_vain", |client| p::parent(client, texts(&["a", "b"]))).await;
        self.keep("parent_in_vain", "at_once").await;
        self.runtime.advance(SECOND * 3).await;
        self.keep("parent_in_vain", "later").await;
        self.at_once("detaches_and_abandons", |client| p::detaches(client)).await;
        self.begin("loses_a_child", |client| p::loses_a_child(client)).await;
        self.keep("loses_a_child", "both").await;
        self.raise("loses_a_child", "Ada").await;
        self.keep("loses_a_child", "lost").await;
    }

    async fn ends(&mut self) {
        self.at_once("nothing", |client| p::nothing(client)).await;
        self.then("fails", |client| p::fails(client, "the bridge".to_owned()), SECOND).await;
        self.then("panics", |client| p::panics_itself(client), SECOND).await;
        self.then("never_wakes", |client| p::never_wakes(client), SECOND).await;
        self.begin("generations", |client| p::generations(client, 2)).await;
        self.runtime.advance(SECOND * 3).await;
        for execution in 1..=3 {
            self.keep_execution("generations", &format!("{execution}"), durable_runtime::ExecutionId(execution)).await;
        }
        let cancelled = self.begin("cancelled", |client| p::approval(client)).await;
        cancelled.cancel("changed my mind").await.unwrap();
        self.runtime.settled().await;
        self.keep("cancelled", "closed").await;
        let terminated = self.begin("terminated", |client| p::nested(client, 9)).await;
        terminated.terminate("enough").await.unwrap();
        self.runtime.settled().await;
        self.keep("terminated", "closed").await;
    }

    async fn cancellations(&mut self) {
        for (id, seconds) in [("cleans_up", 0), ("cleans_up_slowly", 5)] {
            let handle = self.begin(id, |client| p::cleans_up(client)).await;
            handle.cancel("changed my mind").await.unwrap();
            self.runtime.settled().await;
            self.runtime.advance(SECOND * seconds).await;
            self.keep(id, "cancelled").await;
        }
        self.at_once("saga_fails_at_once", |client| p::saga(client, 1)).await;
        self.at_once("saga_fails_late", |client| p::saga(client, 3)).await;
        let saga = self.begin("saga_cancelled", |client| p::saga(client, 0)).await;
        saga.cancel("changed my mind").await.unwrap();
        self.runtime.settled().await;
        self.keep("saga_cancelled", "cancelled").await;
        self.begin("saga_kept", |client| p::saga(client, 0)).await;
        self.raise("saga_kept", "Ada").await;
        self.keep("saga_kept", "raised").await;
        let decides = self.begin("decides_itself", |client| p::decides_itself(client)).await;
        self.runtime.advance(SECOND * 15).await;
        decides.cancel("enough").await.unwrap();
        self.runtime.settled().await;
        self.keep("decides_itself", "cancelled").await;
        self.then("has_an_hour", |client| p::has_an_hour(client), HOUR).await;
        self.begin("leaves_children", |client| p::leaves_children(client)).await;
        self.keep("leaves_children", "at_once").await;
        self.raise("leaves_children", "Ada").await;
        self.keep("leaves_children", "raised").await;
    }

    async fn suspensions(&mut self) {
        let handle = self.begin("suspended", |client| p::approval(client)).await;
        handle.suspend().await.unwrap();
        self.runtime.settled().await;
        self.keep("suspended", "suspended").await;
        self.raise("suspended", "Ada").await;
        self.keep("suspended", "raised").await;
        handle.resume().await.unwrap();
        self.runtime.settled().await;
        self.keep("suspended", "resumed").await;
    }

    /// An event that is raised twice under one key, and counts once.
    async fn keyed(&mut self) {
        let handle = self.begin("keyed", |client| p::approval(client)).await;
        for by in ["Ada", "Max"] {
            let go = p::Go { by: by.to_owned() };
            let raise = self.client().raise(handle.id().as_str(), "stored.go", &go).idempotency_key("key 1");
            let _closed_by_the_first = raise.await;
        }
        self.runtime.settled().await;
        self.keep("keyed", "raised").await;
    }

    /// One whose process dies in each turn.
    async fn poisoned(&mut self) {
        self.begin("poisoned", |client| p::approval(client)).await;
        let store = self.runtime.store().clone();
        std::mem::replace(&mut self.runtime, runtime().await).shutdown().await;
        let history = given_up::in_its_next_turn(store, "stored-poisoned").await;
        self.recorded.insert("poisoned.given_up".to_owned(), history);
    }

    /// Values by key, labels and patches, of two executions.
    async fn kept(&mut self) {
        self.begin("keeps", |client| p::keeps(client, 0)).await;
        for execution in 1..=2 {
            self.keep_execution("keeps", &format!("{execution}"), durable_runtime::ExecutionId(execution)).await;
        }
    }
}
