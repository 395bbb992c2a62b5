//! The discovery documents: what clients must know to begin, made from the configuration alone.
//!
//! Every URL is the public one. A request's `Host` never shows up: who could choose it would choose where people sign in.

use serde_json::{Value, json};

use super::client::AuthMethod;
use super::description::ASSERTION_ALGORITHMS;
use super::resource::Resource;
use super::scope::OAuthScope;

/// The grant type of devices without a browser (RFC 8628, section 3.4).
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// What a resource asks for: what acts on tasks. `openid` and its kin are for the authorization server, and
/// `offline_access` belongs to no resource.
const RESOURCE_SCOPES: [OAuthScope; 2] = [OAuthScope::Read, OAuthScope::Write];
/// What anybody may ask for. `admin` is for clients that an operator made, who knows of it.
const SCOPES: [OAuthScope; 6] = [
    OAuthScope::Read,
    OAuthScope::Write,
    OAuthScope::OpenId,
    OAuthScope::Email,
    OAuthScope::Profile,
    OAuthScope::OfflineAccess,
];

/// How clients may come to be known, as the operator chose.
#[derive(Clone, Copy, Debug)]
pub struct Welcome {
    /// Whether clients may register themselves (RFC 7591).
    pub registration: bool,
    /// Whether a client may be described by the document at its `client_id`.
    pub documents: bool,
}

/// The authorization server's metadata (RFC 8414, section 2), with what OpenID Connect Discovery 1.0 needs besides.
pub fn authorization_server(issuer: &str, welcome: Welcome) -> Value {
    let at = |path: &str| format!("{issuer}{path}");
    let methods = AuthMethod::ALL.map(AuthMethod::as_str);
    // Introspection is for clients that prove who they are (RFC 7662, section 2.1); public ones may only revoke.
    let proven: Vec<&str> = methods.into_iter().filter(|method| *method != "none").collect();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "jwks_uri": at("/oauth/jwks"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "device_authorization_endpoint": at("/oauth/device_authorization"),
        "userinfo_endpoint": at("/oauth/userinfo"),
        "scopes_supported": SCOPES.map(OAuthScope::as_str),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_CODE],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "introspection_endpoint_auth_methods_supported": proven,
        "introspection_endpoint_auth_signing_alg_values_supported": ASSERTION_ALGORITHMS,
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": welcome.documents,
        "protected_resources": Resource::ALL.map(|resource| resource.url(issuer)),
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "amr", "email", "email_verified", "name", "zoneinfo"
        ],
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "prompt_values_supported": ["none", "login", "consent", "select_account", "create"],
        "service_documentation": at("/docs"),
    });
    if welcome.registration {
        document["registration_endpoint"] = json!(at("/oauth/register"));
    }
    document
}

/// A protected resource's metadata (RFC 9728, section 2); `None` is the server as a whole, which stands for both.
pub fn protected_resource(issuer: &str, resource: Option<Resource>) -> Value {
    json!({
        "resource": resource.map_or_else(|| issuer.to_owned(), |resource| resource.url(issuer)),
        "authorization_servers": [issuer],
        "scopes_supported": RESOURCE_SCOPES.map(OAuthScope::as_str),
        "bearer_methods_supported": ["header"],
        "resource_name": "MindFlow",
        "resource_documentation": format!("{issuer}/docs"),
    })
}

/// Where a resource's metadata is, for challenges. Below the issuer, where a proxy leads that serves it under a path; for an
/// issuer without a path that is where RFC 9728, section 3.1, wants it.
pub fn resource_metadata_url(issuer: &str, resource: Resource) -> String {
    format!("{issuer}/.well-known/oauth-protected-resource/{}", resource.as_str())
}

/// The issuer's path, without slashes around it: what is inserted behind `/.well-known/…` (RFC 8414, section 3).
pub fn path_of(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    rest.split_once('/').map_or("", |(_, path)| path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://mindflow.example";
    const ALL: Welcome = Welcome { registration: true, documents: true };

    #[test]
    fn every_url_is_the_issuers() {
        let document = authorization_server(ISSUER, ALL);

        for (name, value) in document.as_object().unwrap() {
            if name.ends_with("_endpoint") || name.ends_with("_uri") {
                assert!(value.as_str().unwrap().starts_with("https://mindflow.example/oauth/"), "{name} {value}");
            }
        }
        assert_eq!(document["issuer"], ISSUER);
    }

    #[test]
    fn what_hosts_insist_on_is_there() {
        let document = authorization_server(ISSUER, ALL);
        let holds = |name: &str, value: &str| document[name].as_array().unwrap().contains(&json!(value));

        assert_eq!(document["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(document["authorization_response_iss_parameter_supported"], true);
        assert_eq!(document["client_id_metadata_document_supported"], true);
        assert!(holds("token_endpoint_auth_methods_supported", "none"));
        assert!(holds("token_endpoint_auth_methods_supported", "private_key_jwt"));
        assert!(!holds("introspection_endpoint_auth_methods_supported", "none"));
        assert!(!holds("scopes_supported", "admin"));
        assert_eq!(document["registration_endpoint"], "https://mindflow.example/oauth/register");
    }

    #[test]
    fn what_is_off_is_not_offered() {
        let document = authorization_server(ISSUER, Welcome { registration: false, documents: false });

        assert_eq!(document.get("registration_endpoint"), None);
        assert_eq!(document["client_id_metadata_document_supported"], false);
    }

    #[test]
    fn a_resource_names_itself_and_where_to_sign_in() {
        let document = protected_resource(ISSUER, Some(Resource::Mcp));

        assert_eq!(document["resource"], "https://mindflow.example/mcp");
        assert_eq!(document["authorization_servers"], json!([ISSUER]));
        assert_eq!(document["scopes_supported"], json!(["read", "write"]));
        assert_eq!(document["bearer_methods_supported"], json!(["header"]));
        assert_eq!(protected_resource(ISSUER, None)["resource"], ISSUER);
    }

    #[test]
    fn a_path_is_what_follows_the_host() {
        assert_eq!(path_of("https://mindflow.example"), "");
        assert_eq!(path_of("https://example.org:8443/tasks/mine"), "tasks/mine");
    }
}
