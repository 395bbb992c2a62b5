//! What instances share beside the database: counts, in Redis or Valkey. The only user of the crate `redis`.
//!
//! - [`Shared::take`] counts one request for all instances, by one script that runs whole on the server.
//! - `line`: the connection. When Redis does not answer in time, the connection is given up at once and nobody asks for it
//!   again until a task of its own has seen Redis answer; no request waits for a dead server.
//!
//! Nothing that matters is kept there: whoever loses it counts anew.

mod count;
mod line;

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis::{Client, RedisError};
use sha2::{Digest as _, Sha256};
use tokio::task::JoinHandle;

pub use self::count::{Quota, Taken};
use self::line::Line;
use crate::config::Secret;
use crate::secret_key::SecretKey;

/// What keys begin with.
const PREFIX: &str = "mindflow:count";

/// The way to Redis, shared by all requests.
pub struct Shared {
    line: Arc<Line>,
    salt: [u8; 32],
    keeper: JoinHandle<()>,
}

/// Why Redis cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// The URL names none.
    #[error("the URL is not one of Redis")]
    Url(#[source] RedisError),
    /// There is no randomness, or none can be derived.
    #[error("the keys cannot be hidden")]
    Salt,
}

impl Shared {
    /// Reaches for Redis, once at first and then again and again until it answers; needs a running tokio runtime.
    ///
    /// - `patience`: how long a request may wait for it.
    /// - `secret`: hides addresses and users in the keys; all instances have the same.
    ///
    /// # Errors
    ///
    /// When the URL is wrong. That Redis does not answer is none: [`Self::is_reachable`] says so.
    pub async fn start(url: &Secret, patience: Duration, secret: &SecretKey) -> Result<Self, SharedError> {
        // Two libraries of the dependencies' could be meant, and rustls does not choose; whoever was first is as good.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = Client::open(url.expose()).map_err(SharedError::Url)?;
        let salt = secret.mac("shared counts", &[]).map_err(|_| SharedError::Salt)?;
        let line = Arc::new(Line::new(client, patience));
        line.first_try().await;
        let keeper = tokio::spawn(Arc::clone(&line).keep());
        Ok(Self { line, salt, keeper })
    }

    /// Counts one request of `subject` against the quota `name`, together with all other instances; `None` when Redis is
    /// away, and the caller has to count by itself.
    pub async fn take(&self, name: &str, subject: &[u8], quota: Quota) -> Option<Taken> {
        let connection = self.line.connection()?;
        let key = self.key(name, subject);
        match tokio::time::timeout(self.line.patience(), count::take(&connection, &key, quota)).await {
            Ok(Ok(taken)) => Some(taken),
            Ok(Err(error)) => {
                self.line.lose(&connection, &error.to_string());
                None
            }
            Err(_) => {
                self.line.lose(&connection, "there was no answer in time");
                None
            }
        }
    }

    /// Whether counts are shared at the moment.
    pub fn is_reachable(&self) -> bool {
        self.line.connection().is_some()
    }

    /// Whoever reads the keys learns neither addresses nor users, and servers with different secrets never meet.
    fn key(&self, name: &str, subject: &[u8]) -> String {
        let hash = Sha256::new().chain_update(self.salt).chain_update(subject).finalize();
        format!("{PREFIX}:{name}:{}", URL_SAFE_NO_PAD.encode(&hash[..16]))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}
