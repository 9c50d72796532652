#![allow(unused)]

use durable_runtime::prelude::*;

#[derive(Debug, Serialize, Deserialize, ActivityError)]
enum PaymentError {
    #[terminal(always)]
    Declined,
    NoAnswer(#[terminal] String),
}

#[derive(Debug, Serialize, Deserialize)]
struct Foreign;

fn says_it_of_another(error: &String) -> bool {
    error.is_empty()
}

#[activity(terminal = says_it_of_another)]
async fn charge_card() -> Result<(), Foreign> {
    Ok(())
}

#[activity(terminal = "Foreign::is_final", max_concurrent = 0)]
async fn refund() -> Result<(), Foreign> {
    Ok(())
}

fn main() {}
