//! What the App shows of itself: what is counted, and the room that is left.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::config::Config;
use crate::observe::disk::Disk;
use crate::observe::health::{Finding, Health, Need, Status};
use crate::observe::memory::Memory;
use crate::observe::metrics::Metrics;
use crate::policies::live::LivePolicies;
use crate::store::Store;

/// How long disk and memory are taken to be as they were: looking at them costs more than everything else in a check, and
/// they do not change from one moment to the next.
const KEEP: Duration = Duration::from_secs(1);

/// What is counted, with the database and the policies.
pub(super) fn metrics(clock: &Clock, store: &Store, policies: &Arc<LivePolicies>) -> Metrics {
    let metrics = Metrics::new(clock.now());
    let (pools, policies) = (store.clone(), Arc::clone(policies));
    metrics.watch_database(store.metrics(), move || pools.pools());
    metrics.watch_policies(move || policies.reading());
    metrics
}

/// Adds the checks of disk and memory. Neither keeps requests from being answered: without room, what is there can still
/// be read.
pub(super) fn with_room(health: Health, config: &Config, metrics: &Metrics) -> Health {
    let (folder, least, most) =
        (config.storage.data_dir.clone(), config.health.least_free_disk, config.health.most_memory_percent);
    let (of_disk, of_memory) = (metrics.health.clone(), metrics.health.clone());
    let health = health.counting(metrics.health.clone());
    let health = health.with_kept("disk", Need::Useful, KEEP, move || {
        let (folder, metrics) = (folder.clone(), of_disk.clone());
        async move {
            // A folder on another machine can make whoever asks for it wait.
            match tokio::task::spawn_blocking(move || Disk::of(&folder)).await {
                Ok(Ok(disk)) => {
                    metrics.disk(disk.free, disk.size);
                    disk.judged(least)
                }
                _ => Finding::new(Status::Degraded, "the room that is left in the data folder cannot be told"),
            }
        }
    });
    health.with_kept("memory", Need::Useful, KEEP, move || {
        let memory = Memory::of_process();
        if let Some(Memory { used, limit }) = memory {
            of_memory.memory(used, limit);
        }
        let finding = memory.map_or(Finding::HEALTHY, |memory| memory.judged(most));
        async move { finding }
    })
}
