//! The program of the design, unchanged in shape.

use durable_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum PaymentError {
    #[error("card declined")]
    Declined,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum OrderError {
    #[error(transparent)]
    Payment(#[from] ActivityError<PaymentError>),
    #[error(transparent)]
    Step(#[from] ActivityError),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Card(String);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Item(String);

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Order {
    card: Card,
    cents: u64,
    items: Vec<Item>,
    address: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Receipt(String);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Parcel(usize);

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Confirmation {
    receipt: Receipt,
    approval: Option<String>,
    parcel: Parcel,
    label: String,
}

#[activity(retry(max_attempts = 5, initial = "1ms", factor = 2.0, max = "30s"), timeout = "1m")]
async fn charge_card(ctx: ActivityContext, card: Card, cents: u64) -> Result<Receipt, PaymentError> {
    match card.0.as_str() {
        "declined" => Err(PaymentError::Declined),
        _ => Ok(Receipt(format!("{} {cents} {}", card.0, ctx.idempotency_key()))),
    }
}

#[activity]
fn pack(items: Vec<Item>) -> Parcel {
    Parcel(items.len())
}

#[activity]
async fn print_label(address: String) -> String {
    format!("To: {address}")
}

#[derive(Event, Serialize, Deserialize)]
struct Approved {
    by: String,
}

#[orchestration(version = "1.0.0")]
async fn process_order(ctx: OrchestrationContext, order: Order) -> Result<Confirmation, OrderError> {
    let receipt = charge_card(&ctx, order.card, order.cents).await?;
    let approval = select! { // the first in history order wins; the loser is cancelled
        approved = ctx.event::<Approved>() => Some(approved.by),
        () = ctx.timer(Duration::from_secs(86_400)) => None,
    };
    let (parcel, label) = join!(pack(&ctx, order.items), print_label(&ctx, order.address)); // run side by side
    Ok(Confirmation { receipt, approval, parcel: parcel?, label: label? })
}

fn order(card: &str) -> Order {
    Order { card: Card(card.into()), cents: 1_250, items: vec![Item("tea".into())], address: "London".into() }
}

#[tokio::test]
async fn the_program_of_the_design_runs() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let store = SledProvider::open(folder.path().join("orders.db"))?;
    let runtime = Runtime::builder(store).start().await?; // everything annotated is registered
    let client = runtime.client();
    let handle = process_order(&client, order("visa")).id("order-42").start().await?;
    handle.raise(Approved { by: "night shift".into() }).await?;
    let confirmation = handle.result().await?;
    runtime.shutdown(Duration::from_secs(5)).await;
    let expected = Confirmation {
        receipt: Receipt("visa 1250 order-42/1/1".into()),
        approval: Some("night shift".into()),
        parcel: Parcel(1),
        label: "To: London".into(),
    };
    assert_eq!(confirmation, expected);
    Ok(())
}

#[tokio::test]
async fn a_typed_error_stays_typed() {
    let runtime = Runtime::builder(MemoryProvider::new()).start().await.unwrap();
    let handle = process_order(&runtime.client(), order("declined")).start().await.unwrap();
    let error = handle.result().await.unwrap_err();
    assert_eq!(error.to_string(), "card declined");
    assert!(matches!(
        error,
        durable_runtime::client::ResultError::Failed(OrderError::Payment(ActivityError::Failed(
            PaymentError::Declined
        )))
    ));
    runtime.shutdown(Duration::from_secs(5)).await;
}
