use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[activity]
async fn book(what: String, fails: bool) -> Result<String, String> {
    if fails { Err(format!("no {what} left")) } else { Ok(format!("{what}-1")) }
}

#[activity]
async fn cancel_booking(booking: String) -> String {
    format!("cancelled {booking}")
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Trip {
    Booked(Vec<String>),
    Undone { because: String, undone: Vec<String> },
}

/// Steps with their compensations in a plain stack.
#[orchestration]
async fn trip_with_stack(ctx: OrchestrationContext, fails_at: Option<usize>) -> Result<Trip, ActivityError> {
    let mut done = Vec::new();
    for (at, what) in ["flight", "hotel", "car"].into_iter().enumerate() {
        match book(&ctx, what.to_owned(), fails_at == Some(at)).await {
            Ok(booking) => done.push(booking),
            Err(error) => {
                let mut undone = vec![];
                while let Some(booking) = done.pop() {
                    undone.push(cancel_booking(&ctx, booking).await?);
                }
                let because = match error {
                    ActivityError::Failed(text) => text,
                    other => other.to_string(),
                };
                return Ok(Trip::Undone { because, undone });
            }
        }
    }
    Ok(Trip::Booked(done))
}

/// Two at once; what was done is undone if the other fails.
#[orchestration]
async fn trip_side_by_side(ctx: OrchestrationContext, hotel_full: bool) -> Result<Trip, ActivityError> {
    let (flight, hotel) = join!(book(&ctx, "flight".into(), false), book(&ctx, "hotel".into(), hotel_full));
    Ok(match (flight, hotel) {
        (Ok(flight), Ok(hotel)) => Trip::Booked(vec![flight, hotel]),
        (Ok(one), Err(error)) | (Err(error), Ok(one)) => {
            let undone = vec![cancel_booking(&ctx, one).await?];
            Trip::Undone { because: error.to_string(), undone }
        }
        (Err(a), Err(b)) => Trip::Undone { because: format!("{a}; {b}"), undone: Vec::new() },
    })
}

/// A helper that undoes, used from several places.
#[deterministic]
async fn undo_all(ctx: &OrchestrationContext, bookings: &mut Vec<String>) -> Result<Vec<String>, ActivityError> {
    bookings.reverse();
    try_join_all(bookings.drain(..).map(|booking| cancel_booking(ctx, booking))).await
}

#[orchestration]
async fn trip_with_helper(ctx: OrchestrationContext, budget: u64) -> Result<Trip, ActivityError> {
    let prices = [("flight", 300_u64), ("hotel", 200), ("car", 100)];
    let (mut bookings, mut spent) = (Vec::new(), 0);
    for (what, price) in prices {
        spent += price;
        if spent > budget {
            let undone = undo_all(&ctx, &mut bookings).await?;
            return Ok(Trip::Undone { because: format!("{spent} is over {budget}"), undone });
        }
        if let Ok(booking) = book(&ctx, what.into(), false).await {
            bookings.push(booking);
        }
    }
    Ok(Trip::Booked(bookings))
}

#[tokio::test]
async fn they_undo_what_was_done() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let undone = runtime.run(trip_with_stack(&client, Some(2))).await.unwrap();
    let both = vec!["cancelled hotel-1".to_owned(), "cancelled flight-1".to_owned()];
    assert_eq!(undone, Trip::Undone { because: "no car left".into(), undone: both.clone() });
    let booked = runtime.run(trip_with_stack(&client, None)).await.unwrap();
    assert_eq!(booked, Trip::Booked(vec!["flight-1".into(), "hotel-1".into(), "car-1".into()]));
    let undone = runtime.run(trip_side_by_side(&client, true)).await.unwrap();
    assert!(matches!(undone, Trip::Undone { undone, .. } if undone == ["cancelled flight-1"]));
    let undone = runtime.run(trip_with_helper(&client, 550)).await.unwrap();
    assert_eq!(undone, Trip::Undone { because: "600 is over 550".into(), undone: both });
    runtime.shutdown().await;
}
