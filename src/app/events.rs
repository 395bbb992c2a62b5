//! Who is told of what happens, and the task that looks for what happens elsewhere.

use tokio::task::JoinHandle;

use crate::config::Config;
use crate::events::{Events, SeatLimits};
use crate::store::Store;

pub(super) fn make(config: &Config, store: &Store) -> Events {
    let limits = SeatLimits { most: config.events.max_streams, most_per_user: config.events.max_streams_per_user };
    Events::new(store.clone(), limits)
}

/// Wakes those who listen here when something happened at another instance; ends when this is dropped.
pub(super) struct WatchOthers(JoinHandle<()>);

impl WatchOthers {
    pub(super) fn start(store: Store) -> Self {
        Self(tokio::spawn(async move { store.watch_others().await }))
    }
}

impl Drop for WatchOthers {
    fn drop(&mut self) {
        self.0.abort();
    }
}
