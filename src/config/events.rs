//! `[events]`: who may listen to what happens.

use std::time::Duration;

use super::source::Values;
use super::{seconds, value};

/// Who may listen to what happens, and how far back.
#[derive(Clone, Debug)]
pub struct Events {
    /// How long what happened is kept.
    pub retention: Duration,
    /// The most streams that one instance keeps open.
    pub max_streams: usize,
    /// The most of one user.
    pub max_streams_per_user: usize,
}

impl Events {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let hours: u64 = values.get("events.retention_hours", value::integer(1, 720));
        Self {
            retention: seconds(hours * 60 * 60),
            max_streams: values.get("events.max_streams", value::integer(0, 1_000_000)),
            max_streams_per_user: values.get("events.max_streams_per_user", value::integer(1, 10_000)),
        }
    }
}
