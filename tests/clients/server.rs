//! A real server, as a person starts it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::tools::repository;

/// A start makes keys and a database; this is many times what that takes.
const START: Duration = Duration::from_mins(1);

/// A running `mindflow serve` with a new data folder on a free port; dropping it ends the process.
pub(crate) struct Server {
    /// Where it answers, without a slash at the end.
    pub(crate) url: String,
    process: Child,
    _data: TempDir,
}

impl Server {
    /// Starts one, without limits of requests, and waits for the line that says where it listens.
    pub(crate) fn start() -> Self {
        let data = TempDir::new().expect("the temporary folder is writable");
        let mut process = Command::new(env!("CARGO_BIN_EXE_mindflow"))
            .arg("serve")
            .current_dir(repository())
            // Only what is said here: a developer's own settings would change the outcome.
            .env_clear()
            .envs([("HOST", "127.0.0.1"), ("PORT", "0"), ("LOG_LEVEL", "warn")])
            .envs([("RATE_LIMIT_PER_MINUTE", "0"), ("AUTH_RATE_LIMIT_PER_MINUTE", "0")])
            .env("DATA_DIR", data.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server's program can be started");
        let (sender, lines) = channel();
        follow(process.stdout.take().expect("it is piped"), sender.clone());
        follow(process.stderr.take().expect("it is piped"), sender);
        let url = await_url(&lines);
        // What it says from now on is shown with the test's own output.
        thread::spawn(move || lines.iter().for_each(|line| println!("server: {line}")));
        Self { url, process, _data: data }
    }
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

fn await_url(lines: &Receiver<String>) -> String {
    let mut said = String::new();
    loop {
        let Ok(line) = lines.recv_timeout(START) else {
            panic!("the server did not say where it listens:\n{said}");
        };
        if let Some(url) = url_in(&line) {
            return url;
        }
        said.push_str(&line);
        said.push('\n');
    }
}

fn url_in(line: &str) -> Option<String> {
    let from = line.find("http://127.0.0.1:")?;
    let digits = from + "http://127.0.0.1:".len();
    let port: String = line[digits..].chars().take_while(char::is_ascii_digit).collect();
    (!port.is_empty() && port != "0").then(|| format!("http://127.0.0.1:{port}"))
}
