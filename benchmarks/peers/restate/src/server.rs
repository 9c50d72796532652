//! The server of Restate: one node, started and stopped here, all that it keeps in one folder.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use durable_workloads::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::process::{Child, Command};

/// How long it may take to be ready.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked whether it is.
const PAUSE: Duration = Duration::from_millis(20);

/// Where everything listens: the same after a restart, since invocations know where their handlers are.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Ports {
    /// Where requests come in.
    pub ingress: u16,
    /// Where handlers are.
    pub handlers: u16,
    admin: u16,
    node: u16,
}

impl Ports {
    /// Those that are written in the folder, or free ones.
    pub fn of(folder: &Path) -> Result<Self> {
        let file = folder.join("ports.json");
        if let Ok(text) = std::fs::read(&file) {
            return Ok(serde_json::from_slice(&text)?);
        }
        let listeners: Vec<TcpListener> =
            (0..4).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).collect::<std::io::Result<_>>()?;
        let ports: Vec<u16> =
            listeners.iter().map(|one| Ok(one.local_addr()?.port())).collect::<std::io::Result<_>>()?;
        let [ingress, handlers, admin, node] = ports[..] else { return Err("four ports are needed".into()) };
        let ports = Self { ingress, handlers, admin, node };
        std::fs::write(file, serde_json::to_vec(&ports)?)?;
        Ok(ports)
    }
}

pub struct Server {
    child: Child,
}

impl Server {
    /// Starts it on `folder/store`, and waits until it takes requests.
    pub async fn start(program: &Path, folder: &Path, ports: Ports) -> Result<Self> {
        let at = |port: u16| format!("127.0.0.1:{port}");
        let log = std::fs::File::create(folder.join("server.log"))?;
        let mut command = Command::new(program);
        command
            .args(["--no-logo", "--listen-mode", "tcp", "--node-name", "bench", "--bind-ip", "127.0.0.1"])
            .args(["--advertised-host", "127.0.0.1", "--bind-port", &ports.node.to_string()])
            .env("RESTATE_BASE_DIR", folder.join("store"))
            .env("RESTATE_INGRESS__BIND_ADDRESS", at(ports.ingress))
            .env("RESTATE_ADMIN__BIND_ADDRESS", at(ports.admin))
            .env("RESTATE_DISABLE_TELEMETRY", "true")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let mut server = Self { child: command.spawn()? };
        if tokio::time::timeout(PATIENCE, server.ready(ports)).await.is_err() {
            return Err("the server of Restate was not ready in time".into());
        }
        Ok(server)
    }

    async fn ready(&mut self, ports: Ports) {
        for url in [
            format!("http://127.0.0.1:{}/health", ports.admin),
            format!("http://127.0.0.1:{}/restate/health", ports.ingress),
        ] {
            while !reqwest::get(&url).await.is_ok_and(|answer| answer.status().is_success()) {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    /// Tells it where the handlers are.
    pub async fn register(&self, ports: Ports) -> Result {
        let url = format!("http://127.0.0.1:{}/deployments", ports.admin);
        let deployment = json!({ "uri": format!("http://127.0.0.1:{}", ports.handlers), "force": true });
        let answer = reqwest::Client::new().post(url).json(&deployment).send().await?;
        let status = answer.status();
        if status.is_success() { Ok(()) } else { Err(format!("{status}: {}", answer.text().await?).into()) }
    }

    /// Its process.
    pub fn process(&self) -> Option<u32> {
        self.child.id()
    }

    pub async fn stop(mut self) -> Result {
        if let Some(process) = self.child.id() {
            Command::new("kill").arg(process.to_string()).status().await?;
        }
        if tokio::time::timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            self.child.kill().await?;
        }
        Ok(())
    }
}
