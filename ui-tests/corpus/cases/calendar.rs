use std::time::SystemTime;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Timelike, Utc, Weekday};
use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[activity]
async fn send_invoice(month: String) -> String {
    format!("invoice for {month}")
}

/// On the first of each month at nine: calendar arithmetic on the time of the event.
#[orchestration]
async fn monthly_invoices(ctx: OrchestrationContext, months: u32) -> Result<Vec<String>, ActivityError> {
    let mut sent = Vec::new();
    for _ in 0..months {
        let now: DateTime<Utc> = ctx.now().into();
        let first = now.date_naive().with_day(1).and_then(|day| day.checked_add_months(Months::new(1)));
        let Some(due) = first.and_then(|day| day.and_hms_opt(9, 0, 0)) else { break };
        ctx.sleep_until(SystemTime::from(due.and_utc())).await;
        sent.push(send_invoice(&ctx, due.format("%B %Y").to_string()).await?);
    }
    Ok(sent)
}

/// Business days between two dates that came as text.
#[orchestration]
async fn business_days(ctx: OrchestrationContext, from: String, to: String) -> Result<usize, String> {
    let parse = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|error| format!("{text}: {error}"));
    let (from, to) = (parse(&from)?, parse(&to)?);
    let is_business = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let days = from.iter_days().take_while(|day| *day < to).filter(is_business).count();
    ctx.timer(Duration::from_secs(days as u64)).await;
    Ok(days)
}

/// How long something took, by the clock of the history.
#[orchestration]
async fn how_long(ctx: OrchestrationContext, hours: i64) -> (i64, u32) {
    let begin: DateTime<Utc> = ctx.now().into();
    let wait = TimeDelta::try_hours(hours).unwrap_or_default();
    ctx.timer(wait.to_std().unwrap_or(Duration::ZERO)).await;
    let end = DateTime::<Utc>::from(ctx.now());
    let took = end.signed_duration_since(begin);
    (took.num_hours(), (begin + wait + Days::new(1)).hour())
}

#[tokio::test]
async fn they_know_what_day_it_is() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    // The clock of the test stands at the first of January 2026.
    let sent = runtime.run(monthly_invoices(&client, 2)).await.unwrap();
    assert_eq!(sent, ["invoice for February 2026", "invoice for March 2026"]);
    let days = business_days(&client, "2026-01-01".into(), "2026-01-12".into()).start().await.unwrap();
    assert_eq!(runtime.finish(&days).await.unwrap(), 7);
    let bad = business_days(&client, "yesterday".into(), "2026-01-12".into()).start().await.unwrap();
    assert!(runtime.finish(&bad).await.unwrap_err().to_string().contains("yesterday"));
    let (hours, _) = runtime.run(how_long(&client, 5)).await.unwrap();
    assert_eq!(hours, 5);
    runtime.shutdown().await;
}
