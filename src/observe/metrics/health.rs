//! What the health checks found, and the room that is left on the disk and in the memory.

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The words of a check's state.
const STATES: [&str; 3] = ["healthy", "degraded", "unhealthy"];

/// The checks behind `/health`; shared by cloning.
#[derive(Clone, Debug, Default)]
pub struct HealthMetrics {
    checks: Family<[(&'static str, &'static str); 2], Gauge>,
    disk_free: Gauge,
    disk_size: Gauge,
    memory_used: Gauge,
    memory_limit: Gauge,
    last_backup: Gauge,
}

impl HealthMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "1 for the present state of each health check, 0 for the others";
        registry.register("health_check_status", help, self.checks.clone());
        let help = "Free space where the server keeps its data; 0 is unknown";
        registry.register("data_disk_free_bytes", help, self.disk_free.clone());
        let help = "Size of the disk where the server keeps its data; 0 is unknown";
        registry.register("data_disk_size_bytes", help, self.disk_size.clone());
        let help = "Memory that the process holds, as the health check sees it; 0 is unknown";
        registry.register("memory_used_bytes", help, self.memory_used.clone());
        let help = "Memory that the process may hold: its container's limit, else the machine's; 0 is unknown";
        registry.register("memory_limit_bytes", help, self.memory_limit.clone());
        let help = "When the newest backup was completed; 0 is unknown";
        registry.register("backup_last_success_timestamp_seconds", help, self.last_backup.clone());
    }

    /// Notes a check's state: `healthy`, `degraded` or `unhealthy`.
    pub fn check(&self, name: &'static str, state: &'static str) {
        for known in STATES {
            self.checks.get_or_create(&[("check", name), ("status", known)]).set(i64::from(known == state));
        }
    }

    /// Notes the disk's free space and size, in bytes.
    pub fn disk(&self, free: u64, size: u64) {
        self.disk_free.set(i64::try_from(free).unwrap_or(i64::MAX));
        self.disk_size.set(i64::try_from(size).unwrap_or(i64::MAX));
    }

    /// Notes the memory that is used and the most there may be, in bytes.
    pub fn memory(&self, used: u64, limit: u64) {
        self.memory_used.set(i64::try_from(used).unwrap_or(i64::MAX));
        self.memory_limit.set(i64::try_from(limit).unwrap_or(i64::MAX));
    }

    /// Notes when the newest backup was completed, in seconds since 1970.
    pub fn last_backup(&self, at: i64) {
        self.last_backup.set(at);
    }
}
