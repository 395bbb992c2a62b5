//! `POST /oauth/device_authorization`: a device without a browser begins (RFC 8628, section 3.1).

use poem::http::StatusCode;

use super::answers::json_response;
use super::call::Call;
use super::credentials;
use super::token::resources_of;
use super::{Answer, Services};
use crate::oauth::Resources;

/// The path.
pub const PATH: &str = "/oauth/device_authorization";

/// Gives a device its two codes.
pub async fn device_authorization(services: &Services, call: Call) -> Answer {
    let form = call.client_form()?;
    let client = credentials::authenticate(services, &call, &form, PATH).await?;
    let resources = resources_of(&form, &services.issuer)?.unwrap_or(Resources::ALL);
    let answer = services.grants.begin_device(&client, form.one("scope")?, resources).await?;
    Ok(json_response(StatusCode::OK, &answer))
}
