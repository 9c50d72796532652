//! The file of members.

use std::error::Error;
use std::path::Path;

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) email: String,
}

/// Writes so many members; the same ones each time.
pub(crate) fn write(path: &Path, rows: u32) -> Result<(), Box<dyn Error>> {
    const NAMES: [&str; 7] = ["Ada", "Barbara", "Edsger", "Grace", "Kurt", "Tony", "Zoë, the younger"];
    let mut file = csv::Writer::from_path(path)?;
    for number in 1..=rows {
        let name = NAMES.iter().cycle().nth(number.wrapping_mul(2_654_435_761) as usize % NAMES.len());
        file.serialize(Member {
            number,
            name: name.copied().unwrap_or_default().to_owned(),
            email: format!("member-{number}@example.com"),
        })?;
    }
    Ok(file.flush()?)
}

pub(crate) fn count(path: &Path) -> Result<u64, csv::Error> {
    Ok(csv::Reader::from_path(path)?.into_records().count() as u64)
}

/// Up to `limit` members, after the first `from`.
pub(crate) fn read(path: &Path, from: u64, limit: usize) -> Result<Vec<Member>, csv::Error> {
    csv::Reader::from_path(path)?.into_deserialize().skip(from as usize).take(limit).collect()
}
