use std::time::Instant;

pub fn monotonic() -> Instant {
    Instant::now()
}
