//! What a customer orders, as it stands in `data/orders.json`.

use serde::{Deserialize, Serialize};

/// The file with the orders; `generate_orders` writes it.
pub(crate) const ORDERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/orders.json");

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) customer: Customer,
    pub(crate) address: Address,
    pub(crate) items: Vec<Item>,
    pub(crate) card: Card,
}

impl Order {
    pub(crate) fn cents(&self) -> u64 {
        self.items.iter().map(|item| u64::from(item.quantity) * item.cents).sum()
    }
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) name: String,
    pub(crate) email: String,
}

/// No carrier delivers to a street that is a `PO Box`.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) street: String,
    pub(crate) postcode: String,
    pub(crate) city: String,
    pub(crate) country: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) sku: String,
    pub(crate) title: String,
    pub(crate) quantity: u32,
    /// For one piece.
    pub(crate) cents: u64,
}

/// As with the test cards of real payment services, the number says what will happen: `4000 0002 ..` is declined,
/// with `4000 0119 ..` the bank cannot be reached at first, all others pay.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) number: String,
    pub(crate) expires: String,
}
