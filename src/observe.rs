//! What is seen from outside: logs and health.

pub mod health;
mod log_queue;
pub mod logs;
