//! Errors that say what is terminal, errors that cannot, and a function that says it for them.

#![allow(unused)]

use durable_runtime::TerminalError;
use durable_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, ActivityError)]
enum PaymentError<T> {
    #[terminal]
    Declined(T),
    #[terminal]
    Fraud { score: u32 },
    NoAnswer,
}

#[derive(Debug, Serialize, Deserialize, ActivityError)]
#[terminal]
struct Final;

type Paid<T> = Result<T, PaymentError<u8>>;

#[activity]
async fn pay() -> Paid<u32> {
    Err(PaymentError::NoAnswer)
}

#[activity(terminal = str::is_empty)]
async fn ask() -> Result<u32, String> {
    Ok(1)
}

#[activity(terminal = ended::<u8>)]
fn ask_both() -> Result<u32, PaymentError<u8>> {
    Ok(1)
}

fn ended<T>(error: &PaymentError<T>) -> bool {
    matches!(error, PaymentError::NoAnswer)
}

fn main() {
    assert!(PaymentError::Declined(1_u8).is_terminal());
    assert!(PaymentError::<u8>::Fraud { score: 7 }.is_terminal());
    assert!(!PaymentError::<u8>::NoAnswer.is_terminal());
    assert!(Final.is_terminal());
}
