//! Policies whose parameters somebody set: the same script with other values.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::scoring::Policy;
use crate::scoring::params::{Param, ParamSetting, ParamValues, Params, values_key};

use super::script::ScriptPolicy;
use super::status::ParamStatus;

/// How many variants are kept; when there are more, all are forgotten, and made again when they are asked for.
const MOST_KEPT: usize = 256;

type Key = (String, String, u64);

/// What operators set, and the variants that were asked for.
#[derive(Default)]
pub(super) struct Variants {
    settings: Vec<ParamSetting>,
    kept: Mutex<HashMap<Key, Arc<ScriptPolicy>>>,
}

impl Variants {
    /// With what an operator set.
    pub(super) fn new(settings: Vec<ParamSetting>) -> Self {
        Self { settings, kept: Mutex::default() }
    }

    /// What an operator set of this policy: each with its parameter, or with what is wrong.
    fn settings<'a>(&'a self, policy: &'a ScriptPolicy) -> impl Iterator<Item = (&'a ParamSetting, Option<&'a Param>)> {
        let own = self.settings.iter().filter(|setting| setting.policy == policy.name());
        own.map(|setting| (setting, policy.params().get(&setting.name)))
    }

    /// The policies of which an operator set something.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.settings.iter().map(|setting| setting.policy.as_str())
    }

    /// What may be set of a policy, each with its value for people who set none.
    pub(super) fn statuses(&self, policy: &ScriptPolicy) -> Vec<ParamStatus> {
        let base = self.base(policy);
        let status = |param: &Param| ParamStatus {
            value: base.get(&param.name).unwrap_or(&param.default).clone(),
            param: param.clone(),
        };
        policy.params().iter().map(status).collect()
    }

    /// What is wrong with what an operator set of this policy.
    pub(super) fn faults(&self, policy: &ScriptPolicy) -> Vec<String> {
        let fault = |(setting, param): (&ParamSetting, Option<&Param>)| {
            let ParamSetting { policy, name, value } = setting;
            match param {
                None => Some(format!("the policy `{policy}` has no parameter `{name}`")),
                Some(param) if param.parse(value).is_none() => {
                    Some(format!("`{policy}.{name}` is `{value}`; it {}", param.rule()))
                }
                Some(_) => None,
            }
        };
        self.settings(policy).filter_map(fault).collect()
    }

    /// The values of a policy's parameters for people who set none.
    pub(super) fn base(&self, policy: &ScriptPolicy) -> ParamValues {
        let mut values = policy.params().defaults();
        let set = self
            .settings(policy)
            .filter_map(|(setting, param)| param?.parse(&setting.value).map(|value| (setting, value)));
        values.extend(set.map(|(setting, value)| (setting.name.clone(), value)));
        values
    }

    /// The parameters that people may set, each with its value when they do not.
    pub(super) fn open_params(&self, policy: &ScriptPolicy) -> Params {
        let base = self.base(policy);
        let open = policy.params().iter().filter(|param| param.user);
        let with_base =
            |param: &Param| Param { default: base.get(&param.name).unwrap_or(&param.default).clone(), ..param.clone() };
        Params::new(open.map(with_base).collect())
    }

    /// The policy with the values that are in force for somebody.
    pub(super) fn of(&self, policy: &Arc<ScriptPolicy>, own: Option<&ParamValues>) -> Arc<ScriptPolicy> {
        if policy.params().is_empty() {
            return Arc::clone(policy);
        }
        let base = self.base(policy);
        let values = own.map_or_else(|| base.clone(), |own| policy.params().with_own(&base, own));
        if values == *policy.values() {
            return Arc::clone(policy);
        }
        let key = (policy.name().to_owned(), policy.version().to_owned(), values_key(&values));
        // A panic elsewhere leaves whole entries behind.
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(variant) =
            kept().get(&key).filter(|variant| variant.is_variant_of(policy) && *variant.values() == values)
        {
            return Arc::clone(variant);
        }
        let variant = Arc::new(policy.with_values(values));
        let mut kept = kept();
        if kept.len() >= MOST_KEPT {
            kept.clear();
        }
        kept.insert(key, Arc::clone(&variant));
        variant
    }
}
