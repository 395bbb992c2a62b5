//! What is seen from outside: logs, metrics, reports of faults, traces and health.

pub mod disk;
pub mod health;
mod log_queue;
pub mod logs;
pub mod memory;
pub mod metrics;
pub mod reports;
mod scrub;
pub mod telemetry;
