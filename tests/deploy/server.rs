//! A real server, as a unit or a container starts it: the program, and settings in the environment alone.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::tools::{outcome, repository};

/// A secret as `openssl rand -hex 32` makes it.
pub(crate) const SECRET: &str = "9f3c1a7be4d08265f1b7c3d9e2a4860517f8c9b2d3e4a5f60718293a4b5c6d7e";

/// The settings of a server, and the folder of its data.
pub(crate) struct Deployment {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    settings: Vec<(String, String)>,
}

impl Deployment {
    /// Settings for a free port and an empty data folder.
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let data = folder.path().join("data");
        let mut deployment = Self { folder, port, settings: Vec::new() };
        deployment.set("DATA_DIR", data.to_str().unwrap());
        deployment.set("HOST", "127.0.0.1");
        deployment.set("PORT", &port.to_string());
        deployment.set("POLICIES_DIR", repository().join("policies").to_str().unwrap());
        deployment
    }

    /// Chooses a setting; the later wins.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
    }

    /// Chooses a setting and gives itself back.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// A path in the data folder.
    pub(crate) fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The program with these settings and none of a developer's own.
    pub(crate) fn mindflow(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_mindflow")), arguments)
    }

    /// Another program in its place.
    pub(crate) fn program(&self, program: &Path, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Starts the server and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(&self) -> Running {
        let log = std::fs::File::create(self.folder.path().join("server.log")).unwrap();
        let mut command = self.mindflow(&["serve"]);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let running = Running(command.spawn().unwrap());
        let (ready, said) = outcome(&mut self.mindflow(&["health", "--wait", "60"]));
        let log = std::fs::read_to_string(self.folder.path().join("server.log")).unwrap();
        assert!(ready, "{said}\n{log}");
        running
    }
}

/// A process that ends when this is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port nobody listens on just now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
