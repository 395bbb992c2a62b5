//! Answers to changes: the body, its entity tag, its undo token; kept and given again when a request is repeated.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use poem::http::StatusCode;
use poem::http::header::{CONTENT_TYPE, ETAG, LOCATION};
use poem::{IntoResponse, Request, RequestBody, Response};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaParamIn, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, ExtractParamOptions};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::accounts::Caller;
use crate::fault::Purpose;
use crate::tasks::change::Condition;
use crate::tasks::receipts::{Answer, RetryKey};
use crate::tasks::{Ask, Changed, Retry, TaskError};

use super::conditional::{IfMatch, Preconditions, etag, versions};
use super::payload::JSON;
use super::problem::{ApiError, PROBLEM_JSON};

/// The header that takes a change back.
pub const UNDO_TOKEN: &str = "undo-token";
/// The header that marks an answer as given before.
pub const REPLAYED: &str = "idempotent-replayed";
/// The request header that makes a repetition safe.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What identifies a repeated request beside its key; the contract layer, which holds the body, puts it there.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint(pub [u8; 32]);

/// Something that a change leaves behind and that can be shown.
pub trait Shown: Clone + Send + Sync + 'static {
    /// How clients see it.
    type View: Type + Serialize;

    /// Shows it.
    fn view(&self) -> Self::View;

    /// Its version, for the entity tag.
    fn version(&self) -> Option<i64> {
        None
    }

    /// Where a new one is found.
    fn location(&self) -> Option<String> {
        None
    }
}

/// The answer to a change, with status `STATUS`; 204 has no body.
#[derive(Debug)]
pub struct Reply<T, const STATUS: u16> {
    answer: Answer,
    shown: PhantomData<fn() -> T>,
}

/// Something new.
pub type Created<T> = Reply<T, 201>;
/// Something changed.
pub type Done<T> = Reply<T, 200>;
/// Something gone.
pub type Gone = Reply<(), 204>;

impl<T: Shown, const STATUS: u16> Reply<T, STATUS> {
    /// Shows something as it is, without a change.
    pub fn shown(value: T) -> Self {
        Self { answer: Self::answer_of(&Changed { value, undo_token: None }), shown: PhantomData }
    }

    /// Writes the outcome of a change as it is sent, and as it is kept for a repetition.
    fn answer_of(changed: &Changed<T>) -> Answer {
        let mut headers = Vec::new();
        if let Some(version) = changed.value.version() {
            headers.push((ETAG.to_string(), etag(version)));
        }
        if let Some(location) = changed.value.location().filter(|_| STATUS == 201) {
            headers.push((LOCATION.to_string(), location));
        }
        if let Some(token) = &changed.undo_token {
            headers.push((UNDO_TOKEN.to_owned(), token.clone()));
        }
        let mut body = String::new();
        if STATUS != 204 {
            headers.push((CONTENT_TYPE.to_string(), JSON.to_owned()));
            body = serde_json::to_string(&changed.value.view()).unwrap_or_default();
        }
        Answer { status: STATUS, headers, body }
    }
}

impl<T, const STATUS: u16> IntoResponse for Reply<T, STATUS> {
    fn into_response(self) -> Response {
        let mut builder = Response::builder().status(StatusCode::from_u16(self.answer.status).unwrap_or_default());
        for (name, value) in self.answer.headers {
            builder = builder.header(name, value);
        }
        builder.body(self.answer.body)
    }
}

impl<T: Shown, const STATUS: u16> ApiResponse for Reply<T, STATUS> {
    fn meta() -> MetaResponses {
        let content = match STATUS {
            204 => Vec::new(),
            _ => vec![MetaMediaType { content_type: JSON, schema: T::View::schema_ref() }],
        };
        // The document layer knows what each of these headers says.
        let names = [Some(UNDO_TOKEN), Some(REPLAYED), (STATUS == 201).then_some("etag")];
        let headers = names.into_iter().flatten().map(|name| MetaHeader {
            name: name.to_owned(),
            description: None,
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        });
        let (status, headers) = (Some(STATUS), headers.collect());
        let response = MetaResponse { description: "", status, status_range: None, content, headers };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        if STATUS != 204 {
            T::View::register(registry);
        }
    }
}

/// Nothing is left to show.
impl Shown for () {
    type View = String;

    fn view(&self) -> String {
        String::new()
    }
}

/// Asks for a change and answers with what came of it.
///
/// # Errors
///
/// What kept the change from happening, as a problem document; it is kept for a repetition too, when it is an answer.
pub async fn change<T, F, Fut, const STATUS: u16>(
    caller: &Caller,
    on: Conditions,
    ask: F,
) -> Result<Reply<T, STATUS>, ApiError>
where
    T: Shown,
    F: FnOnce(Ask<T>) -> Fut,
    Fut: Future<Output = Result<Changed<T>, TaskError>>,
{
    let request_id = Arc::clone(&caller.request_id);
    let retry = on.retry.0.map(|key| Retry {
        key,
        render: Arc::new(move |outcome: Result<&Changed<T>, &TaskError>| match outcome {
            Ok(changed) => Reply::<T, STATUS>::answer_of(changed),
            Err(error) => problem_answer(&ApiError::from(error), &request_id),
        }),
    });
    let outcome = ask(Ask { retry, conditions: on.versions, purpose: on.purpose, ..Ask::new(caller.clone()) }).await;
    let answer = match outcome {
        Ok(changed) => Reply::<T, STATUS>::answer_of(&changed),
        Err(TaskError::Replayed(answer)) => {
            let mut answer = *answer;
            answer.headers.push((REPLAYED.to_owned(), "true".to_owned()));
            answer
        }
        Err(error) => return Err(ApiError::from(&error)),
    };
    Ok(Reply { answer, shown: PhantomData })
}

fn problem_answer(error: &ApiError, request_id: &str) -> Answer {
    Answer {
        status: error.status().as_u16(),
        headers: vec![(CONTENT_TYPE.to_string(), PROBLEM_JSON.to_owned())],
        body: error.document(Some(request_id)),
    }
}

/// On what a change depends: the version of the thing, and whether the request is a repetition.
#[derive(Debug, Default)]
pub struct Conditions {
    retry: IdempotencyKey,
    versions: Vec<Condition>,
    purpose: Purpose,
}

impl Conditions {
    /// Safe to repeat.
    pub fn repeatable(retry: IdempotencyKey) -> Self {
        Self { retry, ..Self::default() }
    }

    /// Only to see whether it could be, when the body is only rehearsed.
    #[must_use]
    pub fn on(self, purpose: Purpose) -> Self {
        Self { purpose, ..self }
    }

    /// Only at the versions that the client's headers allow.
    #[must_use]
    pub fn matching(self, headers: &Preconditions) -> Self {
        Self { versions: headers.conditions(), ..self }
    }
}

/// The versions that an `if_match` names; `None` when any will do.
pub fn known_versions(if_match: Option<&str>) -> Result<Option<Vec<i64>>, ApiError> {
    Ok(match IfMatch::of(if_match)? {
        None | Some(IfMatch::Any) => None,
        Some(IfMatch::OneOf(tags)) => Some(versions(&tags)),
    })
}

/// `Idempotency-Key`: 1 to 255 visible characters that name this request among the caller's.
#[derive(Debug, Default)]
pub struct IdempotencyKey(Option<RetryKey>);

impl IdempotencyKey {
    /// The key itself, if the client sent one.
    pub fn into_key(self) -> Option<RetryKey> {
        self.0
    }

    /// The key of a request whose body only its operation has seen: `body` tells it from others.
    #[must_use]
    pub fn with(self, body: &[u8]) -> Self {
        Self(self.0.map(|retry| {
            let fingerprint = Sha256::new().chain_update(retry.fingerprint).chain_update(body).finalize().into();
            RetryKey { fingerprint, ..retry }
        }))
    }
}

impl<'a> ApiExtractor<'a> for IdempotencyKey {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    const PARAM_IS_REQUIRED: bool = false;
    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(MetaSchemaRef::Inline(Box::new(MetaSchema {
            min_length: Some(1),
            max_length: Some(255),
            pattern: Some("^[\\x21-\\x7e]+$".to_owned()),
            ..MetaSchema::new("string")
        })))
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        let key = request.header(IDEMPOTENCY_KEY).map(str::to_owned);
        let fingerprint = request.extensions().get::<Fingerprint>();
        Ok(Self(
            key.zip(fingerprint).map(|(key, Fingerprint(fingerprint))| RetryKey { key, fingerprint: *fingerprint }),
        ))
    }
}
