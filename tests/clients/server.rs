//! A real server, as a person starts it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use tempfile::TempDir;

use crate::tools::repository;

/// A start makes keys and a database; this is many times what that takes.
const START: Duration = Duration::from_mins(1);

/// A running `mindflow serve` with a new data folder on a free port; dropping it ends the process.
pub(crate) struct Server {
    /// Where it answers, without a slash at the end.
    pub(crate) url: String,
    process: Child,
    data: TempDir,
}

/// A client that an operator made.
#[derive(Deserialize)]
pub(crate) struct Client {
    pub(crate) client_id: String,
    /// Empty for a public one.
    #[serde(default)]
    pub(crate) client_secret: String,
}

impl Server {
    /// Starts one, without limits of requests, and waits for the line that says where it listens.
    pub(crate) fn start() -> Self {
        Self::start_on("127.0.0.1", &[])
    }

    /// The same under a name, which passkeys need.
    pub(crate) fn start_with_a_name() -> Self {
        Self::start_on("localhost", &[])
    }

    /// The same with further settings.
    pub(crate) fn with(settings: &[(&str, &str)]) -> Self {
        Self::start_on("127.0.0.1", settings)
    }

    fn start_on(host: &str, settings: &[(&str, &str)]) -> Self {
        let data = TempDir::new().expect("the temporary folder is writable");
        let mut process = mindflow(data.path())
            .arg("serve")
            .envs([("HOST", host), ("PORT", "0"), ("LOG_LEVEL", "warn")])
            .envs([("RATE_LIMIT_PER_MINUTE", "0"), ("AUTH_RATE_LIMIT_PER_MINUTE", "0")])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server's program can be started");
        let (sender, lines) = channel();
        follow(process.stdout.take().expect("it is piped"), sender.clone());
        follow(process.stderr.take().expect("it is piped"), sender);
        let url = await_url(&lines, host);
        // What it says from now on is shown with the test's own output.
        thread::spawn(move || lines.iter().for_each(|line| println!("server: {line}")));
        Self { url, process, data }
    }

    /// Makes a client as an operator does.
    pub(crate) fn create_client(&self, arguments: &[&str]) -> Client {
        let said = self.operate(&[&["client", "create", "--json"], arguments].concat());
        serde_json::from_str(&said).expect("the program writes JSON")
    }

    /// Runs the program as an operator does, while the server runs; gives what it says.
    pub(crate) fn operate(&self, arguments: &[&str]) -> String {
        let mut command = mindflow(self.data.path());
        let output = command.args(arguments).output().expect("the program can be started");
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("the program writes text")
    }
}

/// The program, with a data folder and none of a developer's own settings: they would change the outcome.
fn mindflow(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mindflow"));
    command.current_dir(repository()).env_clear().env("DATA_DIR", data).stdin(Stdio::null());
    command
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn follow(stream: impl Read + Send + 'static, lines: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if lines.send(line).is_err() {
                break;
            }
        }
    });
}

fn await_url(lines: &Receiver<String>, host: &str) -> String {
    let mut said = String::new();
    loop {
        let Ok(line) = lines.recv_timeout(START) else {
            panic!("the server did not say where it listens:\n{said}");
        };
        if let Some(url) = url_in(&line, host) {
            return url;
        }
        said.push_str(&line);
        said.push('\n');
    }
}

fn url_in(line: &str, host: &str) -> Option<String> {
    let start = format!("http://{host}:");
    let digits = line.find(&start)? + start.len();
    let port: String = line[digits..].chars().take_while(char::is_ascii_digit).collect();
    (!port.is_empty() && port != "0").then(|| format!("{start}{port}"))
}
