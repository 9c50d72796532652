use std::cell::RefCell;
use std::fmt::Write as _;
use std::rc::Rc;
use std::str::FromStr;

use durable_runtime::prelude::*;
use regex::Regex;
use uuid::Uuid;

use durable_runtime::testing::TestRuntime;

#[activity]
async fn fetch_page(url: String) -> String {
    format!("<a href='/1'>one</a> <a href='/2'>two</a> of {url}")
}

/// Regular expressions are pure; chains of temporaries stay alive as long as in plain code.
#[orchestration]
async fn links(ctx: OrchestrationContext, url: String) -> Result<Vec<String>, ActivityError> {
    let link = Regex::new(r"href='([^']+)'").expect("the pattern is right");
    let page = fetch_page(&ctx, url.trim().trim_end_matches('/').to_owned()).await?;
    let found: Vec<String> = link.captures_iter(&page).map(|found| found[1].to_owned()).collect();
    let first = String::from("a,b").as_str().trim().split(',').next().map(str::to_owned);
    Ok(found.into_iter().chain(first).collect())
}

/// Cells and counted references inside one turn.
#[orchestration]
async fn word_count(ctx: OrchestrationContext, text: String) -> String {
    let counts = Rc::new(RefCell::new(std::collections::BTreeMap::<String, usize>::new()));
    for word in text.split_whitespace() {
        *counts.borrow_mut().entry(word.to_lowercase()).or_insert(0) += 1;
    }
    counts.borrow_mut().iter_mut().for_each(|(_, count)| *count *= 10);
    ctx.timer(Duration::from_secs(1)).await;
    let mut line = String::new();
    for (word, count) in counts.borrow().iter() {
        let _ = write!(line, "{word}={count};");
    }
    line
}

/// Ids and numbers: parsed, drawn, formatted.
#[orchestration]
async fn numbers(ctx: OrchestrationContext, parts: Vec<String>) -> Result<String, String> {
    let known = Uuid::parse_str("67e55044-10b1-426f-9247-bb680e5fe0c8").map_err(|error| error.to_string())?;
    let fresh = ctx.new_guid();
    let sum: i64 =
        parts.iter().map(|part| i64::from_str(part).map_err(|error| error.to_string())).sum::<Result<_, _>>()?;
    let dice = 1 + ctx.random() % 6;
    assert!(fresh != known && (1..=6).contains(&dice));
    Ok(format!("{sum:+05} {} {}", known.as_fields().1, ["a", "b"].join(",")))
}

#[tokio::test]
async fn they_work_on_text() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let found = runtime.run(links(&client, " example.org/ ".into())).await.unwrap();
    assert_eq!(found, ["/1", "/2", "a"]);
    let line = runtime.run(word_count(&client, "To be or not to be".into())).await.unwrap();
    assert_eq!(line, "be=20;not=10;or=10;to=20;");
    let text = runtime.run(numbers(&client, vec!["40".into(), "2".into()])).await.unwrap();
    assert_eq!(text, "+0042 4273 a,b");
    let error = runtime.run(numbers(&client, vec!["x".into()])).await.unwrap_err();
    assert!(error.to_string().contains("invalid digit"));
    runtime.shutdown().await;
}
