//! Tasks and their rules.

pub mod error;
pub mod filter;
pub mod groups;
pub mod receipts;
pub mod search;
pub mod task;
pub mod text;
