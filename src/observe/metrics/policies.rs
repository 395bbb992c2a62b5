//! Policies: which version is in force, how often it ran, what was refused.
//!
//! Only versions in force have series, so an operator who edits all day does not make more and more of them.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// One policy at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyReading {
    /// Its name: a folder of the operator's.
    pub name: String,
    /// The version in force, if there is one.
    pub version: Option<String>,
    /// Since when, in seconds since 1970.
    pub live_since: Option<i64>,
    /// Whether the file as it is now was refused.
    pub refused: bool,
    /// Examples that do not come out.
    pub failing_examples: usize,
    /// Batches of tasks that the version in force scored.
    pub evaluations: u64,
    /// How often a saved file went live, and how often it was refused, since the start.
    pub reloads: [u64; 2],
    /// How often a version was taken back by itself, since the start.
    pub rollbacks: u64,
}

/// All policies at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoliciesReading {
    /// Each of them.
    pub policies: Vec<PolicyReading>,
    /// Scores that failed since the start.
    pub score_faults: u64,
}

/// Asks for the state of the policies with every scrape.
pub(super) struct Policies(pub(super) Arc<dyn Fn() -> PoliciesReading + Send + Sync>);

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Policies")
    }
}

impl Collector for Policies {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let PoliciesReading { policies, score_faults } = (self.0)();
        let help = "Scores that a policy could not compute";
        let faults = encoder.encode_descriptor("policy_score_faults", help, None, MetricType::Counter)?;
        ConstCounter::new(score_faults).encode(faults)?;

        let live = || policies.iter().filter_map(|policy| Some((policy, policy.version.as_deref()?)));
        let help = "The version of each policy in force";
        let mut family = encoder.encode_descriptor("policy_live", help, None, MetricType::Gauge)?;
        for (policy, version) in live() {
            let labels = [("policy", &*policy.name), ("version", version)];
            ConstGauge::new(1_i64).encode(family.encode_family(&labels)?)?;
        }
        let help = "Since when the version in force is";
        let mut family =
            encoder.encode_descriptor("policy_live_since_timestamp_seconds", help, None, MetricType::Gauge)?;
        for (policy, since) in policies.iter().filter_map(|policy| Some((policy, policy.live_since?))) {
            ConstGauge::new(since).encode(family.encode_family(&[("policy", &*policy.name)])?)?;
        }
        let help = "Batches of tasks scored by the version in force";
        let mut family = encoder.encode_descriptor("policy_evaluations", help, None, MetricType::Counter)?;
        for (policy, version) in live() {
            let labels = [("policy", &*policy.name), ("version", version)];
            ConstCounter::new(policy.evaluations).encode(family.encode_family(&labels)?)?;
        }
        encode_files(&policies, &mut encoder)
    }
}

fn encode_files(policies: &[PolicyReading], encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let help = "Policy files that were saved, by policy and outcome";
    let mut family = encoder.encode_descriptor("policy_reloads", help, None, MetricType::Counter)?;
    for policy in policies {
        for (outcome, count) in ["live", "refused"].into_iter().zip(policy.reloads) {
            let labels = [("policy", &*policy.name), ("outcome", outcome)];
            ConstCounter::new(count).encode(family.encode_family(&labels)?)?;
        }
    }
    let help = "Versions of the policy that failed too often and were taken back by themselves";
    let mut family = encoder.encode_descriptor("policy_rollbacks", help, None, MetricType::Counter)?;
    for policy in policies {
        ConstCounter::new(policy.rollbacks).encode(family.encode_family(&[("policy", &*policy.name)])?)?;
    }
    let help = "1 while the policy's file as it is now is refused, so that another version is in force";
    let mut family = encoder.encode_descriptor("policy_refused", help, None, MetricType::Gauge)?;
    for policy in policies {
        ConstGauge::new(i64::from(policy.refused)).encode(family.encode_family(&[("policy", &*policy.name)])?)?;
    }
    let help = "Worked examples beside the policy that do not come out";
    let mut family = encoder.encode_descriptor("policy_failing_examples", help, None, MetricType::Gauge)?;
    for policy in policies {
        let failing = i64::try_from(policy.failing_examples).unwrap_or(i64::MAX);
        ConstGauge::new(failing).encode(family.encode_family(&[("policy", &*policy.name)])?)?;
    }
    Ok(())
}
