//! What somebody sets of the parameters of their policy.

use std::collections::BTreeMap;

use super::Accounts;
use super::error::Faults;
use super::profile::Change;
use super::user::read_params;
use crate::scoring::params::ParamValue;
use crate::store::accounts::UserRecord;
use crate::store::{StoreError, StoreResult};

impl Accounts {
    /// Holds values against what the policy declares; `None` gives one back.
    pub(super) fn check_params(
        &self,
        faults: &mut Faults,
        policy: &str,
        params: BTreeMap<String, serde_json::Value>,
    ) -> BTreeMap<String, Option<ParamValue>> {
        let known = self.policies.params(policy);
        let mut accepted = BTreeMap::new();
        for (name, value) in params {
            let field = format!("/preferences/policy_params/{}", name.replace('~', "~0").replace('/', "~1"));
            let Some(param) = known.get(&name) else {
                let names: Vec<&str> = known.iter().map(|param| param.name.as_str()).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let rule = format!("is no parameter of the policy `{policy}` that may be set; there are: {names}");
                faults.take(&field, Err::<(), _>(rule));
                continue;
            };
            let value = match value {
                serde_json::Value::Null => Some(None),
                value => {
                    let read = serde_json::from_value(value).map_err(|_| param.rule());
                    faults.take(&field, read.and_then(|value| param.accept(&value))).map(Some)
                }
            };
            accepted.extend(value.map(|value| (name, value)));
        }
        accepted
    }
}

/// What is stored of the parameters after the changes; `None` when nothing is set.
pub(super) fn set_params(
    row: &UserRecord,
    policy: &str,
    changes: Change<BTreeMap<String, Option<ParamValue>>>,
) -> StoreResult<Option<String>> {
    let mut params = read_params(row.policy_params.as_deref())?;
    match changes {
        Change::Keep => return Ok(row.policy_params.clone()),
        Change::Clear => {
            params.remove(policy);
        }
        Change::Set(changes) => {
            let own = params.entry(policy.to_owned()).or_default();
            for (name, value) in changes {
                match value {
                    Some(value) => own.insert(name, value),
                    None => own.remove(&name),
                };
            }
        }
    }
    params.retain(|_, own| !own.is_empty());
    if params.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&params).map(Some).map_err(|_| StoreError::corrupt("policy params", row.id))
}
