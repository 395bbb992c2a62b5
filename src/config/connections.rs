//! The section `connections`: how many there may be, and how long each part of a request may take.

use std::time::Duration;

use super::source::Values;
use super::value;

/// How many connections there may be, and how long each part of a request may take.
#[derive(Clone, Debug)]
pub struct Connections {
    /// The most at a time; further ones are told to come back.
    pub most: usize,
    /// The most of one address at a time; 0 is no limit. Trusted proxies and this machine itself are not held to it.
    pub most_per_address: usize,
    /// How long a client may take to send a request's head, from its first byte on.
    pub header_timeout: Duration,
    /// How long a client may take nothing of an answer that is ready for it.
    pub write_timeout: Duration,
    /// The largest head of a request, in bytes.
    pub max_header_bytes: usize,
}

impl Connections {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let kibibytes: usize = values.get("connections.max_header_kib", value::integer(8, 1024));
        Self {
            most: values.get("connections.most", value::integer(1, 1_000_000)),
            most_per_address: values.get("connections.most_per_address", value::integer(0, 1_000_000)),
            header_timeout: seconds(values.get("connections.header_timeout_seconds", value::integer(1, 3600))),
            write_timeout: seconds(values.get("connections.write_timeout_seconds", value::integer(1, 3600))),
            max_header_bytes: kibibytes * 1024,
        }
    }
}

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}
