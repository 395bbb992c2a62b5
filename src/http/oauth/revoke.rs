//! `POST /oauth/revoke`: a client gives tokens back (RFC 7009).

use poem::http::StatusCode;
use serde_json::json;

use super::answers::json_response;
use super::call::Call;
use super::credentials;
use super::{Answer, Services};

/// The path.
pub const PATH: &str = "/oauth/revoke";

/// Ends the grant of a token. `token_type_hint` is not needed: a token tells its kind.
pub async fn revoke(services: &Services, call: Call) -> Answer {
    let form = call.client_form()?;
    let client = credentials::authenticate(services, &call, &form, PATH).await?;
    services.grants.revoke(&client, form.required("token")?, &call.origin).await?;
    Ok(json_response(StatusCode::OK, &json!({})))
}
