//! Values of parameters of policies as clients see them.

use std::collections::BTreeMap;

use poem_openapi::types::Any;
use serde_json::Value;

use crate::scoring::params::{ParamValue, ParamValues};

/// A number, `true` or `false`, or a word.
pub(super) fn shown_value(value: &ParamValue) -> Any<Value> {
    Any(serde_json::to_value(value).unwrap_or_default())
}

/// Values by the parameters' names.
pub(super) fn shown_values(values: ParamValues) -> BTreeMap<String, Any<Value>> {
    values.into_iter().map(|(name, value)| (name, shown_value(&value))).collect()
}
