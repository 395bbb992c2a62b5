//! `[background]`: what is done by itself.

use super::source::Values;
use super::value;

/// What is done by itself.
#[derive(Clone, Debug)]
pub struct Background {
    /// Whether this instance takes part in the work that one instance does for all.
    pub enabled: bool,
    /// After how many days rows of the audit log are deleted; `None` is never.
    pub audit_days: Option<u32>,
}

impl Background {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let audit_days: u32 = values.get("background.audit_days", value::integer(0, 36_500));
        Self {
            enabled: values.get("background.enabled", value::boolean),
            audit_days: (audit_days > 0).then_some(audit_days),
        }
    }
}
