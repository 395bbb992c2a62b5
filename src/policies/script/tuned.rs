//! A script with the values of its parameters, and how it is computed with them.

use std::sync::Arc;

use chrono_tz::Tz;

use super::ScriptPolicy;
use crate::clock::Timestamp;
use crate::policies::agreement::agreed_briefly;
use crate::policies::memo::Memo;
use crate::policies::status::Execution;
use crate::scoring::native::Means;
use crate::scoring::params::{ParamValues, Params};
use crate::scoring::{Moment, Policy};

impl ScriptPolicy {
    /// What may be set from outside.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// What it is set to.
    pub fn values(&self) -> &ParamValues {
        &self.values
    }

    /// Whether the two are one script that was read once, with whatever values.
    pub(in crate::policies) fn is_variant_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.recipe, &other.recipe)
    }

    /// The text that it was made from.
    pub fn source(&self) -> &str {
        &self.recipe.source
    }

    /// The same script with other values of its parameters, which have passed
    /// [`Param::accept`](crate::scoring::params::Param::accept). Its compiled form is made anew, of these values. What it does
    /// counts as done by the policy.
    #[must_use]
    pub fn with_values(&self, values: ParamValues) -> Self {
        let program = match &self.program {
            Err(obstacle) if self.is_distrusted => Err(obstacle.clone()),
            _ => self.recipe.program(&self.ast, &values),
        };
        let variant = Self {
            name: self.name.clone(),
            version: self.version.clone(),
            file: self.file.clone(),
            engine: Arc::clone(&self.engine),
            ast: self.ast.clone(),
            uses: self.uses,
            windows: self.windows,
            range: self.range,
            params: self.params.clone(),
            values,
            has_eligible: self.has_eligible,
            places: self.places,
            memo: Memo::default(),
            program,
            recipe: Arc::clone(&self.recipe),
            is_distrusted: self.is_distrusted,
            faults: Arc::clone(&self.faults),
            evaluations: Arc::clone(&self.evaluations),
            failed: Arc::clone(&self.failed),
        };
        agreed_briefly(variant)
    }

    /// How scores are computed at a moment, for people who have set no windows.
    pub fn execution(&self, now: Timestamp) -> Execution {
        let Ok(program) = &self.program else { return Execution::Interpreted };
        match program.means(&self.context(&Moment::new(now, Tz::UTC))) {
            Means::Classes => Execution::ClassTable,
            Means::Columns => Execution::Columns,
        }
    }
}
