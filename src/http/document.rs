//! The OpenAPI document: what poem-openapi generates, completed by rule.
//!
//! What every operation shares (errors, headers, the one security scheme, strict input) is written here once instead
//! of at each handler. An operation adds errors of its own by list items in its doc comment:
//!
//! ```text
//! /// Register
//! ///
//! /// Makes an account.
//! ///
//! /// - 409: The e-mail address is taken.
//! ```

mod answers;
mod operation;
mod schemas;
mod texts;

pub(crate) use self::schemas::null;

use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::{Map, Value, json};

use crate::accounts::Scope;
use crate::http::auth::SCHEME;
use crate::http::health::HealthApi;
use crate::http::metrics::MetricsApi;

/// What the product is called wherever it introduces itself.
pub const TITLE: &str = "MindFlow";

const ABOUT: &str = "A self-hosted task server that answers one question: *what should I do now, and why?*\n\n\
    Errors are problem documents (RFC 9457) that name every fault of a request. Moments are RFC 3339 in UTC, ids are \
    UUIDs, lists are paged with `limit` and `cursor`, `PATCH` takes a JSON merge patch (RFC 7396).";

/// The operations of an HTTP document, in which order they are written.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The OpenAPI document of an API, and what the contract layer needs beyond it.
#[derive(Clone, Debug)]
pub struct ApiDocument {
    /// The document as it is published.
    pub value: Value,
    /// The scope that each authenticated operation needs, by operation id.
    pub scopes: BTreeMap<String, Scope>,
}

/// The published OpenAPI document of `T` and the health checks.
pub fn document<T: OpenApi>() -> Value {
    ApiDocument::of::<T>().value
}

/// The same document as YAML.
pub fn to_yaml(document: &Value) -> String {
    texts::to_yaml(document)
}

impl ApiDocument {
    /// Describes `T` and the health checks; needs no running application.
    pub fn of<T: OpenApi>() -> Self {
        let service =
            OpenApiService::new(Described::<(HealthApi, MetricsApi, T)>(PhantomData), TITLE, env!("CARGO_PKG_VERSION"));
        let raw = serde_json::from_str(&service.spec()).unwrap_or_default();
        Self::complete(raw)
    }

    fn complete(mut raw: Value) -> Self {
        let mut scopes = BTreeMap::new();
        let inputs = schemas::reachable_from_requests(&raw);
        let mut schemas = taken(&mut raw, &["components", "schemas"]);
        schemas::complete(&mut schemas, &inputs);
        let mut paths = taken(&mut raw, &["paths"]);
        for (path, item) in &mut paths {
            let Some(item) = item.as_object_mut() else { continue };
            let guarded = item.values().any(operation::takes_if_match);
            for (method, described) in item.iter_mut() {
                let place = operation::Place { path, method, guarded };
                operation::complete(described, &place, &schemas, &mut scopes);
            }
            *item = METHODS.iter().filter_map(|method| item.shift_remove_entry(*method)).collect();
        }
        schemas.extend(answers::schemas());
        let value = json!({
            "openapi": "3.0.3",
            "info": info(),
            "servers": [{"url": "/", "description": "The server that answers with this document"}],
            "security": [{SCHEME: []}],
            "tags": texts::tags(raw.get("tags"), &paths),
            "paths": paths,
            "components": {
                "schemas": schemas,
                "responses": answers::components(),
                "headers": answers::headers(),
                "securitySchemes": {SCHEME: security_scheme()},
            },
        });
        Self { value: schemas::without_unused(value), scopes }
    }

    /// The same document for clients that reach the server under a path, as behind a proxy.
    #[must_use]
    pub fn served_at(mut self, public_url: &str) -> Self {
        let path =
            url::Url::parse(public_url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
        if !path.is_empty() {
            self.value["servers"][0]["url"] = Value::String(path);
        }
        self
    }
}

fn info() -> Value {
    json!({
        "title": TITLE,
        "description": ABOUT,
        "version": env!("CARGO_PKG_VERSION"),
        "contact": {"name": "The operator of this server"},
        "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    })
}

fn security_scheme() -> Value {
    json!({
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of `POST /api/auth/login`, or a personal access token (`mf_…`).",
    })
}

fn taken(value: &mut Value, path: &[&str]) -> Map<String, Value> {
    let mut at = Some(value);
    for step in path {
        at = at.and_then(|value| value.get_mut(*step));
    }
    match at.map(Value::take) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// An API without its instance: enough to describe it.
struct Described<T>(PhantomData<fn() -> T>);

impl<T: OpenApi> OpenApi for Described<T> {
    fn meta() -> Vec<MetaApi> {
        T::meta()
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, _routes: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
