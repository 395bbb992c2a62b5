//! Answers that are one page of a list: `{"items": […], "next_cursor": …}` and `X-Total-Count`.

use std::marker::PhantomData;

use bytes::Bytes;
use poem::http::header::CONTENT_TYPE;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::payload::JSON;

/// The header that says how many rows the whole list has.
pub const TOTAL_COUNT: &str = "x-total-count";

/// One page of a list, documented as a `P`, whose fields are `items` and `next_cursor`.
#[derive(Debug)]
pub struct Listed<P> {
    body: Bytes,
    total: u64,
    documented_as: PhantomData<fn() -> P>,
}

impl<P: Serialize> Listed<P> {
    /// Writes a page of a list that has `total` rows in all.
    pub fn new(page: &P, total: u64) -> Self {
        Self::rendered(serde_json::to_vec(page).unwrap_or_default(), total)
    }
}

impl<P> Listed<P> {
    /// Takes bytes that hold a page as JSON.
    pub fn rendered(body: impl Into<Bytes>, total: u64) -> Self {
        Self { body: body.into(), total, documented_as: PhantomData }
    }

    /// The page as it is sent.
    pub fn body(&self) -> Bytes {
        self.body.clone()
    }

    /// How many rows the whole list has.
    pub const fn total(&self) -> u64 {
        self.total
    }
}

impl<P> IntoResponse for Listed<P> {
    fn into_response(self) -> Response {
        Response::builder().header(CONTENT_TYPE, JSON).header(TOTAL_COUNT, self.total.to_string()).body(self.body)
    }
}

impl<P: Type> ApiResponse for Listed<P> {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: JSON, schema: P::schema_ref() }];
        let response =
            MetaResponse { description: "", status: Some(200), status_range: None, content, headers: Vec::new() };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        P::register(registry);
    }
}
