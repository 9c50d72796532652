//! A journey is booked step by step. When a step fails, or the traveller cancels, what was booked is given back in reverse
//! order: beside each step stands how to undo it.

use std::error::Error;

use durable_runtime::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
enum Part {
    Flight,
    Hotel,
    Car,
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("no {0:?} is to be had")]
struct SoldOut(Part);

#[activity]
async fn book(journey: String, part: Part) -> Result<String, SoldOut> {
    if journey == "to the moon" && part == Part::Car {
        return Err(SoldOut(part));
    }
    println!("{journey}: {part:?} booked");
    Ok(format!("{part:?} {journey}"))
}

#[activity(retry(max_attempts = 10, initial = "50ms"))]
async fn give_back(booking: String) {
    println!("  given back: {booking}");
}

#[orchestration]
async fn travel(ctx: OrchestrationContext, journey: String) -> Result<Vec<String>, ActivityError<SoldOut>> {
    let saga = ctx.saga();
    let mut bookings = Vec::new();
    for part in [Part::Flight, Part::Hotel, Part::Car] {
        let booking = book(&ctx, journey.clone(), part).await?; // an error ends the body, and undoes
        saga.undo_with(give_back(&ctx, booking.clone()));
        bookings.push(booking);
    }
    ctx.set_status("booked");
    ctx.event_named::<()>("departure").await; // so does a cancellation that comes while it waits
    saga.keep();
    Ok(bookings)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let runtime = Runtime::builder(SledProvider::open(folder.path())?).start().await?;
    let client = runtime.client();

    let rome = travel(&client, "to Rome".to_owned()).id("rome").start().await?;
    client.raise("rome", "departure", &()).await?;
    println!("=> {} bookings kept\n", rome.result().await?.len());

    let moon = travel(&client, "to the moon".to_owned()).start().await?;
    println!("=> {}\n", outcome(&moon).await);

    let oslo = travel(&client, "to Oslo".to_owned()).id("oslo").start().await?;
    while oslo.status().await?.custom_status.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    oslo.cancel("too cold").await?;
    println!("=> {}", outcome(&oslo).await);
    runtime.shutdown(Duration::from_secs(5)).await;
    Ok(())
}

async fn outcome(journey: &Handle<travel>) -> String {
    match journey.result().await {
        Ok(bookings) => format!("{} bookings", bookings.len()),
        Err(error) => error.to_string(),
    }
}
