#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize)]
enum PaymentError {
    Declined,
}

#[derive(Debug, Serialize, Deserialize)]
enum OrderError {
    Payment,
    Engine(String),
}

impl From<ActivityError<PaymentError>> for OrderError {
    fn from(error: ActivityError<PaymentError>) -> Self {
        match error {
            ActivityError::Failed(PaymentError::Declined) => Self::Payment,
            other => Self::Engine(format!("{other:?}")),
        }
    }
}

impl From<ActivityError> for OrderError {
    fn from(error: ActivityError) -> Self {
        Self::Engine(error.to_string())
    }
}

#[derive(Event, Serialize, Deserialize)]
struct Approved {
    by: String,
}

#[activity]
async fn charge_card(ctx: ActivityContext, card: String, cents: u64) -> Result<u64, PaymentError> {
    Ok(cents)
}

#[activity]
fn pack(items: Vec<String>) -> usize {
    items.len()
}

#[orchestration(version = "1.2.0")]
async fn process_order(ctx: OrchestrationContext, mut items: Vec<String>, card: String) -> Result<String, OrderError> {
    let receipt = charge_card(&ctx, card, 5).await?;
    let approval = select! {
        approved = ctx.event::<Approved>() => Some(approved.by),
        () = ctx.timer(Duration::from_secs(86_400)) => None,
    };
    items.push("gift".into());
    let (parcel, label) = join!(pack(&ctx, items), pack(&ctx, vec![]));
    Ok(format!("{receipt} {approval:?} {} {}", parcel?, label?))
}

async fn start(client: Client) {
    let handle = process_order(&client, vec![], "card".into()).id("order-42").start().await.unwrap();
    let _: String = handle.result().await.unwrap();
}

fn main() {
    assert_eq!((process_order::NAME, process_order::VERSION), ("process_order", "1.2.0"));
    assert_eq!(
        process_order::OUTLINE.to_text(),
        "Call charge_card\nSelect\n  Arm\n    Event Approved\n  Arm\n    Timer\nJoin join\n  Arm\n    Call pack\n  Arm\n    Call pack\n"
    );
    assert_eq!(process_order::OUTLINE.steps[0].line, 48);
    assert_ne!(process_order::FINGERPRINT, 0);
}
