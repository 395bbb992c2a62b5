//! A script that is only tried: what it does is neither counted nor logged as the work of a policy in force.

use std::sync::Arc;

use super::script::ScriptPolicy;
use crate::calendar::Windows;
use crate::scoring::params::ParamValues;
use crate::scoring::{Context, Explanation, FactTable, Policy, ScoreRange, Uses, Verdict};

/// A policy on trial.
pub struct Quiet(pub Arc<ScriptPolicy>);

impl Policy for Quiet {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn version(&self) -> &str {
        self.0.version()
    }

    fn windows(&self) -> Windows {
        self.0.windows()
    }

    fn range(&self) -> Option<ScoreRange> {
        self.0.range()
    }

    fn uses(&self) -> Uses {
        self.0.uses()
    }

    fn variant(&self) -> u64 {
        self.0.variant()
    }

    fn set_values(&self) -> ParamValues {
        self.0.set_values()
    }

    fn tuned(&self, values: &ParamValues) -> Result<Arc<dyn Policy>, String> {
        self.0.tuned(values)
    }

    fn score(&self, facts: &FactTable, ctx: &Context) -> Vec<Verdict> {
        self.0.verdicts(facts, ctx)
    }

    fn explain(&self, facts: &FactTable, row: usize, ctx: &Context) -> Explanation {
        self.0.explain(facts, row, ctx)
    }
}
