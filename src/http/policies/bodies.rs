//! What operators send about policies.

use std::path::PathBuf;

use poem_openapi::Object;
use poem_openapi::types::Example;

use super::errors::one_of;
use crate::http::fields::{PolicyMessage, PolicyName, PolicySource, PolicyVersionName, TestText};
use crate::http::problem::ApiError;
use crate::policies::versions::testing::{CaseFile, Which};

/// A script to check.
#[derive(Debug, Object)]
#[oai(rename = "PolicyScript", deny_unknown_fields, example, skip_serializing_if_is_none)]
pub(super) struct ScriptInput {
    /// The name of the policy; `default` when it is left out.
    pub(super) name: Option<PolicyName>,
    /// The script.
    pub(super) source: PolicySource,
}

/// A script that is to become a version.
#[derive(Debug, Object)]
#[oai(rename = "PolicyProposal", deny_unknown_fields, example, skip_serializing_if_is_none)]
pub(super) struct ProposalInput {
    /// The script.
    pub(super) source: PolicySource,
    /// What the version is for.
    pub(super) message: Option<PolicyMessage>,
}

/// A policy as short as it may be.
const SHORT: &str = "fn score(task, ctx) {\n    task.priority * 10.0\n}\n\n\
                     fn explain(task, ctx) {\n    let points = task.priority * 10.0;\n    #{\n        total: points,\n        \
                     parts: [#{ name: \"priority\", value: task.priority, weight: 10.0, points: points }],\n        \
                     recommendation: `Priority ${task.priority}`,\n    }\n}\n";

impl Example for ScriptInput {
    fn example() -> Self {
        Self { name: None, source: PolicySource(SHORT.to_owned()) }
    }
}

impl Example for ProposalInput {
    fn example() -> Self {
        let message = Some(PolicyMessage("Nothing but the priority".to_owned()));
        Self { source: PolicySource(SHORT.to_owned()), message }
    }
}

/// The version that is to come into force.
#[derive(Debug, Object)]
#[oai(rename = "PolicyChoice", deny_unknown_fields)]
pub(super) struct ActivationInput {
    /// The version.
    pub(super) version: PolicyVersionName,
}

/// A file of worked examples.
#[derive(Debug, Object)]
#[oai(rename = "PolicyTestFile", deny_unknown_fields)]
pub(super) struct CaseFileInput {
    /// What failures call it; `request` when it is left out.
    #[oai(validator(min_length = 1, max_length = 100))]
    pub(super) name: Option<String>,
    /// Its text: YAML as in the files beside a policy.
    pub(super) content: TestText,
}

/// What is to be tested.
#[derive(Debug, Object)]
#[oai(rename = "PolicyTest", deny_unknown_fields)]
pub(super) struct TestInput {
    /// This version; without it, and without `source`, the one in force.
    pub(super) version: Option<PolicyVersionName>,
    /// This script, which is kept nowhere.
    pub(super) source: Option<PolicySource>,
    /// More examples than those beside the policy.
    #[oai(validator(max_items = 20))]
    pub(super) tests: Option<Vec<CaseFileInput>>,
}

impl TestInput {
    pub(super) fn open(self) -> Result<(Which, Vec<CaseFile>), ApiError> {
        let files = self.tests.unwrap_or_default().into_iter().map(|file| {
            let name = file.name.unwrap_or_else(|| "request".to_owned());
            (PathBuf::from(name), file.content.0)
        });
        Ok((which(self.version, self.source)?, files.collect()))
    }
}

/// The text that a version or a script names.
pub(super) fn which(version: Option<PolicyVersionName>, source: Option<PolicySource>) -> Result<Which, ApiError> {
    match (version, source) {
        (Some(_), Some(_)) => Err(ApiError::invalid(one_of("/source", "/version"))),
        (Some(version), None) => Ok(Which::Version(version.0)),
        (None, Some(source)) => Ok(Which::Source(source.0)),
        (None, None) => Ok(Which::Live),
    }
}
