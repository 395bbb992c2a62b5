//! What is seen from outside: logs and health.

pub mod health;
pub mod logs;
