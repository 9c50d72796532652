use durable_runtime::prelude::*;

use durable_runtime::testing::TestRuntime;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum PaymentError {
    #[error("the card was declined")]
    Declined,
    #[error("only {left} cents are left")]
    Limit { left: u64 },
}

#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
enum OrderError {
    #[error("payment: {0}")]
    Payment(#[from] PaymentError),
    #[error("{0}")]
    Engine(String),
    #[error("`{0}` is no number")]
    Parse(String),
}

impl<E: std::fmt::Display> From<ActivityError<E>> for OrderError
where
    Self: From<E>,
{
    fn from(error: ActivityError<E>) -> Self {
        match error {
            ActivityError::Failed(error) => Self::from(error),
            other => Self::Engine(other.to_string()),
        }
    }
}

#[activity]
async fn charge(cents: u64) -> Result<u64, PaymentError> {
    match cents {
        0..=99 => Ok(cents),
        100..=999 => Err(PaymentError::Limit { left: 99 }),
        _ => Err(PaymentError::Declined),
    }
}

/// `?` through three kinds of errors.
#[orchestration]
async fn pay(ctx: OrchestrationContext, amount: String) -> Result<u64, OrderError> {
    let cents: u64 = amount.parse().map_err(|_| OrderError::Parse(amount.clone()))?;
    let first = charge(&ctx, cents).await?;
    let second = charge(&ctx, first / 2).await.or_else(|error| match error {
        ActivityError::Failed(PaymentError::Limit { left }) => Ok(left),
        other => Err(other),
    })?;
    Ok(first + second)
}

/// Attempts by hand, with a smaller amount each time.
#[orchestration]
async fn pay_what_is_there(ctx: OrchestrationContext, cents: u64) -> Result<u64, OrderError> {
    let mut amount = cents;
    let outcome = 'attempts: {
        for attempt in 0..3_u64 {
            match charge(&ctx, amount).await {
                Ok(paid) => break 'attempts Some(paid),
                Err(ActivityError::Failed(PaymentError::Limit { left })) => amount = left.saturating_sub(attempt),
                Err(error) => return Err(error.into()),
            }
        }
        None
    };
    outcome.ok_or_else(|| OrderError::Engine("three attempts".to_owned()))
}

/// An `Option` for a `Result`, and a result inside a result.
#[orchestration]
async fn nested(ctx: OrchestrationContext, cents: Vec<u64>) -> Result<Option<Vec<u64>>, OrderError> {
    if cents.is_empty() {
        return Ok(None);
    }
    let paid = join_all(cents.iter().map(|cents| charge(&ctx, *cents))).await;
    let paid: Result<Vec<u64>, _> = paid.into_iter().collect();
    Ok(Some(paid?))
}

#[tokio::test]
async fn their_errors_stay_typed() {
    let runtime = TestRuntime::start().await.unwrap();
    let client = runtime.client();
    assert_eq!(runtime.run(pay(&client, "80".into())).await.unwrap(), 120);
    let error = runtime.run(pay(&client, "x".into())).await.unwrap_err();
    assert!(error.to_string().contains("`x` is no number"), "{error}");
    let error = runtime.run(pay(&client, "5000".into())).await.unwrap_err();
    assert!(error.to_string().contains("declined"), "{error}");
    assert_eq!(runtime.run(pay_what_is_there(&client, 500)).await.unwrap(), 99);
    assert_eq!(runtime.run(nested(&client, vec![1, 2])).await.unwrap(), Some(vec![1, 2]));
    assert_eq!(runtime.run(nested(&client, vec![])).await.unwrap(), None);
    runtime.shutdown().await;
}
