//! Redis, as the tests use it: the server of the test run, and servers of their own that they may stop.

use std::process::{Child, Command, Stdio};

use mindflow::config::{Config, Secret};
use tempfile::TempDir;

/// Names the Redis server of the test run.
const REDIS_URL: &str = "MINDFLOW_TEST_REDIS_URL";
/// Names the program.
const REDIS_SERVER: &str = "MINDFLOW_TEST_REDIS_SERVER";

/// The server of the test run; who uses it needs a secret of their own, so that nobody counts with them.
pub(crate) fn shared_redis() -> Secret {
    Secret::new(from_environment(REDIS_URL))
}

/// Lets an app count through Redis, together with all apps of the same secret.
pub(crate) fn count_through(config: &mut Config, redis: Secret, secret: &str) {
    config.storage.redis_url = Some(redis);
    // Tests run on busy machines.
    config.storage.redis_timeout = std::time::Duration::from_secs(5);
    config.server.secret_key = Some(Secret::new(secret.repeat(4)));
}

/// A secret that nobody else has.
pub(crate) fn own_secret() -> String {
    uuid::Uuid::now_v7().to_string()
}

fn from_environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: start the tests with `tests/run`, or with `tests/services/with postgres redis -- cargo \
             nextest run`"
        )
    })
}

/// A server of a test's own, at a port that stays the same.
pub(crate) struct OwnRedis {
    port: u16,
    folder: TempDir,
    process: Option<Child>,
}

impl OwnRedis {
    /// Starts one.
    pub(crate) async fn start() -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let mut redis = Self { port, folder: tempfile::tempdir().unwrap(), process: None };
        redis.restart().await;
        redis
    }

    pub(crate) fn url(&self) -> Secret {
        Secret::new(format!("redis://127.0.0.1:{}/0", self.port))
    }

    /// Ends the process at once.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Starts it again, empty, and waits until it takes connections.
    pub(crate) async fn restart(&mut self) {
        self.kill();
        let port = self.port.to_string();
        let process = Command::new(from_environment(REDIS_SERVER))
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        self.process = Some(process);
        let port = self.port;
        eventually(move || async move { tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() }).await;
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        if let Some(process) = &mut self.process {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// Asks again and again until the answer is yes; fails after a minute.
pub(crate) async fn eventually<F: Future<Output = bool>>(ask: impl Fn() -> F) {
    let mut ticks = tokio::time::interval(std::time::Duration::from_millis(20));
    for _ in 0..3000 {
        if ask().await {
            return;
        }
        ticks.tick().await;
    }
    panic!("it did not come to be within a minute");
}
