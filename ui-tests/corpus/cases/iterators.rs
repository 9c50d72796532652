use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};

use durable_runtime::prelude::*;
use itertools::Itertools;

use durable_runtime::testing::TestRuntime;

#[activity]
async fn measure(sensor: u32) -> u64 {
    u64::from(sensor * sensor % 17)
}

/// Groups, windows and chunks of what activities returned.
#[orchestration]
async fn statistics(ctx: OrchestrationContext, sensors: u32) -> Result<BTreeMap<u64, Vec<u32>>, ActivityError> {
    let mut groups: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
    for chunk in &(0..sensors).chunks(4) {
        let chunk = chunk.collect_vec();
        let values = try_join_all(chunk.iter().map(|sensor| measure(&ctx, *sensor))).await?;
        for (value, sensor) in values.into_iter().zip(chunk) {
            groups.entry(value).or_default().push(sensor);
        }
    }
    groups.retain(|_, sensors| sensors.len() > 1);
    Ok(groups)
}

/// Hash maps and sets are fine as long as nobody sees their order.
#[orchestration]
async fn seen_before(ctx: OrchestrationContext, ids: Vec<u32>) -> (Vec<u32>, usize, Option<u32>) {
    let mut seen = HashSet::new();
    let twice: Vec<u32> = ids.iter().copied().filter(|id| !seen.insert(*id)).collect();
    let mut counts: HashMap<u32, u32> = HashMap::with_capacity(ids.len());
    for id in &ids {
        *counts.entry(*id).or_insert(0) += 1;
    }
    let sorted: BTreeMap<u32, u32> = durable_runtime::sorted(counts);
    let most = sorted.iter().max_by_key(|(id, count)| (**count, std::cmp::Reverse(**id))).map(|(id, _)| *id);
    ctx.timer(Duration::from_secs(1)).await;
    (twice, seen.len(), most)
}

/// Work lists of all kinds.
#[orchestration]
async fn work_lists(ctx: OrchestrationContext, jobs: Vec<(u32, String)>) -> Result<Vec<String>, ActivityError> {
    let mut heap: BinaryHeap<(u32, String)> = jobs.into_iter().collect();
    let mut queue = VecDeque::new();
    while let Some((priority, name)) = heap.pop() {
        if priority == 0 {
            queue.push_front(name);
        } else {
            queue.push_back(name);
        }
    }
    let names: BTreeSet<&str> = queue.iter().map(String::as_str).collect();
    let total: u64 = match names.len() {
        0 => 0,
        count => measure(&ctx, count as u32).await?,
    };
    let boxed: Box<dyn Iterator<Item = String>> = Box::new(queue.into_iter().rev());
    let mut done = Vec::new();
    for name in boxed {
        done.push(format!("{name}:{total}"));
    }
    done.sort_unstable_by(|a, b| b.cmp(a));
    Ok(done)
}

#[tokio::test]
async fn they_iterate_in_order() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let groups = runtime.run(statistics(&client, 9)).await.unwrap();
    assert!(groups.is_empty() || groups.values().all(|sensors| sensors.len() > 1));
    let answer = runtime.run(seen_before(&client, vec![3, 1, 3, 2, 1])).await.unwrap();
    assert_eq!(answer, (vec![3, 1], 3, Some(1)));
    let jobs = vec![(0, "a".to_owned()), (2, "b".to_owned()), (1, "c".to_owned())];
    let done = runtime.run(work_lists(&client, jobs)).await.unwrap();
    assert_eq!(done, ["c:9", "b:9", "a:9"]);
    runtime.shutdown().await;
}
