//! With the feature `metrics`, the recorder of that crate hears of everything.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use durable_runtime::observe::names;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestRuntime;
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

/// What was recorded last, or in all, by name and labels.
static HEARD: Mutex<BTreeMap<String, f64>> = Mutex::new(BTreeMap::new());

struct Hearing;

struct One(String);

impl One {
    fn of(key: &Key) -> Arc<Self> {
        let labels: Vec<_> = key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Self(format!("{} {}", key.name(), labels.join(" ")).trim_end().to_owned()))
    }

    fn change(&self, change: impl FnOnce(f64) -> f64) {
        let mut heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
        let value = heard.entry(self.0.clone()).or_default();
        *value = change(*value);
    }
}

impl CounterFn for One {
    fn increment(&self, by: u64) {
        self.change(|value| value + by as f64);
    }

    fn absolute(&self, value: u64) {
        self.change(|_| value as f64);
    }
}

impl GaugeFn for One {
    fn increment(&self, by: f64) {
        self.change(|value| value + by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| value - by);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

impl HistogramFn for One {
    fn record(&self, value: f64) {
        self.change(|sum| sum + value);
    }
}

impl Recorder for Hearing {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(One::of(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(One::of(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(One::of(key))
    }
}

use super::metrics::when;

#[activity(retry(max_attempts = 2, initial = "1s"))]
async fn recorded_step(ctx: ActivityContext) -> Result<u32, String> {
    if ctx.attempt() == 1 { Err("once".to_owned()) } else { Ok(1) }
}

#[orchestration]
async fn recorded(ctx: OrchestrationContext) -> Result<u32, ActivityError<String>> {
    recorded_step(&ctx).await
}

#[tokio::test]
async fn the_recorder_of_the_application_hears_names_labels_and_values() {
    metrics::set_global_recorder(Hearing).unwrap();
    let runtime = TestRuntime::start().await.unwrap();
    runtime.run(recorded(&runtime.client())).await.unwrap();
    let own = when(&runtime, |metrics| metrics.completions.contains_key("recorded")).await;
    // The last to be told.
    let last = format!("{} orchestration=recorded outcome=completed", names::COMPLETIONS);
    when(&runtime, |_| HEARD.lock().unwrap().contains_key(&last)).await;
    let heard = |name: &str, labels: &str| {
        let name = format!("{name} {labels}").trim_end().to_owned();
        let value = HEARD.lock().unwrap().get(&name).copied();
        value.unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(heard(names::STARTS, "orchestration=recorded"), 1.0);
    assert_eq!(heard(names::COMPLETIONS, "orchestration=recorded outcome=completed"), 1.0);
    assert_eq!(heard(names::ATTEMPTS, "activity=recorded_step"), 2.0);
    assert_eq!(heard(names::RETRIES, "activity=recorded_step"), 1.0);
    assert_eq!(heard(names::ACTIVITIES, "activity=recorded_step outcome=completed"), 1.0);
    assert_eq!(heard(names::ATTEMPT_TIME, "activity=recorded_step"), 0.0, "time stands still");
    for name in [names::TURN_TIME, names::ACTIVITY_AGE, names::LIVE_HITS, names::SUSPENDED] {
        heard(name, "");
    }
    heard(names::QUEUE_DEPTH, "queue=turns");
    heard(names::QUEUE_DEPTH, "queue=activities");
    for name in [names::GROUPS, names::GROUP_TRANSACTIONS, names::GROUP_TIME] {
        heard(name, "");
    }
    assert!(own.groups.sizes.sum >= own.groups.sizes.count && own.groups.sizes.count > 0, "{:?}", own.groups);
    assert_eq!(own.starts["recorded"], 1);
    runtime.shutdown().await;
}
