//! What came of the orders, and whether the ledger of the bank agrees.

use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;

use indicatif::HumanCount;

use crate::ledger::{Call, Entry};
use crate::saga::{OrderError, Outcome};

pub(crate) struct Ended {
    pub(crate) order_id: String,
    pub(crate) result: Result<Outcome, OrderError>,
    pub(crate) when: When,
}

/// Which run worked on an order.
#[derive(PartialEq, Eq)]
pub(crate) enum When {
    EarlierRun,
    /// An earlier one started it, this one ended it.
    Resumed,
    ThisRun,
}

#[derive(Default)]
pub(crate) struct Report {
    orders: Vec<Ended>,
}

impl Report {
    pub(crate) fn add(&mut self, ended: Ended) {
        self.orders.push(ended);
    }

    /// How many orders ended in this run.
    pub(crate) fn worked_on(&self) -> usize {
        self.count(|ended| ended.when != When::EarlierRun)
    }

    pub(crate) fn print(&self, took: Duration) {
        let declined = self.count(|ended| matches!(ended.result, Err(OrderError::Declined)));
        let sold_out = self.count(|ended| matches!(ended.result, Err(OrderError::Stock(_))));
        let earlier = thousands(self.count(|ended| ended.when == When::EarlierRun));
        let completed = self.count(|ended| matches!(ended.result, Ok(Outcome::Shipped { .. })));
        row("completed", completed, "the parcel is on its way");
        let refunded = self.count(|ended| matches!(ended.result, Ok(Outcome::Refunded { .. })));
        row("refunded", refunded, "no carrier delivers there: money and stock were given back");
        let failed = format!("{declined} cards declined, {sold_out} sold out: nothing was charged");
        row("failed", self.count(|ended| ended.result.is_err()), &failed);
        if self.worked_on() == 0 {
            println!("All of them were finished by an earlier run; nothing was left to do. `--fresh` starts anew.");
            return;
        }
        let resumed = format!("were under way when the last run ended; {earlier} were finished by then");
        row("resumed", self.count(|ended| ended.when == When::Resumed), &resumed);
        let (worked_on, seconds) = (self.worked_on(), took.as_secs_f64());
        let throughput = format!("orders/s: {} in {seconds:.1} s", thousands(worked_on));
        row("throughput", (worked_on as f64 / seconds) as usize, &throughput);
    }

    /// Compares with the ledger: what was charged and given back, order by order.
    ///
    /// # Errors
    /// If money was moved twice for one key, or an order ended otherwise than its money says.
    pub(crate) fn check(&self, ledger: &[Entry]) -> Result<(), Box<dyn Error>> {
        let (mut by_key, mut charges, mut refunds) = (Tally::new(), Tally::new(), Tally::new());
        for entry in ledger.iter().filter(|entry| entry.call.moves_money()) {
            *by_key.entry(&entry.key).or_default() += 1;
            let by_order = if entry.call == Call::Charged { &mut charges } else { &mut refunds };
            *by_order.entry(&entry.order_id).or_default() += 1;
        }
        if let Some((key, times)) = by_key.iter().find(|(_, times)| **times > 1) {
            return Err(format!("money was moved {times} times for the idempotency key {key}").into());
        }
        for Ended { order_id, result, .. } in &self.orders {
            let times = |by_order: &Tally| by_order.get(order_id.as_str()).copied().unwrap_or_default();
            let expected = match result {
                Ok(Outcome::Shipped { .. }) => (1, 0),
                Ok(Outcome::Refunded { .. }) => (1, 1),
                Err(_) => (0, 0),
            };
            let (charged, refunded) = (times(&charges), times(&refunds));
            if (charged, refunded) != expected {
                return Err(
                    format!("order {order_id} was charged {charged} times and refunded {refunded} times").into()
                );
            }
        }
        let count = |call| thousands(ledger.iter().filter(|entry| entry.call == call).count());
        println!("charged {} cards, every one exactly once", thousands(charges.len()));
        println!("  {} calls came a second time and moved no money", count(Call::Repeated));
        println!("  {} calls did not reach the bank and were tried again", count(Call::NotReached));
        Ok(())
    }

    fn count(&self, is_counted: impl Fn(&Ended) -> bool) -> usize {
        self.orders.iter().filter(|ended| is_counted(ended)).count()
    }
}

/// How often money was moved, by key or by order.
type Tally<'a> = BTreeMap<&'a str, u32>;

fn row(name: &str, count: usize, remark: &str) {
    println!("{name:<11} {:>6}  {remark}", thousands(count));
}

fn thousands(count: usize) -> String {
    HumanCount(count as u64).to_string()
}
