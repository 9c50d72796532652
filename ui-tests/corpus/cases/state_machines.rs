use std::collections::{BTreeMap, HashMap};

use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum Light {
    Red,
    Green,
    Yellow,
}

impl Light {
    const fn next(self) -> (Self, u64) {
        match self {
            Self::Red => (Self::Green, 30),
            Self::Green => (Self::Yellow, 25),
            Self::Yellow => (Self::Red, 5),
        }
    }
}

/// States and transitions as an enum and a `match`.
#[orchestration]
async fn traffic_light(ctx: OrchestrationContext, changes: usize) -> BTreeMap<Light, u64> {
    let mut light = Light::Red;
    let mut shown: BTreeMap<Light, u64> = BTreeMap::new();
    for _ in 0..changes {
        let (next, seconds) = light.next();
        *shown.entry(light).or_default() += seconds;
        ctx.set_status(&light);
        ctx.timer(Duration::from_secs(seconds)).await;
        light = next;
    }
    shown
}

#[derive(Event, Serialize, Deserialize)]
enum Move {
    Insert(u64),
    Choose(String),
    Refund,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Sold {
    Item { name: String, change: u64 },
    Nothing { refunded: u64 },
}

/// A vending machine: each state waits for the next event.
#[orchestration]
async fn vending_machine(ctx: OrchestrationContext, prices: BTreeMap<String, u64>) -> Sold {
    enum State {
        Waiting { credit: u64 },
        Paid { item: String, credit: u64 },
    }

    // Looked up by key only: the order of a hash map is never seen.
    let prices: HashMap<String, u64> = prices.into_iter().collect();
    let mut state = State::Waiting { credit: 0 };
    loop {
        state = match state {
            State::Waiting { credit } => match ctx.event::<Move>().await {
                Move::Insert(cents) => State::Waiting { credit: credit + cents },
                Move::Choose(item) => match prices.get(&item) {
                    Some(price) if *price <= credit => State::Paid { item, credit },
                    Some(_) | None => State::Waiting { credit },
                },
                Move::Refund => return Sold::Nothing { refunded: credit },
            },
            State::Paid { item, credit } => {
                let change = credit - prices[&item];
                return Sold::Item { name: item, change };
            }
        };
    }
}

/// A table of function pointers instead of a `match`.
#[orchestration]
async fn table_driven(ctx: OrchestrationContext, program: String) -> i64 {
    #[allow(clippy::type_complexity)]
    let operations: [(char, fn(i64) -> i64); 3] = [('+', |n| n + 1), ('-', |n| n - 1), ('*', |n| n * 2)];
    let mut value = 0;
    for symbol in program.chars() {
        if let Some((_, operation)) = operations.iter().find(|(known, _)| *known == symbol) {
            value = operation(value);
            ctx.timer(Duration::from_millis(1)).await;
        }
    }
    value
}

#[tokio::test]
async fn they_go_from_state_to_state() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let shown = runtime.run(traffic_light(&client, 4)).await.unwrap();
    assert_eq!(shown, BTreeMap::from([(Light::Red, 60), (Light::Green, 25), (Light::Yellow, 5)]));
    let prices = BTreeMap::from([("tea".to_owned(), 120)]);
    let machine = vending_machine(&client, prices).start().await.unwrap();
    for step in [Move::Insert(100), Move::Choose("tea".into()), Move::Insert(50), Move::Choose("tea".into())] {
        machine.raise(step).await.unwrap();
    }
    assert_eq!(runtime.finish(&machine).await.unwrap(), Sold::Item { name: "tea".into(), change: 30 });
    assert_eq!(runtime.run(table_driven(&client, "++*-?".into())).await.unwrap(), 3);
    runtime.shutdown().await;
}
