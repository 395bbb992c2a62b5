//! What accounts ask of policies.

use std::sync::Arc;

use crate::accounts::PolicyDirectory;
use crate::calendar::Windows;
use crate::policies::live::LivePolicies;
use crate::scoring::params::Params;

/// The policies, as accounts see them.
pub(super) struct Directory(pub(super) Arc<LivePolicies>);

impl PolicyDirectory for Directory {
    fn default_name(&self) -> String {
        self.0.current().name().to_owned()
    }

    fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    fn windows(&self, name: Option<&str>) -> Windows {
        name.and_then(|name| self.0.get(name)).map_or_else(|| self.0.windows(), |policy| policy.windows())
    }

    fn params(&self, name: &str) -> Params {
        self.0.open_params(name)
    }
}
