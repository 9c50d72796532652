//! The orchestration, and the activities that it decides about.

use durable_runtime::prelude::*;

use crate::orders::{Address, Card, Item, Order};
use crate::payment::{Bank, Payment, Unreachable};

/// How an order ends on which somebody worked.
#[derive(Serialize, Deserialize)]
pub(crate) enum Outcome {
    Shipped { parcel: String, label: String },
    Refunded { reason: String },
}

/// Why an order ends with nothing sent and nothing charged.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
pub(crate) enum OrderError {
    #[error(transparent)]
    Stock(#[from] ActivityError<SoldOut>),
    #[error("the card was declined")]
    Declined,
    #[error(transparent)]
    Bank(#[from] ActivityError<Unreachable>),
    #[error(transparent)]
    Step(#[from] ActivityError),
}

#[orchestration(version = "1.0.0")]
pub(crate) async fn process_order(ctx: OrchestrationContext, order: Order) -> Result<Outcome, OrderError> {
    let cents = order.cents();
    reserve_stock(&ctx, order.items.clone()).await?;
    let payment = charge_card(&ctx, order.id.clone(), order.card, cents).await;
    let Ok(Payment::Charged) = payment else {
        release_stock(&ctx, order.items).await?;
        return Err(payment.err().map_or(OrderError::Declined, OrderError::Bank));
    };
    let (parcel, label) = join!(pack(&ctx, order.items.clone()), print_label(&ctx, order.address));
    match label {
        Ok(label) => Ok(Outcome::Shipped { parcel: parcel?, label }),
        Err(reason) => {
            let (refund, release) = join!(refund(&ctx, order.id, cents), release_stock(&ctx, order.items));
            refund?;
            release?;
            Ok(Outcome::Refunded { reason: reason.to_string() })
        }
    }
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{title} is sold out")]
pub(crate) struct SoldOut {
    title: String,
}

#[activity]
async fn reserve_stock(items: Vec<Item>) -> Result<(), SoldOut> {
    match items.into_iter().find(|item| item.sku == "KET-RED") {
        Some(item) => Err(SoldOut { title: item.title }),
        None => Ok(()),
    }
}

#[activity]
async fn release_stock(items: Vec<Item>) {
    drop(items); // the shelf has them again
}

/// Only a bank that cannot be reached is an error, and tried again; a card that is declined is an answer.
#[activity(retry(max_attempts = 5, initial = "50ms", factor = 2.0, max = "1s"), timeout = "10s")]
fn charge_card(
    ctx: ActivityContext,
    bank: State<Bank>,
    order_id: String,
    card: Card,
    cents: u64,
) -> Result<Payment, Unreachable> {
    bank.charge(&ctx.idempotency_key(), &order_id, &card, cents, ctx.attempt())
}

#[activity(retry(max_attempts = 5, initial = "50ms"))]
fn refund(ctx: ActivityContext, bank: State<Bank>, order_id: String, cents: u64) -> Result<(), Unreachable> {
    bank.refund(&ctx.idempotency_key(), &order_id, cents)
}

#[activity]
async fn pack(items: Vec<Item>) -> String {
    let pieces: u32 = items.iter().map(|item| item.quantity).sum();
    format!("{pieces} pieces in a box")
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("no carrier delivers to {street} in {city}")]
pub(crate) struct Undeliverable {
    street: String,
    city: String,
}

#[activity]
async fn print_label(address: Address) -> Result<String, Undeliverable> {
    let Address { street, postcode, city, country } = address;
    match street.starts_with("PO Box") {
        true => Err(Undeliverable { street, city }),
        false => Ok(format!("{street}, {postcode} {city}, {country}")),
    }
}
