//! Tokens: what programs got for what they brought, and tokens that were worth nothing.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// The authorization server and the doors of what it protects; shared by cloning.
#[derive(Clone, Debug, Default)]
pub struct OAuthMetrics {
    grants: Family<[(&'static str, &'static str); 2], Counter>,
    refusals: Family<[(&'static str, &'static str); 2], Counter>,
}

impl OAuthMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Requests to the token endpoint, by grant type and outcome: granted, or the error's code";
        registry.register("oauth_grants", help, self.grants.clone());
        let help = "Requests without a bearer token that is good, by resource and reason";
        registry.register("token_refusals", help, self.refusals.clone());
    }

    /// Counts a request to the token endpoint; `outcome` is `granted` or an error code.
    pub fn granted(&self, grant_type: &'static str, outcome: &'static str) {
        self.grants.get_or_create(&[("grant_type", grant_type), ("outcome", outcome)]).inc();
    }

    /// Counts a bearer token that was refused, or missing.
    pub fn refused(&self, resource: &'static str, reason: &'static str) {
        self.refusals.get_or_create(&[("resource", resource), ("reason", reason)]).inc();
    }
}
