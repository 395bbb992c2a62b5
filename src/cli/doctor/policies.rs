//! The policies: whether each file would be taken over, and whether its worked examples come out.

use super::finding::{Findings, Level};
use crate::clock::Clock;
use crate::config::{Config, PolicyTests};
use crate::policies::live::{CaseRule, LivePolicies};

/// Reads the folder as a server does, and changes nothing. Blocking.
pub(super) fn check(config: &Config, clock: &Clock, findings: &mut Findings) {
    let check = "policies";
    let folder = &config.policies.dir;
    if !folder.is_dir() {
        let message = format!("the folder {} does not exist", folder.display());
        findings.warning(check, message, "set POLICIES_DIR, or let the first start make it with the shipped policy");
        return;
    }
    let policies = match LivePolicies::open(folder, CaseRule::Warn, clock.clone()) {
        Ok(policies) => policies.with_settings(config.policies.params.clone()),
        Err(error) => return findings.problem(check, super::database::told(&error), "reinstall the program"),
    };
    let all = policies.status();
    let mut in_order = 0;
    for policy in &all {
        if let Some(refused) = &policy.refused {
            let line = refused.line.map(|line| format!(":{line}")).unwrap_or_default();
            findings.problem(
                check,
                format!("{}{line}: {}", refused.file.display(), refused.reason),
                format!("`mindflow policy check {}` tells all faults", policy.name),
            );
        } else if let Some(failure) = policy.failing_cases.first() {
            let level = if config.policies.tests == PolicyTests::Require { Level::Problem } else { Level::Warning };
            let count = policy.failing_cases.len();
            findings.fault(
                level,
                check,
                format!("{}: {count} example(s) do not come out, the first: {failure}", policy.name),
                format!("`mindflow policy test {}`; change the policy or its examples", policy.name),
            );
        } else {
            in_order += 1;
        }
    }
    for (name, reason) in policies.setting_faults() {
        findings.warning(
            check,
            reason,
            format!("change POLICY_PARAMS; `mindflow policy schema {name}` tells what it takes"),
        );
    }
    if in_order == all.len() {
        let said = if all.is_empty() { "the shipped one alone".to_owned() } else { format!("{in_order} in order") };
        findings.ok(check, said);
    }
}
