//! The way to the recorder of the crate `metrics`; without the feature of that name, nowhere.

#[cfg(feature = "metrics")]
pub(super) use on::{count, measure, reached, set};

#[cfg(not(feature = "metrics"))]
pub(super) use off::{count, measure, reached, set};

/// Names and values of labels.
type Labels<'a> = [(&'static str, &'a str)];

#[cfg(feature = "metrics")]
mod on {
    use std::time::Duration;

    use metrics::Label;

    use super::Labels;

    fn owned(labels: &Labels<'_>) -> Vec<Label> {
        labels.iter().map(|(name, value)| Label::new(*name, (*value).to_owned())).collect()
    }

    pub(in crate::observe) fn count(name: &'static str, labels: &Labels<'_>) {
        metrics::counter!(name, owned(labels)).increment(1);
    }

    pub(in crate::observe) fn reached(name: &'static str, value: u64) {
        metrics::counter!(name).absolute(value);
    }

    pub(in crate::observe) fn set(name: &'static str, labels: &Labels<'_>, value: f64) {
        metrics::gauge!(name, owned(labels)).set(value);
    }

    pub(in crate::observe) fn measure(name: &'static str, labels: &Labels<'_>, time: Duration) {
        metrics::histogram!(name, owned(labels)).record(time);
    }
}

#[cfg(not(feature = "metrics"))]
mod off {
    use std::time::Duration;

    use super::Labels;

    pub(in crate::observe) fn count(_: &'static str, _: &Labels<'_>) {}

    pub(in crate::observe) fn reached(_: &'static str, _: u64) {}

    pub(in crate::observe) fn set(_: &'static str, _: &Labels<'_>, _: f64) {}

    pub(in crate::observe) fn measure(_: &'static str, _: &Labels<'_>, _: Duration) {}
}
