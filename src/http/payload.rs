//! What operations answer with: JSON bodies that are documented by one type and written by serde.

use std::marker::PhantomData;

use bytes::Bytes;
use poem::http::StatusCode;
use poem::http::header::CONTENT_TYPE;
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload::Payload;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde::Serialize;

use super::problem::ApiError;

/// The media type of most answers. JSON is UTF-8 and knows no `charset` (RFC 8259, section 11).
pub const JSON: &str = "application/json";

/// A JSON answer, written by `T`'s [`Serialize`] and documented by `T`'s [`Type`]; the two must name the same fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Json<T>(pub T);

/// A JSON answer whose bytes are ready, documented as a `T`.
#[derive(Debug)]
pub struct Rendered<T> {
    bytes: Bytes,
    documented_as: PhantomData<fn() -> T>,
}

impl<T> Rendered<T> {
    /// Takes bytes that hold a `T` as JSON.
    pub fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), documented_as: PhantomData }
    }
}

impl<T: Serialize + Send> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => json_response(bytes),
            Err(error) => ApiError::internal(&error).into_response(),
        }
    }
}

impl<T> IntoResponse for Rendered<T> {
    fn into_response(self) -> Response {
        json_response(self.bytes)
    }
}

fn json_response(body: impl Into<poem::Body>) -> Response {
    Response::builder().header(CONTENT_TYPE, JSON).body(body)
}

macro_rules! documented_as_its_type {
    ($payload:ident) => {
        impl<T: Type> Payload for $payload<T> {
            const CONTENT_TYPE: &'static str = JSON;

            fn schema_ref() -> MetaSchemaRef {
                T::schema_ref()
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }
        }

        impl<T: Type> ApiResponse for $payload<T> {
            fn meta() -> MetaResponses {
                let content = vec![MetaMediaType { content_type: JSON, schema: T::schema_ref() }];
                let status = Some(StatusCode::OK.as_u16());
                MetaResponses {
                    responses: vec![MetaResponse {
                        description: "",
                        status,
                        status_range: None,
                        content,
                        headers: Vec::new(),
                    }],
                }
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }
        }
    };
}

documented_as_its_type!(Json);
documented_as_its_type!(Rendered);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_payloads_answer_plain_json() {
        let written = Json(vec![1, 2]).into_response();
        let ready = Rendered::<Vec<i32>>::new("[1,2]").into_response();

        for response in [written, ready] {
            assert_eq!(response.content_type(), Some("application/json"));
            assert_eq!(response.into_body().into_string().await.unwrap(), "[1,2]");
        }
    }
}
