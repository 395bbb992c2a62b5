//! The connection to Redis: there, or known not to be.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::count;

/// How long a new connection may take, to its first answer.
const CONNECTING: Duration = Duration::from_secs(2);
/// How long to wait before the next try.
const AGAIN: Duration = Duration::from_millis(500);
/// How often a connection that is there is asked for a sign of life.
const LOOKING: Duration = Duration::from_secs(2);
/// How many questions may wait for their turn on the connection.
const QUEUED: usize = 1024;

/// One connection for all requests, replaced when it is lost.
pub(super) struct Line {
    client: Client,
    patience: Duration,
    connection: ArcSwapOption<MultiplexedConnection>,
    lost: Notify,
}

impl Line {
    pub(super) fn new(client: Client, patience: Duration) -> Self {
        Self { client, patience, connection: ArcSwapOption::empty(), lost: Notify::new() }
    }

    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    /// The connection, when Redis answered last.
    pub(super) fn connection(&self) -> Option<Arc<MultiplexedConnection>> {
        self.connection.load_full()
    }

    /// Gives a connection up: it failed. Of many who notice at once, one says so.
    pub(super) fn lose(&self, failed: &Arc<MultiplexedConnection>, why: &str) {
        let before = self.connection.compare_and_swap(&Some(Arc::clone(failed)), None);
        if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, failed)) {
            tracing::warn!(why, "Redis is away; limits are counted by this instance alone until it is back");
            self.lost.notify_one();
        }
    }

    /// The try before the first request, so that a server whose Redis is there never counts alone.
    pub(super) async fn first_try(&self) {
        match self.connect().await {
            Ok(connection) => self.connection.store(Some(Arc::new(connection))),
            Err(why) => {
                tracing::warn!(why, "Redis is away; limits are counted by this instance alone until it is there");
            }
        }
    }

    /// Looks after the connection for ever.
    pub(super) async fn keep(self: Arc<Self>) {
        loop {
            match self.connection() {
                Some(connection) => {
                    tokio::select! {
                        () = self.lost.notified() => {}
                        () = sleep(LOOKING) => self.look(&connection).await,
                    }
                }
                None => match self.connect().await {
                    Ok(connection) => {
                        tracing::info!("Redis is back; limits are shared with the other instances");
                        self.connection.store(Some(Arc::new(connection)));
                    }
                    Err(why) => {
                        tracing::debug!(why, "Redis is still away");
                        sleep(AGAIN).await;
                    }
                },
            }
        }
    }

    async fn look(&self, connection: &Arc<MultiplexedConnection>) {
        let mut asked = MultiplexedConnection::clone(connection);
        match timeout(CONNECTING, redis::cmd("PING").query_async::<()>(&mut asked)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.lose(connection, &error.to_string()),
            Err(_) => self.lose(connection, "there was no sign of life in time"),
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, String> {
        match timeout(CONNECTING, self.try_to_connect()).await {
            Ok(connected) => connected.map_err(|error| error.to_string()),
            Err(_) => Err("there was no answer in time".to_owned()),
        }
    }

    async fn try_to_connect(&self) -> RedisResult<MultiplexedConnection> {
        // Requests have their own patience; this is for what nobody waits for any more.
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING))
            .set_response_timeout(Some(CONNECTING))
            .set_pipeline_buffer_size(QUEUED);
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        // A replica that may only be read, or a server that still loads its data, takes no script that writes.
        count::prepare(&mut connection).await?;
        Ok(connection)
    }
}
