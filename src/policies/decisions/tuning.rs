//! A script with other values of its parameters, which is only tried.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use crate::policies::quiet::Quiet;
use crate::policies::script::ScriptPolicy;
use crate::scoring::Policy as _;
use crate::scoring::params::ParamValues;

/// How many variants are kept.
const MOST_KEPT: usize = 64;

/// The script with these values where they fit, and what it declares for the others.
pub(super) fn tuned(script: &ScriptPolicy, values: &ParamValues) -> Quiet {
    let mut all = script.params().defaults();
    for (name, value) in values {
        // Another version may have other parameters.
        if let Some(Ok(value)) = script.params().get(name).map(|param| param.accept(value)) {
            all.insert(name.clone(), value);
        }
    }
    Quiet(Arc::new(script.with_values(all)))
}

/// Variants that were made already, by version and values.
#[derive(Default)]
pub(super) struct Variants(RefCell<HashMap<(String, String), Arc<Quiet>>>);

impl Variants {
    /// The script with values as a row keeps them.
    pub(super) fn of(&self, script: &ScriptPolicy, params: Option<&str>) -> Arc<Quiet> {
        let key = (script.version().to_owned(), params.unwrap_or_default().to_owned());
        if let Some(kept) = self.0.borrow().get(&key) {
            return Arc::clone(kept);
        }
        let values = params.and_then(|params| serde_json::from_str(params).ok()).unwrap_or_default();
        let made = Arc::new(tuned(script, &values));
        let mut kept = self.0.borrow_mut();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&made));
        made
    }
}
