//! A small API to prove the layers with: things that have a name, a rank and a mood.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use chrono_tz::Tz;
use poem::endpoint::BoxEndpoint;
use poem::test::{TestClient, TestResponse};
use poem::web::Data;
use poem::{Endpoint, EndpointExt, Request, RequestBody, Response};
use poem_openapi::param::{Header, Path, Query};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{ApiExtractor, ApiExtractorType, ApiResponse, Enum, ExtractParamOptions, Object, OpenApi, payload};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::auth::{AuthError, Authenticator, SCHEME_READ, SCHEME_WRITE};
use super::payload::Json;
use super::problem::ApiError;
use super::request_id::RequestId;
use super::{Parts, endpoint, limits::Limits};
use crate::accounts::{Caller, Credential, Scopes};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::ids::{TokenId, UserId};
use crate::oauth::Resource;
use crate::observe::health::{Finding, Health, Need};
use crate::observe::metrics::Metrics;
use crate::observe::telemetry::Telemetry;

pub(super) struct FakeApi;

#[derive(Debug, Enum, Serialize)]
#[oai(rename_all = "lowercase")]
#[serde(rename_all = "lowercase")]
pub(super) enum Mood {
    Good,
    Bad,
}

#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(super) struct MakeThing {
    #[oai(validator(min_length = 1, max_length = 5))]
    name: String,
    #[oai(validator(minimum(value = "1"), maximum(value = "5")))]
    rank: Option<i32>,
    mood: Option<Mood>,
    #[oai(validator(max_items = 2))]
    notes: Option<Vec<Note>>,
    owner: Option<Uuid>,
    weight: Option<f64>,
}

#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(super) struct Note {
    text: String,
}

#[derive(Debug, Object)]
#[oai(deny_unknown_fields)]
pub(super) struct ChangeThing {
    name: Option<String>,
    #[oai(nullable)]
    mood: MaybeUndefined<Mood>,
    #[oai(nullable, validator(minimum(value = "1"), maximum(value = "5")))]
    rank: MaybeUndefined<i32>,
}

/// What is shown of a thing.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Thing")]
pub(super) struct ThingView {
    name: String,
    rank: Option<i32>,
    mood: Option<Mood>,
}

#[derive(Debug, Object, Serialize)]
#[oai(rename = "ThingPage")]
pub(super) struct ThingPageView {
    items: Vec<ThingView>,
    next_cursor: Option<String>,
}

#[derive(ApiResponse)]
pub(super) enum Created {
    #[oai(status = 201)]
    Thing(Json<ThingView>, #[oai(header = "Location")] String),
}

/// The caller of an operation that reads.
pub(super) struct Reads(Caller);
pub(super) struct Writes;

fn bearer(registry: &mut Registry, name: &'static str) {
    let scheme = MetaSecurityScheme {
        ty: "http",
        description: None,
        name: None,
        key_in: None,
        scheme: Some("bearer"),
        bearer_format: None,
        flows: None,
        openid_connect_url: None,
    };
    registry.create_security_scheme(name, scheme);
}

macro_rules! extractor {
    ($name:ident, $scheme:expr, $make:expr) => {
        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                bearer(registry, $scheme);
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![$scheme]
            }

            async fn from_request(
                request: &'a Request,
                _body: &mut RequestBody,
                _options: ExtractParamOptions<()>,
            ) -> poem::Result<Self> {
                let make: fn(&Caller) -> Self = $make;
                Ok(make(request.data::<Caller>().unwrap()))
            }
        }
    };
}

extractor!(Reads, SCHEME_READ, |caller| Self(caller.clone()));
extractor!(Writes, SCHEME_WRITE, |_| Self);

#[expect(clippy::unused_async, reason = "poem-openapi wants every handler to be async")]
#[OpenApi(prefix_path = "/api")]
impl FakeApi {
    /// List things
    #[oai(path = "/things", method = "get", operation_id = "list_things")]
    async fn list_things(
        &self,
        caller: Reads,
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")))] limit: Query<Option<u32>>,
        mood: Query<Vec<Mood>>,
        q: Query<Option<String>>,
    ) -> Json<ThingPageView> {
        let name = format!("{}:{}:{}", caller.0.user_id, limit.0.unwrap_or(50), q.0.unwrap_or_default());
        let items = mood.0.into_iter().map(|mood| ThingView { name: name.clone(), rank: None, mood: Some(mood) });
        Json(ThingPageView { items: items.collect(), next_cursor: None })
    }

    /// Make a thing
    ///
    /// It gets a name
    /// and a rank.
    ///
    /// - 409: The name is taken.
    #[oai(path = "/things", method = "post", operation_id = "create_thing")]
    async fn create_thing(
        &self,
        _caller: Writes,
        #[oai(name = "Idempotency-Key")] _key: Header<Option<String>>,
        body: payload::Json<MakeThing>,
    ) -> Result<Created, ApiError> {
        let MakeThing { name, rank, mood, .. } = body.0;
        Ok(Created::Thing(Json(ThingView { name, rank, mood }), "/api/things/1".to_owned()))
    }

    /// Show a thing
    #[oai(path = "/things/:thing_id", method = "get", operation_id = "get_thing")]
    async fn get_thing(&self, _caller: Reads, thing_id: Path<Uuid>) -> Result<Json<ThingView>, ApiError> {
        match thing_id.0.as_u128() {
            0 => Err(ApiError::not_found("thing")),
            1 => Err(ApiError::internal(&io::Error::other("the cause"))),
            2 => panic!("it panics"),
            _ => Ok(Json(ThingView { name: "x".repeat(3000), rank: None, mood: None })),
        }
    }

    /// Show the best thing
    #[oai(path = "/things/best", method = "get", operation_id = "best_thing")]
    async fn best_thing(&self, _caller: Reads, request_id: Data<&RequestId>) -> Json<ThingView> {
        Json(ThingView { name: request_id.0.0.to_string(), rank: Some(1), mood: None })
    }

    /// Change a thing
    #[oai(path = "/things/:thing_id", method = "patch", operation_id = "update_thing")]
    async fn update_thing(
        &self,
        _caller: Writes,
        thing_id: Path<Uuid>,
        #[oai(name = "If-Match")] _if_match: Header<Option<String>>,
        body: payload::Json<ChangeThing>,
    ) -> Json<ThingView> {
        let ChangeThing { name, mood, rank } = body.0;
        assert!(!thing_id.0.is_nil());
        Json(ThingView { name: name.unwrap_or_default(), rank: rank.take(), mood: mood.take() })
    }

    /// Sign in
    #[oai(path = "/auth/login", method = "post", operation_id = "login")]
    async fn login(&self, body: payload::Json<Option<Note>>) -> Json<String> {
        Json(body.0.map_or_else(|| "nothing".to_owned(), |note| note.text))
    }
}

/// Knows the tokens `reader`, `writer` and `away`.
struct FakeGuard;

#[async_trait]
impl Authenticator for FakeGuard {
    async fn authenticate(&self, token: &str, _: Resource, request_id: &str) -> Result<Caller, AuthError> {
        let scopes = match token {
            "reader" => "read",
            "writer" => "read write",
            "away" => return Err(AuthError::Unavailable(Box::new(io::Error::other("secret")))),
            _ => return Err(AuthError::Invalid("is not valid")),
        };
        Ok(Caller {
            role: crate::accounts::Role::User,
            user_id: UserId(Uuid::nil()),
            scopes: Scopes::parse(scopes).unwrap(),
            credential: Credential::PersonalToken(TokenId(Uuid::nil())),
            client: None,
            zone: Tz::UTC,
            windows: None,
            policy: None,
            policy_params: Arc::default(),
            data_version: 0,
            request_id: request_id.into(),
        })
    }
}

/// The fake server and the clock it goes by.
pub(super) struct Fake {
    pub(super) client: TestClient<Arc<BoxEndpoint<'static>>>,
    pub(super) endpoint: Arc<BoxEndpoint<'static>>,
    pub(super) clock: Clock,
}

impl Fake {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(super) fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        configure(&mut config);
        let clock = Clock::fixed(Timestamp::from_micros(1_700_000_000_000_000));
        let health =
            Health::new(config.server.environment).with("database", Need::Vital, || async { Finding::HEALTHY });
        let parts = Parts {
            config: &config,
            authenticator: Arc::new(FakeGuard),
            limits: Arc::new(Limits::new(&config.limits, &clock)),
            health: Arc::new(health),
            metrics: Arc::new(Metrics::new(clock.now())),
            telemetry: Telemetry::default(),
            clock: clock.clone(),
            oauth: None,
            mcp: None,
        };
        let endpoint = Arc::new(endpoint(FakeApi, parts).unwrap().boxed());
        Self { client: TestClient::new(Arc::clone(&endpoint)), endpoint, clock }
    }

    /// Sends a JSON body as `writer`.
    pub(super) async fn post(&self, body: impl Into<poem::Body>) -> Answer {
        let request = self.client.post("/api/things").header("authorization", "Bearer writer");
        Answer::of(request.content_type("application/json").body(body).send().await).await
    }

    pub(super) async fn patch(&self, path: &str, body: impl Into<poem::Body>) -> Answer {
        let request = self.client.patch(path).header("authorization", "Bearer writer");
        Answer::of(request.content_type("application/merge-patch+json").body(body).send().await).await
    }

    /// Reads a path as `reader`.
    pub(super) async fn get(&self, path: &str) -> Answer {
        let path: poem::http::Uri = path.parse().unwrap();
        let request = Request::builder().uri(path).header("authorization", "Bearer reader").finish();
        self.send(request).await
    }

    pub(super) async fn send(&self, request: Request) -> Answer {
        Answer::read(self.endpoint.get_response(request).await).await
    }
}

/// An answer with its body read.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: poem::http::HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) async fn of(response: TestResponse) -> Self {
        Self::read(response.0).await
    }

    async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.into_bytes().await.unwrap();
        Self { status: parts.status.as_u16(), headers: parts.headers, text: String::from_utf8_lossy(&bytes).into() }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.status, self.text))
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The faults as lines, after checking that this is a complete problem of the kind.
    #[track_caller]
    pub(super) fn problem(&self, status: u16, kind: &str) -> String {
        let body = self.json();
        assert_eq!((self.status, self.header("content-type")), (status, "application/problem+json"), "{}", self.text);
        assert_eq!(body["type"], format!("urn:mindflow:problem:{kind}"), "{}", self.text);
        assert_eq!(body["status"], status);
        assert_eq!(body["request_id"], self.header("x-request-id"));
        let faults = body["errors"].as_array().cloned().unwrap_or_default();
        let line =
            |fault: Value| format!("{}: {}", fault["field"].as_str().unwrap(), fault["message"].as_str().unwrap());
        faults.into_iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
