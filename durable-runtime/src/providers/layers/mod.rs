//! Layers: providers around a provider. Each is written once and stands around any store, and around other layers.
//!
//! ```
//! use durable_runtime::MemoryProvider;
//! use durable_runtime::providers::{Measured, Provider, Retrying};
//!
//! # futures_util::FutureExt::now_or_never(async {
//! let store = Measured::new(Retrying::new(MemoryProvider::new()));
//! let measures = store.measures();
//! store.stats().await.unwrap();
//! println!("{}", measures.snapshot());
//! # });
//! ```

mod around;
#[cfg(feature = "testing")]
mod faults;
#[cfg(feature = "testing")]
mod faulty;
mod measured;
mod retrying;
#[cfg(feature = "testing")]
mod shifting;

pub use self::around::Operation;
#[cfg(feature = "testing")]
pub use self::faults::{Fault, Faults};
#[cfg(feature = "testing")]
pub use self::faulty::Faulty;
pub use self::measured::{Figures, Measured, Measures, Snapshot};
pub use self::retrying::Retrying;
#[cfg(feature = "testing")]
pub use self::shifting::ShiftingClock;
