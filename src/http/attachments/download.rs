//! Files on their way out: whole or in part (RFC 9110, sections 13 and 14), and always as a download.

use std::error::Error;
use std::io;
use std::ops::Range;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};
use poem::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
};
use poem::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use poem::{Body, IntoResponse, Request, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;

use crate::attachments::links::disposition;
use crate::attachments::{AttachmentError, Attachments, Proof};
use crate::http::oauth::call::WasHead;
use crate::http::problem::ApiError;
use crate::ids::AttachmentId;
use crate::objects::{Download, ObjectsError};
use crate::tasks::attachments::Attachment;

/// A browser that shows a file after all must neither run it nor load anything for it.
const CONTENT: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'; sandbox");

/// What of a file is wanted, and on what conditions.
pub(super) struct Wanted {
    headers: HeaderMap,
    head: bool,
}

impl Wanted {
    pub(super) fn of(request: &Request) -> Self {
        Self { headers: request.headers().clone(), head: request.data::<WasHead>().is_some() }
    }
}

/// A file, or a part of it, or why there is none.
pub(super) struct FileAnswer(Response);

/// The answer to whoever wants a file.
pub(super) async fn answer(
    attachments: &Attachments,
    attachment: &Attachment,
    wanted: Wanted,
) -> Result<FileAnswer, AttachmentError> {
    let tag = entity_tag(attachment);
    let mut response = Response::builder().status(StatusCode::OK).finish();
    describe(response.headers_mut(), attachment, &tag);
    if is_known(&wanted.headers, &tag) {
        response.headers_mut().remove(CONTENT_TYPE);
        response.set_status(StatusCode::NOT_MODIFIED);
        return Ok(FileAnswer(response));
    }
    let size = attachment.size_bytes;
    let range = match range_of(&wanted.headers, &tag, size) {
        Asked::Whole => None,
        Asked::Part(range) => Some(range),
        Asked::Nothing => return Ok(FileAnswer(no_such_part(size).into_response())),
    };
    let length = range.as_ref().map_or(size, |range| range.end - range.start);
    insert(response.headers_mut(), CONTENT_LENGTH, length.to_string());
    if let Some(range) = &range {
        insert(response.headers_mut(), CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start, range.end - 1));
        response.set_status(StatusCode::PARTIAL_CONTENT);
    }
    if !wanted.head {
        let proof = range.is_none().then(|| Proof::of(attachment));
        let file = attachments.open(attachment, range).await?;
        response.set_body(Body::from_bytes_stream(proven(file, attachment.id, proof, length)));
    }
    Ok(FileAnswer(response))
}

fn no_such_part(size: u64) -> ApiError {
    ApiError::new(StatusCode::RANGE_NOT_SATISFIABLE, "range-not-satisfiable", "The file has no such part")
        .detail(format!("It has {size} bytes."))
        .header(CONTENT_RANGE, format!("bytes */{size}"))
}

/// The bytes, held against what was attached: a file that was damaged in the store breaks off instead of ending well.
fn proven(
    file: Download,
    id: AttachmentId,
    proof: Option<Proof>,
    length: u64,
) -> BoxStream<'static, io::Result<Bytes>> {
    let broken = |error: ObjectsError| {
        tracing::warn!(error = &error as &dyn Error, "a download broke off");
        io::Error::other(error)
    };
    let bytes = file.stream.map_err(broken).fuse();
    let state = (bytes, proof, length, None::<Bytes>);
    stream::try_unfold(state, move |(mut bytes, mut proof, mut left, held)| async move {
        // The last piece waits until the whole is proven: without it, the client knows that something is missing.
        let mut held = held;
        while let Some(piece) = bytes.try_next().await? {
            if let Some(proof) = &mut proof {
                proof.see(&piece);
            }
            left = left.saturating_sub(piece.len() as u64);
            if let Some(ready) = held.replace(piece) {
                return Ok(Some((ready, (bytes, proof, left, held))));
            }
        }
        let Some(last) = held.take() else { return Ok(None) };
        if left > 0 || proof.take().is_some_and(|proof| !proof.holds()) {
            tracing::error!(attachment.id = %id, "the file of an attachment is damaged");
            return Err(io::Error::other("the file is damaged"));
        }
        Ok(Some((last, (bytes, None, 0, None))))
    })
    .boxed()
}

fn describe(headers: &mut HeaderMap, attachment: &Attachment, tag: &str) {
    insert(headers, CONTENT_TYPE, attachment.media_type.clone());
    insert(headers, CONTENT_DISPOSITION, disposition(&attachment.file_name));
    insert(headers, ETAG, tag.to_owned());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Compressed on the way, its parts could not be told any more.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache, no-transform"));
    headers.insert(CONTENT_SECURITY_POLICY, CONTENT);
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: String) {
    if let Ok(value) = HeaderValue::try_from(value) {
        headers.insert(name, value);
    }
}

/// A file never changes, so its hash names it.
fn entity_tag(attachment: &Attachment) -> String {
    use base64::Engine as _;
    format!("\"{}\"", base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(&attachment.sha256[..18]))
}

/// Whether the client has the file already (RFC 9110, section 13.1.2).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let mut tags = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.any(|tags| tags.split(',').map(str::trim).any(|own| own == "*" || own.trim_start_matches("W/") == tag))
}

/// What part is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Whole,
    Part(Range<u64>),
    /// None that the file has.
    Nothing,
}

/// One range of bytes; what cannot be read, several at once, and ranges of another version get the whole file.
fn range_of(headers: &HeaderMap, tag: &str, size: u64) -> Asked {
    let mut given = headers.get_all(RANGE).iter();
    let (Some(range), None) = (given.next(), given.next()) else { return Asked::Whole };
    if headers.get(IF_RANGE).is_some_and(|known| known.as_bytes() != tag.as_bytes()) {
        return Asked::Whole;
    }
    let text = range.to_str().unwrap_or_default();
    let Some((unit, spec)) = text.split_once('=') else { return Asked::Whole };
    let Some((first, last)) = spec.trim().split_once('-') else { return Asked::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Asked::Whole;
    }
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than a number can have are still a number.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    match (first.trim(), last.trim()) {
        ("", last) => match number(last) {
            Some(0) => Asked::Nothing,
            Some(count) => Asked::Part(size.saturating_sub(count)..size),
            None => Asked::Whole,
        },
        (first, "") => match number(first) {
            Some(first) if first < size => Asked::Part(first..size),
            Some(_) => Asked::Nothing,
            None => Asked::Whole,
        },
        (first, last) => match (number(first), number(last)) {
            (Some(first), Some(last)) if first > last => Asked::Whole,
            (Some(first), Some(_)) if first >= size => Asked::Nothing,
            (Some(first), Some(last)) => Asked::Part(first..last.saturating_add(1).min(size)),
            _ => Asked::Whole,
        },
    }
}

impl IntoResponse for FileAnswer {
    fn into_response(self) -> Response {
        self.0
    }
}

/// Files come with the type that they were attached with, which generated clients read as bytes: some know no `*/*`.
const TYPES: [&str; 2] = ["application/octet-stream", "*/*"];

impl ApiResponse for FileAnswer {
    fn meta() -> MetaResponses {
        let header = |name: &str, about: &str| MetaHeader {
            name: name.to_owned(),
            description: Some(about.to_owned()),
            required: false,
            deprecated: false,
            schema: String::schema_ref(),
        };
        let bytes = || MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let file = || Vec::from(TYPES.map(|content_type| MetaMediaType { content_type, schema: bytes() }));
        let name = || header("Content-Disposition", "The file's name, always as `attachment`.");
        let range = || header("Content-Range", "Which bytes these are, and how many there are.");
        let response = |status, description, content, headers| MetaResponse {
            description,
            status: Some(status),
            status_range: None,
            content,
            headers,
        };
        MetaResponses {
            responses: vec![
                response(200, "The file, of the type that it was attached with.", file(), vec![name()]),
                response(206, "The part of the file that `Range` asked for.", file(), vec![name(), range()]),
                response(304, "The client has the file already.", Vec::new(), Vec::new()),
            ],
        }
    }

    fn register(_registry: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(range: &str, size: u64) -> Asked {
        let headers = HeaderMap::from_iter([(RANGE, HeaderValue::from_str(range).unwrap())]);
        range_of(&headers, "\"a\"", size)
    }

    #[test]
    fn ranges_are_read_to_their_edges() {
        for (range, expected) in [
            ("bytes=0-0", 0..1),
            ("bytes=0-9", 0..10),
            ("bytes=0-10", 0..10),
            ("bytes=9-", 9..10),
            ("bytes=3-5", 3..6),
            ("BYTES = 3 - 5", 3..6),
            ("bytes=-1", 9..10),
            ("bytes=-10", 0..10),
            ("bytes=-11", 0..10),
            ("bytes=0-99999999999999999999999", 0..10),
        ] {
            assert_eq!(asked(range, 10), Asked::Part(expected), "{range}");
        }
        for range in ["bytes=10-", "bytes=10-20", "bytes=-0", "bytes=99999999999999999999999-"] {
            assert_eq!(asked(range, 10), Asked::Nothing, "{range}");
        }
        for range in
            ["bytes=5-3", "bytes=a-b", "bytes=0-1,3-4", "items=0-1", "bytes", "bytes=", "bytes=-", "bytes=0x1-2"]
        {
            assert_eq!(asked(range, 10), Asked::Whole, "{range}");
        }
    }

    #[test]
    fn a_range_of_another_version_gets_the_whole() {
        let of = |known: &str| {
            let known = (IF_RANGE, HeaderValue::from_str(known).unwrap());
            range_of(&HeaderMap::from_iter([(RANGE, HeaderValue::from_static("bytes=0-1")), known]), "\"a\"", 10)
        };

        assert_eq!(of("\"a\""), Asked::Part(0..2));
        for other in ["\"b\"", "W/\"a\"", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(of(other), Asked::Whole);
        }
    }
}
