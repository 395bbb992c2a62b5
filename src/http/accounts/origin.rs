//! Where a request comes from.

use poem::http::header::USER_AGENT;
use poem::{FromRequest, Request, RequestBody};

use crate::accounts::Origin;
use crate::http::client_address;
use crate::http::request_id::RequestId;

/// The [`Origin`] of the request.
pub(in crate::http) struct RequestOrigin(pub(in crate::http) Origin);

impl<'a> FromRequest<'a> for RequestOrigin {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        Ok(Self(origin_of(request)))
    }
}

/// Where `request` comes from.
pub(in crate::http) fn origin_of(request: &Request) -> Origin {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    Origin {
        request_id: request.data::<RequestId>().map(|id| id.0.to_string()),
        address: client_address::of(request).map(|address| address.to_string()),
        user_agent: header(USER_AGENT.as_str()).map(str::to_owned),
    }
}
