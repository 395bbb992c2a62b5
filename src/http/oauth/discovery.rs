//! Discovery: the metadata documents and the key set, for everybody to read and keep for an hour.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use poem::Response;
use poem::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use poem::http::{HeaderValue, StatusCode};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::answers::Failure;
use super::call::Call;
use super::{Answer, Services};
use crate::http::errors;
use crate::oauth::Resource;
use crate::oauth::metadata::{self, Welcome};

/// What others may keep of a document; keys are published longer than that before they sign.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// The documents, made once.
#[derive(Clone, Debug)]
pub struct Discovery {
    /// The path of the issuer, without slashes around it.
    path: String,
    server: Bytes,
    whole: Bytes,
    api: Bytes,
    mcp: Bytes,
}

impl Discovery {
    /// Writes the documents of the authorization server `issuer`.
    pub fn new(issuer: &str, welcome: Welcome) -> Self {
        let bytes = |document: Value| Bytes::from(document.to_string());
        let resource = |resource| bytes(metadata::protected_resource(issuer, resource));
        Self {
            path: metadata::path_of(issuer).to_owned(),
            server: bytes(metadata::authorization_server(issuer, welcome)),
            whole: resource(None),
            api: resource(Some(Resource::Api)),
            mcp: resource(Some(Resource::Mcp)),
        }
    }

    /// The authorization server's document at `/.well-known/NAME/inserted`: the issuer's path is the only one to insert
    /// (RFC 8414, section 3.1); without one, the document is also what a proxy finds that takes the path away.
    fn server(&self, inserted: Option<&str>) -> Option<&Bytes> {
        inserted.is_none_or(|path| !path.is_empty() && path == self.path).then_some(&self.server)
    }

    /// A resource's document at `/.well-known/oauth-protected-resource/inserted` (RFC 9728, section 3.1): with and without
    /// the issuer's path, as above.
    fn resource(&self, inserted: Option<&str>) -> Option<&Bytes> {
        let inserted = inserted.unwrap_or_default();
        let below = match inserted.strip_prefix(self.path.as_str()) {
            Some("") => "",
            Some(rest) if !self.path.is_empty() => rest.strip_prefix('/')?,
            _ => inserted,
        };
        match below {
            "" => Some(&self.whole),
            "api" => Some(&self.api),
            "mcp" => Some(&self.mcp),
            _ => None,
        }
    }
}

/// `GET /.well-known/oauth-authorization-server` (RFC 8414), and the same as `openid-configuration`.
pub(super) async fn authorization_server(services: &Services, call: Call) -> Answer {
    found(&call, services.discovery.server(call.parameter.as_deref()).cloned())
}

/// `GET /.well-known/oauth-protected-resource` (RFC 9728): of the whole server, of the API or of MCP.
pub(super) async fn protected_resource(services: &Services, call: Call) -> Answer {
    found(&call, services.discovery.resource(call.parameter.as_deref()).cloned())
}

/// `GET /oauth/jwks`: the public keys (RFC 7517): those that sign, will, and did.
pub(super) async fn jwks(services: &Services, call: Call) -> Answer {
    let set = serde_json::to_vec(&services.tokens.ring().keys().jwks()).unwrap_or_default();
    found(&call, Some(set.into()))
}

fn found(call: &Call, document: Option<Bytes>) -> Answer {
    let body = document.ok_or_else(|| Failure::Api(errors::no_route()))?;
    let etag = format!("\"{}\"", URL_SAFE_NO_PAD.encode(&Sha256::digest(&body)[..12]));
    let known = call
        .header(IF_NONE_MATCH.as_str())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let response = Response::builder().header(ETAG, etag).header(CACHE_CONTROL, KEPT);
    if known {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    Ok(response.header(CONTENT_TYPE, HeaderValue::from_static("application/json")).body(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WELCOME: Welcome = Welcome { registration: true, documents: true };

    fn resource(discovery: &Discovery, inserted: &str) -> Option<String> {
        let document: Value = serde_json::from_slice(discovery.resource(Some(inserted))?).unwrap();
        document["resource"].as_str().map(str::to_owned)
    }

    #[test]
    fn a_server_at_the_root_has_its_documents_there() {
        let discovery = Discovery::new("https://mindflow.example", WELCOME);

        assert!(discovery.server(None).is_some() && discovery.server(Some("mcp")).is_none());
        assert!(discovery.server(Some("")).is_none());
        assert!(discovery.resource(None).is_some());
        assert_eq!(resource(&discovery, "mcp").as_deref(), Some("https://mindflow.example/mcp"));
        assert_eq!(resource(&discovery, "api").as_deref(), Some("https://mindflow.example/api"));
        for other in ["mcp/", "MCP", "x", "mcp/tools", "/mcp"] {
            assert_eq!(resource(&discovery, other), None, "{other}");
        }
    }

    #[test]
    fn a_server_under_a_path_has_it_inserted() {
        let discovery = Discovery::new("https://example.org/my/tasks", WELCOME);

        assert!(discovery.server(None).is_some() && discovery.server(Some("my/tasks")).is_some());
        assert!(discovery.server(Some("my")).is_none());
        for (inserted, url) in [
            ("my/tasks", "https://example.org/my/tasks"),
            ("my/tasks/mcp", "https://example.org/my/tasks/mcp"),
            ("api", "https://example.org/my/tasks/api"),
        ] {
            assert_eq!(resource(&discovery, inserted).as_deref(), Some(url));
        }
        assert_eq!(resource(&discovery, "my/tasksmcp"), None);
        assert_eq!(resource(&discovery, "my/taskslist/mcp"), None);
    }
}
