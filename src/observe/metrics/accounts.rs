//! Sign-ins and new accounts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// How people came in; shared by cloning.
#[derive(Clone, Debug, Default)]
pub struct AccountMetrics {
    sign_ins: Family<[(&'static str, &'static str); 2], Counter>,
    registrations: Family<[(&'static str, &'static str); 1], Counter>,
}

impl AccountMetrics {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("sign_ins", "Attempts to sign in, by step and outcome", self.sign_ins.clone());
        registry.register("registrations", "Attempts to register, by outcome", self.registrations.clone());
    }

    /// Counts an attempt to sign in; both are one word of few.
    pub fn signed_in(&self, step: &'static str, outcome: &'static str) {
        self.sign_ins.get_or_create(&[("step", step), ("outcome", outcome)]).inc();
    }

    /// Counts an attempt to register; `outcome` is one word of few.
    pub fn registered(&self, outcome: &'static str) {
        self.registrations.get_or_create(&[("outcome", outcome)]).inc();
    }
}
