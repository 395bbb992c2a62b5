//! Answers about policies that carry headers, or are given again.

use poem::http::StatusCode;
use poem::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;

use super::param_views::{ProposedView, WarningView};
use super::views::{PolicyView, VersionView};
use crate::http::changes::REPLAYED;
use crate::http::payload::{JSON, Json};
use crate::policies::lints::Warning;
use crate::policies::live::PolicyStatus;
use crate::store::policy_versions::VersionRecord;
use crate::tasks::receipts::Answer;

/// A policy with its entity tag.
#[derive(ApiResponse)]
pub(super) enum PolicyAnswer {
    /// The policy as it is now.
    #[oai(status = 200)]
    Shown(Json<PolicyView>, #[oai(header = "ETag")] Option<String>),
}

impl From<PolicyStatus> for PolicyAnswer {
    fn from(status: PolicyStatus) -> Self {
        let tag = status.live_version.as_ref().map(|version| format!("\"{version}\""));
        Self::Shown(Json(PolicyView::from(status)), tag)
    }
}

/// The answer to a proposal: 201 for a new version, 200 for one that was there.
#[derive(Debug)]
pub(super) struct ProposedAnswer(pub(super) Answer);

impl ProposedAnswer {
    /// Writes the answer as it is sent, and as it is kept for a repetition.
    pub(super) fn of(version: &VersionRecord, status: StatusCode, live: Option<&str>, warnings: &[Warning]) -> Answer {
        let place = format!("/api/policies/{}/versions/{}", version.policy, version.version);
        let tag = format!("\"{}\"", version.version);
        let headers =
            vec![(CONTENT_TYPE.to_string(), JSON.to_owned()), (LOCATION.to_string(), place), (ETAG.to_string(), tag)];
        let warnings = warnings.iter().cloned().map(WarningView::from).collect();
        let view = ProposedView { version: VersionView::of(version.clone(), live), warnings };
        let body = serde_json::to_string(&view).unwrap_or_default();
        Answer { status: status.as_u16(), headers, body }
    }

    /// An answer that was given before.
    pub(super) fn again(mut answer: Answer) -> Self {
        answer.headers.push((REPLAYED.to_owned(), "true".to_owned()));
        Self(answer)
    }
}

impl IntoResponse for ProposedAnswer {
    fn into_response(self) -> Response {
        let mut builder = Response::builder().status(StatusCode::from_u16(self.0.status).unwrap_or_default());
        for (name, value) in self.0.headers {
            builder = builder.header(name, value);
        }
        builder.body(self.0.body)
    }
}

impl ApiResponse for ProposedAnswer {
    fn meta() -> MetaResponses {
        let header = |name: &str| MetaHeader {
            name: name.to_owned(),
            description: None,
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let response = |status, description| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content: vec![MetaMediaType { content_type: JSON, schema: ProposedView::schema_ref() }],
            headers: vec![header(REPLAYED), header("etag")],
        };
        MetaResponses {
            responses: vec![response(200, "The same text is a version already."), response(201, "Created.")],
        }
    }

    fn register(registry: &mut Registry) {
        ProposedView::register(registry);
    }
}
