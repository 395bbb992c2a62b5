//! `POST /oauth/introspect`: a client asks about its own tokens (RFC 7662).

use poem::http::StatusCode;
use poem::http::header::AUTHORIZATION;

use super::answers::json_response;
use super::call::Call;
use super::credentials;
use super::{Answer, Services};
use crate::oauth::{ErrorCode, OAuthError};

/// The path.
pub const PATH: &str = "/oauth/introspect";

/// Says whether a token is good. Only who can prove to be a client may ask (RFC 7662, section 2.1).
pub async fn introspect(services: &Services, call: Call) -> Answer {
    let form = call.client_form()?;
    let proves_itself = call.headers.contains_key(AUTHORIZATION)
        || form.one("client_secret")?.is_some()
        || form.one("client_assertion")?.is_some();
    if !proves_itself {
        return Err(OAuthError::new(ErrorCode::InvalidClient, "only clients that authenticate may ask").into());
    }
    let client = credentials::authenticate(services, &call, &form, PATH).await?;
    let answer = services.grants.introspect(&client, form.required("token")?).await?;
    Ok(json_response(StatusCode::OK, &answer))
}
