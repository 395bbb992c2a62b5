//! The section `limits`: how much one caller may ask, and how much all of them at once.

use std::time::Duration;

use super::source::Values;
use super::value;

/// The highest quota that can be chosen.
const MOST: u32 = 1_000_000;

/// How much one caller may ask, and how much all of them at once.
///
/// Quotas are requests a minute; 0 is no limit, and where there may be none of its own, `None` counts a request with the
/// class that its key names.
#[derive(Clone, Debug)]
pub struct Limits {
    /// A user, whatever they ask that has no quota of its own.
    pub rate_per_minute: u32,
    /// An address, to sign-in and token operations.
    pub auth_rate_per_minute: u32,
    /// An address, to the token endpoint and its kin; `None`: with sign-ins.
    pub token_rate_per_minute: Option<u32>,
    /// An address, to the registration of clients; `None`: with sign-ins.
    pub registration_rate_per_minute: Option<u32>,
    /// A client at the token endpoint; `None`: sixty times the quota of an address.
    pub client_rate_per_minute: Option<u32>,
    /// An address, to pages for people who have not signed in; `None`: as a user.
    pub page_rate_per_minute: Option<u32>,
    /// A user, through the Model Context Protocol; `None`: with what they ask otherwise.
    pub mcp_rate_per_minute: Option<u32>,
    /// A user, to import and export; `None`: with what they ask otherwise.
    pub transfer_rate_per_minute: Option<u32>,
    /// How many wrong passwords or codes an account takes in a quarter of an hour; 0 is no limit.
    pub failed_sign_ins: u32,
    /// How many requests are worked on at once; 0 is no limit.
    pub requests_at_work: usize,
    /// How long a request waits for one of them to be done before it is refused.
    pub work_wait: Duration,
}

/// How many wrong passwords an account takes where nothing else was chosen.
const FAILED_SIGN_INS: u32 = 10;

impl Limits {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let quota = value::integer(0, MOST);
        let own_quota = value::optional_integer(0, MOST);
        let auth_rate_per_minute = values.get("limits.auth_rate_limit_per_minute", &quota);
        let failed_sign_ins = values.get("limits.failed_sign_ins", value::optional_integer(0, 10_000));
        Self {
            rate_per_minute: values.get("limits.rate_limit_per_minute", &quota),
            auth_rate_per_minute,
            token_rate_per_minute: values.get("limits.token_rate_limit_per_minute", &own_quota),
            registration_rate_per_minute: values.get("limits.registration_rate_limit_per_minute", &own_quota),
            client_rate_per_minute: values.get("limits.client_rate_limit_per_minute", &own_quota),
            page_rate_per_minute: values.get("limits.page_rate_limit_per_minute", &own_quota),
            mcp_rate_per_minute: values.get("limits.mcp_rate_limit_per_minute", &own_quota),
            transfer_rate_per_minute: values.get("limits.transfer_rate_limit_per_minute", &own_quota),
            failed_sign_ins: failed_sign_ins.unwrap_or(if auth_rate_per_minute == 0 { 0 } else { FAILED_SIGN_INS }),
            requests_at_work: values.get("limits.requests_at_work", value::integer(0, 100_000)),
            work_wait: Duration::from_millis(values.get("limits.work_wait_ms", value::integer(0, 60_000))),
        }
    }
}
