//! How a measured quantity is spread.

use std::time::Duration;

/// The upper bounds of the buckets of a [`Distribution`], each included; a last bucket has what is larger.
///
/// Times are kept in microseconds, so these go from a tenth of a millisecond to a minute; counts are kept as they are.
pub const BOUNDS: [u64; 18] = [
    1, 10, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000,
    20_000_000, 60_000_000,
];

/// How a measured quantity is spread: how many values, their sum, the largest, and how many fell into each bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Distribution {
    /// How many values there were.
    pub count: u64,
    /// Their sum: microseconds, if they are times.
    pub sum: u64,
    /// The largest.
    pub max: u64,
    /// How many were not larger than each of [`BOUNDS`], and larger than the bound before it; at the end, the others.
    pub buckets: [u64; BOUNDS.len() + 1],
}

impl Distribution {
    /// Adds a value.
    pub fn add(&mut self, value: u64) {
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
        self.max = self.max.max(value);
        let bucket = BOUNDS.partition_point(|bound| *bound < value);
        if let Some(bucket) = self.buckets.get_mut(bucket) {
            *bucket += 1;
        }
    }

    /// Adds a time, in whole microseconds.
    pub fn add_time(&mut self, time: Duration) {
        self.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// The sum, if the values are times.
    pub const fn total_time(&self) -> Duration {
        Duration::from_micros(self.sum)
    }

    /// The bound that this share of the values, from 0 to 1, does not exceed; the largest value, if that is smaller.
    /// Zero if there are no values.
    ///
    /// ```
    /// use durable_runtime::observe::Distribution;
    ///
    /// let mut sizes = Distribution::default();
    /// (1..=100).for_each(|size| sizes.add(size));
    /// assert_eq!((sizes.quantile(0.1), sizes.quantile(1.0)), (10, 100));
    /// ```
    pub fn quantile(&self, share: f64) -> u64 {
        let rank = (share.clamp(0.0, 1.0) * self.count as f64).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return BOUNDS.get(bucket).copied().unwrap_or(u64::MAX).min(self.max);
            }
        }
        self.max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_falls_into_the_bucket_of_its_bound() {
        let mut times = Distribution::default();
        for micros in [0, 1, 2, 10, 60_000_000, 60_000_001, u64::MAX] {
            times.add(micros);
        }
        assert_eq!((times.buckets[0], times.buckets[1], times.buckets[17], times.buckets[18]), (2, 2, 1, 2));
        assert_eq!((times.count, times.sum, times.max), (7, u64::MAX, u64::MAX));
    }

    #[test]
    fn a_quantile_is_no_larger_than_what_was_seen() {
        let mut times = Distribution::default();
        assert_eq!(times.quantile(0.99), 0);
        times.add_time(Duration::from_micros(300));
        assert_eq!((times.quantile(0.5), times.total_time()), (300, Duration::from_micros(300)));
    }
}
