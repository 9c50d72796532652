use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Report {
    title: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sections: Vec<(String, u32)>,
    #[serde(default)]
    footer: Option<String>,
}

impl Report {
    fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    fn section(mut self, name: &str, pages: u32) -> Self {
        self.sections.push((name.to_owned(), pages));
        self
    }

    fn footer(self, text: impl Into<Option<String>>) -> Self {
        Self { footer: text.into(), ..self }
    }

    fn pages(&self) -> u32 {
        self.sections.iter().map(|(_, pages)| pages).sum()
    }
}

#[activity(retry(max_attempts = 3, initial = "10ms"), timeout = "1m")]
async fn render(report: Report) -> Result<String, String> {
    Ok(format!("{} ({} pages)", report.title, report.pages()))
}

/// A value built by chained calls, with the calls of activities in between.
#[orchestration(version = "2.1.0")]
async fn quarterly_report(
    ctx: OrchestrationContext,
    quarter: u8,
    extra: Option<u32>,
) -> Result<String, ActivityError<String>> {
    let report = Report::new(format!("Q{quarter}"))
        .section("sales", 4)
        .section("costs", extra.map_or(2, |pages| pages + 2))
        .footer((quarter == 4).then(|| "the year is over".to_owned()));
    let policy = RetryPolicy::attempts(2).initial(Duration::from_millis(5));
    let rendered = render(&ctx, report.clone()).retry(policy).timeout(Duration::from_secs(5)).await?;
    let Report { footer, .. } = report;
    Ok(footer.map_or(rendered.clone(), |footer| format!("{rendered}. {footer}")))
}

/// State in a struct with methods that decide and methods that wait.
struct Budget<'a> {
    ctx: &'a OrchestrationContext,
    left: u64,
    log: Vec<String>,
}

impl Budget<'_> {
    const fn can(&self, cost: u64) -> bool {
        self.left >= cost
    }

    #[deterministic]
    async fn spend(&mut self, what: &str, cost: u64) -> bool {
        if !self.can(cost) {
            self.log.push(format!("no {what}"));
            return false;
        }
        self.ctx.timer(Duration::from_secs(cost)).await;
        self.left -= cost;
        self.log.push(what.to_owned());
        true
    }
}

#[orchestration]
async fn shopping(ctx: OrchestrationContext, money: u64) -> (u64, Vec<String>) {
    let mut budget = Budget { ctx: &ctx, left: money, log: vec![] };
    if budget.spend("bread", 3).await && budget.spend("cheese", 8).await {
        budget.spend("wine", 20).await;
    }
    let Budget { left, log, .. } = budget;
    (left, log)
}

#[tokio::test]
async fn they_build_step_by_step() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    let text = runtime.run(quarterly_report(&client, 4, Some(1))).await.unwrap();
    assert_eq!(text, "Q4 (7 pages). the year is over");
    let (left, log) = runtime.run(shopping(&client, 15)).await.unwrap();
    assert_eq!((left, log.join(",")), (4, "bread,cheese,no wine".to_owned()));
    runtime.shutdown().await;
}
