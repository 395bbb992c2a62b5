//! What a client may say of itself (RFC 7591, section 2): the same rules for registrations, documents and operators.

use serde_json::{Map, Value};
use url::Url;
use uuid::Uuid;

use super::client::{AuthMethod, Client, ClientKind, ClientMetadata};
use super::redirect::{LONGEST_REDIRECT_URI, MOST_REDIRECT_URIS, RedirectKind};
use super::{ErrorCode, OAuthError, OAuthScope, OAuthScopes, client_keys};
use crate::clock::Timestamp;
use crate::store::oauth_clients::ClientRecord;

/// What asks for a code and redeems it.
pub const AUTHORIZATION_CODE: &str = "authorization_code";
/// What renews tokens; whoever gets tokens may.
pub const REFRESH_TOKEN: &str = "refresh_token";
/// What asks for a device (RFC 8628).
pub const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The algorithms of assertions.
pub const ASSERTION_ALGORITHMS: [&str; 4] = ["RS256", "ES256", "EdDSA", "Ed25519"];

/// The longest name, in characters.
const LONGEST_NAME: usize = 200;
/// The longest of other short texts, in bytes.
const LONGEST_TEXT: usize = 255;
/// The longest list of scopes, in bytes.
const LONGEST_SCOPE: usize = 1000;
/// The most entries of lists of words.
const MOST_ENTRIES: usize = 20;

/// Who describes the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The client, to the registration endpoint.
    Registration,
    /// The client, in a document that everybody can read.
    Document,
    /// An operator.
    Operator,
}

/// A description that keeps the rules.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// What people call it.
    pub name: String,
    /// How it may prove who it is.
    pub methods: Vec<AuthMethod>,
    /// The rest.
    pub metadata: ClientMetadata,
}

impl Described {
    /// Reads a description. Unknown fields are left out, as RFC 7591, section 2, wants it; null counts as absent.
    ///
    /// # Errors
    ///
    /// `invalid_redirect_uri` or `invalid_client_metadata`, with the field.
    pub fn read(fields: &Map<String, Value>, source: Source) -> Result<Self, OAuthError> {
        let fields = Fields(fields);
        let grant_types = grant_types(&fields, source)?;
        let redirect_uris = redirect_uris(&fields, &grant_types)?;
        let (jwks, jwks_uri) = keys(&fields)?;
        let methods = methods(&fields, source, jwks.is_some() || jwks_uri.is_some())?;
        let metadata = ClientMetadata {
            scope: scope(&fields, source)?,
            client_uri: fields.url("client_uri")?,
            logo_uri: fields.url("logo_uri")?,
            tos_uri: fields.url("tos_uri")?,
            policy_uri: fields.url("policy_uri")?,
            contacts: fields.texts("contacts", MOST_ENTRIES)?.unwrap_or_default(),
            token_endpoint_auth_signing_alg: signing_alg(&fields)?,
            jwks,
            jwks_uri,
            application_type: fields
                .text("application_type", LONGEST_TEXT)?
                .filter(|kind| matches!(kind.as_str(), "web" | "native")),
            software_id: fields.text("software_id", LONGEST_TEXT)?,
            software_version: fields.text("software_version", LONGEST_TEXT)?,
            grant_types,
            redirect_uris,
        };
        Ok(Self { name: name(&fields, &metadata)?, methods, metadata })
    }

    /// The columns that a description fills.
    pub(super) fn record(&self, now: Timestamp) -> ClientRecord {
        let methods: Vec<&str> = self.methods.iter().map(|method| method.as_str()).collect();
        ClientRecord {
            id: Uuid::nil(),
            client_id: String::new(),
            kind: ClientKind::Static.as_str().to_owned(),
            name: self.name.clone(),
            auth_method: methods.join(" "),
            secret_hash: None,
            metadata: serde_json::json!(self.metadata).to_string(),
            registration_token_hash: None,
            address: None,
            created_at: now.as_micros(),
            updated_at: now.as_micros(),
            last_used_at: None,
            expires_at: None,
            fetched_at: None,
        }
    }

    /// Whether it has a secret.
    pub fn has_secret(&self) -> bool {
        self.methods.iter().any(|method| matches!(method, AuthMethod::SecretBasic | AuthMethod::SecretPost))
    }

    /// Whether people who allowed the client as it was must be asked again: it has another name or answers elsewhere.
    pub(super) fn needs_new_consent(&self, before: &Client) -> bool {
        self.name != before.name || self.metadata.redirect_uris != before.metadata.redirect_uris
    }
}

fn wrong(field: &str, rule: &str) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidClientMetadata, format!("`{field}` {rule}"))
}

/// The fields of a description.
struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    fn get(&self, field: &str) -> Option<&'a Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &str, longest: usize) -> Result<Option<String>, OAuthError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| wrong(field, "must be a text"))?;
        plain(field, text, longest).map(|()| Some(text.to_owned()))
    }

    fn texts(&self, field: &str, most: usize) -> Result<Option<Vec<String>>, OAuthError> {
        let Some(value) = self.get(field) else { return Ok(None) };
        let items = value.as_array().ok_or_else(|| wrong(field, "must be a list of texts"))?;
        if items.len() > most {
            return Err(wrong(field, &format!("must have at most {most} entries")));
        }
        let read = |item: &Value| {
            let text = item.as_str().ok_or_else(|| wrong(field, "must be a list of texts"))?;
            plain(field, text, LONGEST_TEXT).map(|()| text.to_owned())
        };
        items.iter().map(read).collect::<Result<_, _>>().map(Some)
    }

    /// A link that people may follow: to a web page and nothing else.
    fn url(&self, field: &str) -> Result<Option<String>, OAuthError> {
        let Some(text) = self.text(field, LONGEST_REDIRECT_URI)? else { return Ok(None) };
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
        let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
        if url.is_none() {
            return Err(wrong(field, "must be a URL of a web page"));
        }
        Ok(Some(text))
    }
}

/// No text holds characters that break lines, turn the direction of writing or cannot be seen.
fn plain(field: &str, text: &str, longest: usize) -> Result<(), OAuthError> {
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if text.len() > longest {
        return Err(wrong(field, &format!("must have at most {longest} bytes")));
    }
    if text.chars().any(hidden) {
        return Err(wrong(field, "must have no control characters"));
    }
    Ok(())
}

fn name(fields: &Fields<'_>, metadata: &ClientMetadata) -> Result<String, OAuthError> {
    let name = fields.text("client_name", LONGEST_NAME * 4)?.map(|name| name.trim().to_owned());
    let name = name.filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.chars().count() > LONGEST_NAME) {
        return Err(wrong("client_name", &format!("must have at most {LONGEST_NAME} characters")));
    }
    let place =
        || metadata.redirect_uris.first().and_then(|uri| RedirectKind::parse(uri).ok()).map(RedirectKind::place);
    Ok(name.or_else(place).unwrap_or_else(|| "Unnamed application".to_owned()))
}

/// The grant types that this server has, of those that were asked for.
fn grant_types(fields: &Fields<'_>, source: Source) -> Result<Vec<String>, OAuthError> {
    let asked = fields.texts("grant_types", MOST_ENTRIES)?.filter(|asked| !asked.is_empty());
    let asked = asked.unwrap_or_else(|| vec![AUTHORIZATION_CODE.to_owned()]);
    let has = |grant_type: &str| asked.iter().any(|asked| asked == grant_type);
    let mut known: Vec<String> =
        [AUTHORIZATION_CODE, DEVICE_CODE].into_iter().filter(|own| has(own)).map(str::to_owned).collect();
    if known.is_empty() {
        return Err(wrong("grant_types", "must hold authorization_code or the device code"));
    }
    known.push(REFRESH_TOKEN.to_owned());
    let response_types = fields.texts("response_types", MOST_ENTRIES)?.filter(|types| !types.is_empty());
    let code = response_types.is_none_or(|types| types.iter().any(|kind| kind == "code"));
    if has(AUTHORIZATION_CODE) && !code && source != Source::Operator {
        return Err(wrong("response_types", "must hold code"));
    }
    Ok(known)
}

fn redirect_uris(fields: &Fields<'_>, grant_types: &[String]) -> Result<Vec<String>, OAuthError> {
    let refused = |text: String| OAuthError::new(ErrorCode::InvalidRedirectUri, text);
    let items = match fields.get("redirect_uris") {
        None => &[],
        Some(Value::Array(items)) => items.as_slice(),
        Some(_) => return Err(refused("`redirect_uris` must be a list of texts".to_owned())),
    };
    if items.len() > MOST_REDIRECT_URIS {
        return Err(refused(format!("`redirect_uris` must have at most {MOST_REDIRECT_URIS} entries")));
    }
    let mut uris: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let uri = item.as_str().ok_or_else(|| refused("`redirect_uris` must be a list of texts".to_owned()))?;
        RedirectKind::parse_new(uri).map_err(|error| refused(format!("`redirect_uris[{index}]` {error}")))?;
        if !uris.iter().any(|known| known == uri) {
            uris.push(uri.to_owned());
        }
    }
    if uris.is_empty() && grant_types.iter().any(|kind| kind == AUTHORIZATION_CODE) {
        return Err(refused("`redirect_uris` must hold at least one URI".to_owned()));
    }
    Ok(uris)
}

/// Unknown scopes are left out, and so is what only operators may give. Who asked for nothing else gets the least, not all
/// that they could have had without asking.
fn scope(fields: &Fields<'_>, source: Source) -> Result<Option<String>, OAuthError> {
    let text = fields.text("scope", LONGEST_SCOPE)?;
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    let mut scopes = OAuthScopes::parse_known(&text);
    if source != Source::Operator {
        scopes = scopes.without(OAuthScope::Admin);
    }
    if scopes.is_empty() {
        scopes = OAuthScopes::from_iter([OAuthScope::Read]);
    }
    Ok(Some(scopes.to_string()))
}

fn keys(fields: &Fields<'_>) -> Result<(Option<Value>, Option<String>), OAuthError> {
    let jwks = fields.get("jwks").cloned();
    if let Some(jwks) = &jwks {
        client_keys::check(jwks).map_err(|rule| wrong("jwks", rule))?;
    }
    let jwks_uri = fields.url("jwks_uri")?;
    if jwks_uri.as_ref().is_some_and(|uri| !uri.starts_with("https://")) {
        return Err(wrong("jwks_uri", "must begin with https://"));
    }
    if jwks.is_some() && jwks_uri.is_some() {
        return Err(wrong("jwks_uri", "must not be given beside `jwks`"));
    }
    Ok((jwks, jwks_uri))
}

fn signing_alg(fields: &Fields<'_>) -> Result<Option<String>, OAuthError> {
    let field = "token_endpoint_auth_signing_alg";
    let alg = fields.text(field, LONGEST_TEXT)?;
    if alg.as_ref().is_some_and(|alg| !ASSERTION_ALGORITHMS.contains(&alg.as_str())) {
        return Err(wrong(field, "must be RS256, ES256, EdDSA or Ed25519"));
    }
    Ok(alg)
}

/// How the client may prove who it is: one method, or those that a document lists and this server has.
fn methods(fields: &Fields<'_>, source: Source, has_keys: bool) -> Result<Vec<AuthMethod>, OAuthError> {
    let field = "token_endpoint_auth_method";
    let preferred = fields.text(field, LONGEST_TEXT)?;
    if source == Source::Operator && preferred.is_none() {
        // Who makes the client seldom knows which of the two its program will choose.
        return Ok(vec![AuthMethod::SecretBasic, AuthMethod::SecretPost]);
    }
    if source != Source::Document {
        let text = preferred.as_deref().unwrap_or("client_secret_basic");
        let method =
            AuthMethod::parse(text).ok_or_else(|| wrong(field, "is a method that this server does not have"))?;
        if method == AuthMethod::PrivateKeyJwt && !has_keys {
            return Err(wrong(field, "needs `jwks` or `jwks_uri`"));
        }
        return Ok(vec![method]);
    }
    let mut listed = fields.texts("token_endpoint_auth_methods_supported", MOST_ENTRIES)?.unwrap_or_default();
    listed.extend(preferred);
    if listed.is_empty() {
        return Ok(vec![AuthMethod::None]);
    }
    // A document is no place for a secret, and keys that are nowhere prove nothing.
    let usable = |method: &AuthMethod| match method {
        AuthMethod::None => true,
        AuthMethod::PrivateKeyJwt => has_keys,
        AuthMethod::SecretBasic | AuthMethod::SecretPost => false,
    };
    let has = |method: &AuthMethod| listed.iter().any(|listed| listed == method.as_str());
    let methods: Vec<AuthMethod> = AuthMethod::ALL.into_iter().filter(|method| has(method) && usable(method)).collect();
    if methods.is_empty() {
        return Err(wrong(field, "must be none, or private_key_jwt with `jwks` or `jwks_uri`"));
    }
    Ok(methods)
}
