//! Who takes part, and how much each has to do.

use std::path::PathBuf;

use clap::ValueEnum as _;
use durable_workloads::{Result, Workload};

use super::{Peer, peers};
use crate::store::Store;

/// An engine with its settings, as a program with arguments.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    pub(super) name: String,
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    kind: Kind,
}

/// How the names of this project's engine begin.
pub(super) const OURS: &str = "durable-runtime";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Ours,
    Restate,
    DuroxideDefault,
    Duroxide,
}

/// This program on each store, and each peer, built.
pub(super) async fn all(stores: &[Store], wanted: &[Peer]) -> Result<Vec<Contender>> {
    let mut contenders: Vec<Contender> = Vec::new();
    for store in stores {
        let name = store.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        contenders.push(Contender {
            name: format!("{OURS} {name}"),
            program: std::env::current_exe()?,
            arguments: vec!["--provider".to_owned(), name],
            kind: Kind::Ours,
        });
    }
    for peer in wanted {
        contenders.extend(of_peer(*peer).await?);
    }
    Ok(contenders)
}

async fn of_peer(peer: Peer) -> Result<Vec<Contender>> {
    let modes: &[&str] = match peer {
        Peer::Duroxide => &["default", "tuned", "full"],
        Peer::DuroxideDefault => &["default"],
        Peer::DuroxideTuned => &["tuned"],
        Peer::DuroxideFull => &["full"],
        Peer::Restate => {
            let server = peers::restate_server().await?.to_str().ok_or("a folder that is not text")?.to_owned();
            return Ok(vec![Contender {
                name: "restate".to_owned(),
                program: peers::build("restate").await?,
                arguments: vec!["--server".to_owned(), server],
                kind: Kind::Restate,
            }]);
        }
    };
    let program = peers::build("duroxide").await?;
    let one = |mode: &&str| Contender {
        name: format!("duroxide {mode}"),
        program: program.clone(),
        arguments: vec!["--mode".to_owned(), (*mode).to_owned()],
        kind: if *mode == "default" { Kind::DuroxideDefault } else { Kind::Duroxide },
    };
    Ok(modes.iter().map(one).collect())
}

impl Contender {
    /// How much it runs: the whole workload, unless that would take minutes a turn. All figures are rates or times of one.
    pub(super) fn count(&self, workload: Workload, quick: bool) -> Vec<usize> {
        if quick {
            return if workload == Workload::W4 { vec![10, 20] } else { vec![20] };
        }
        match (self.kind, workload) {
            (Kind::Ours, Workload::W4) => vec![200, 1_000, 5_000, 25_000],
            (Kind::DuroxideDefault, Workload::W1) => vec![20],
            (Kind::Duroxide, Workload::W1) => vec![100],
            (Kind::DuroxideDefault | Kind::Duroxide, Workload::W2 | Workload::W9) => vec![300],
            (Kind::DuroxideDefault, Workload::W4) => vec![200],
            (Kind::Duroxide, Workload::W4) => vec![200, 1_000],
            (Kind::DuroxideDefault | Kind::Duroxide, Workload::W8) => vec![1_000],
            _ => Vec::new(),
        }
    }
}
