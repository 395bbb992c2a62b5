//! Bodies that are files: taken piece by piece, from the socket to the object store.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use multer::{Field, Multipart};
use poem::http::header::{
    ACCEPT_ENCODING, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, TRANSFER_ENCODING,
};
use poem::http::{HeaderMap, StatusCode};
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use tokio::time::{Instant, timeout, timeout_at};

use super::disposition;
use crate::accounts::Caller;
use crate::attachments::file_name::{FileName, NameFault};
use crate::attachments::media_type::MediaType;
use crate::attachments::{Announced, AttachmentError, Attachments, Received, Receiving};
use crate::http::drain::discard;
use crate::http::problem::{ApiError, Fault};
use crate::ids::TaskId;

/// The part of a form that is the file.
const PART: &str = "file";
/// The media types of bodies, as the document names them.
const RAW: &str = "application/octet-stream";
const FORM: &str = "multipart/form-data";

/// The most bytes until a part of a form begins, with what of the file comes in the same piece: HTTP/1 brings up to 400 KiB
/// at a time.
const MAX_HEADERS: u64 = 1024 * 1024;

type Body = BoxStream<'static, io::Result<Bytes>>;

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Between two pieces.
    pub(super) silence: Duration,
    /// For the whole file.
    pub(super) whole: Duration,
}

/// A body that has not been read yet, and what its headers say.
pub(super) struct Incoming {
    headers: HeaderMap,
    body: Body,
}

impl<'a> ApiExtractor<'a> for Incoming {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(_registry: &mut Registry) {}

    fn request_meta() -> Option<MetaRequest> {
        let binary = || {
            let file = MetaSchema { min_length: Some(1), ..MetaSchema::new_with_format("string", "binary") };
            MetaSchemaRef::Inline(Box::new(file))
        };
        let form = MetaSchema { required: vec![PART], properties: vec![(PART, binary())], ..MetaSchema::new("object") };
        let content = vec![
            MetaMediaType { content_type: RAW, schema: binary() },
            MetaMediaType { content_type: FORM, schema: MetaSchemaRef::Inline(Box::new(form)) },
        ];
        let description = Some("The file as it is, of any type; or a form with one part `file`.");
        Some(MetaRequest { description, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let body = body.take()?.into_bytes_stream().boxed();
        Ok(Self { headers: request.headers().clone(), body })
    }
}

/// What is wrong with an upload: something of the request itself, or of its file.
enum Refusal {
    Request(ApiError),
    File(AttachmentError),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Request(error)
    }
}

impl From<AttachmentError> for Refusal {
    fn from(error: AttachmentError) -> Self {
        Self::File(error)
    }
}

impl Incoming {
    /// Takes the file into the store. What is left of a body that is refused is thrown away, so that the client sees why.
    pub(super) async fn receive(
        self,
        attachments: &Attachments,
        caller: &Caller,
        task: TaskId,
        name: Option<String>,
        patience: Patience,
    ) -> Result<Received, ApiError> {
        let Self { headers, mut body } = self;
        let asked = Asked { attachments, caller, task, name, patience, until: Instant::now() + patience.whole };
        let error = match asked.receive(&headers, &mut body).await {
            Ok(received) => return Ok(received),
            Err(Refusal::Request(error)) => error,
            Err(Refusal::File(error)) => error.into(),
        };
        // A client that waits for `100 Continue` has sent nothing, and one that is too slow would be waited for again.
        if !headers.contains_key(EXPECT) && error.status() != StatusCode::REQUEST_TIMEOUT {
            discard(body).await;
        }
        Err(error)
    }
}

/// Where the bytes of a file come from.
enum Source<'a, 'r> {
    Raw(&'a mut Body),
    Part(&'a mut Field<'r>),
}

impl Source<'_, '_> {
    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        match self {
            Self::Raw(body) => body.try_next().await.map_err(|error| unreadable(&error)),
            Self::Part(part) => part.chunk().await.map_err(|error| unreadable(&error)),
        }
    }
}

/// A body that fails when it has more than `left` bytes: what stands around the parts of a form is held in memory.
fn within(body: &mut Body, left: Arc<AtomicU64>) -> impl Stream<Item = io::Result<Bytes>> + Send + '_ {
    body.map(move |piece| {
        let piece = piece?;
        let taken = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| match left {
            u64::MAX => Some(left),
            left => left.checked_sub(piece.len() as u64),
        });
        taken.map(|_| piece).map_err(|_| io::Error::other("the form's headers are too long"))
    })
}

/// One upload: who sends what, and how long that may take.
struct Asked<'a> {
    attachments: &'a Attachments,
    caller: &'a Caller,
    task: TaskId,
    name: Option<String>,
    patience: Patience,
    until: Instant,
}

impl Asked<'_> {
    async fn receive(&self, headers: &HeaderMap, body: &mut Body) -> Result<Received, Refusal> {
        check_encoding(headers)?;
        let kind = text_of(headers, CONTENT_TYPE.as_str())?;
        if kind.to_ascii_lowercase().trim_start().starts_with(FORM) {
            let boundary = multer::parse_boundary(kind).map_err(|error| unreadable(&error))?;
            return self.receive_form(boundary, body).await;
        }
        let name = match headers.get(CONTENT_DISPOSITION) {
            Some(value) => disposition::read(value.as_bytes()).map_err(header_fault)?.file_name,
            None => None,
        };
        let announced = self.announced(name, kind, declared_length(headers), "Content-Disposition:")?;
        let receiving = self.attachments.receive(self.caller, announced).await?;
        self.take_all(receiving, Source::Raw(body)).await
    }

    /// A form with one part, the file.
    async fn receive_form(&self, boundary: String, body: &mut Body) -> Result<Received, Refusal> {
        let left = Arc::new(AtomicU64::new(MAX_HEADERS));
        let mut form = Multipart::new(within(body, Arc::clone(&left)), boundary);
        let Some(mut part) = self.next_part(&mut form).await? else {
            return Err(ApiError::invalid(vec![Fault::new("/file", "is required")]).into());
        };
        let described = disposition_of(&part)?;
        if described.name.as_deref() != Some(PART) {
            return Err(unknown_part(described.name.as_deref()).into());
        }
        let kind = text_of(part.headers(), CONTENT_TYPE.as_str())?.to_owned();
        let announced = self.announced(described.file_name, &kind, None, "/file")?;
        let receiving = self.attachments.receive(self.caller, announced).await?;
        // The file itself is counted where it is taken.
        left.store(u64::MAX, Ordering::Relaxed);
        let received = self.take_all(receiving, Source::Part(&mut part)).await?;
        drop(part);
        left.store(MAX_HEADERS, Ordering::Relaxed);
        let more = match self.next_part(&mut form).await {
            Ok(None) => return Ok(received),
            Ok(Some(more)) => match disposition_of(&more) {
                Ok(described) => unknown_part(described.name.as_deref()).into(),
                Err(error) => error.into(),
            },
            Err(refusal) => refusal,
        };
        self.attachments.discard(received).await;
        Err(more)
    }

    async fn next_part<'r>(&self, form: &mut Multipart<'r>) -> Result<Option<Field<'r>>, Refusal> {
        self.in_time(form.next_field()).await?.map_err(|error| unreadable(&error).into())
    }

    fn announced(
        &self,
        name: Option<String>,
        kind: &str,
        least_bytes: Option<u64>,
        field: &str,
    ) -> Result<Announced, Refusal> {
        let (name, field) = match &self.name {
            Some(name) => (Some(name.clone()), "?filename"),
            None => (name, field),
        };
        let name = name.map(|name| FileName::new(&name)).transpose();
        let name = name.map_err(|fault| ApiError::invalid(vec![Fault::new(field, fault.to_string())]))?;
        Ok(Announced { task: self.task, name, media_type: MediaType::parse(kind)?, least_bytes })
    }

    /// Takes piece after piece until there are no more.
    async fn take_all(&self, mut receiving: Receiving, mut from: Source<'_, '_>) -> Result<Received, Refusal> {
        loop {
            let taken = match self.in_time(from.next()).await {
                Ok(Ok(Some(piece))) => receiving.take(&piece).await.map_err(Refusal::from),
                Ok(Ok(None)) => return Ok(receiving.finish().await?),
                Ok(Err(error)) => Err(error.into()),
                Err(refusal) => Err(refusal),
            };
            if let Err(refusal) = taken {
                receiving.abort().await;
                return Err(refusal);
            }
        }
    }

    /// Waits for the client, but not for ever.
    async fn in_time<T>(&self, next: impl Future<Output = T>) -> Result<T, Refusal> {
        let patience = self.patience;
        match timeout_at(self.until, timeout(patience.silence, next)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(_)) => Err(AttachmentError::TooSlow(patience.silence).into()),
            Err(_) => Err(AttachmentError::TooSlow(patience.whole).into()),
        }
    }
}

fn disposition_of(part: &Field<'_>) -> Result<disposition::Disposition, ApiError> {
    let value = part.headers().get(CONTENT_DISPOSITION).map(poem::http::HeaderValue::as_bytes).unwrap_or_default();
    disposition::read(value).map_err(|fault| ApiError::invalid(vec![Fault::new("/file", fault.to_string())]))
}

fn unknown_part(name: Option<&str>) -> ApiError {
    // A name that a client made up, as far as it can be repeated.
    let shown: String = name.unwrap_or_default().chars().filter(|c| !c.is_control()).take(60).collect();
    let fault = match shown.as_str() {
        "" => Fault::new("", "must have one part, called `file`"),
        PART => Fault::new("/file", "must be there once"),
        other => Fault::new(format!("/{other}"), "is not known; the form has one part, called `file`"),
    };
    ApiError::invalid(vec![fault])
}

fn header_fault(fault: NameFault) -> ApiError {
    ApiError::invalid(vec![Fault::new("Content-Disposition:", fault.to_string())])
}

fn text_of<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, ApiError> {
    let Some(value) = headers.get(name) else { return Ok("") };
    value.to_str().map_err(|_| {
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The type is not taken")
            .detail("`Content-Type` must be a media type such as `application/pdf`.")
    })
}

fn check_encoding(headers: &HeaderMap) -> Result<(), ApiError> {
    let encoding = headers.get(CONTENT_ENCODING).map(poem::http::HeaderValue::as_bytes);
    if encoding.is_none_or(|encoding| encoding.eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", "The type is not taken")
        .detail("Compressed bodies are not read; send it without `Content-Encoding`.")
        .header(ACCEPT_ENCODING, "identity"))
}

/// How long the body says it is; `None` when it comes in chunks.
fn declared_length(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(TRANSFER_ENCODING) {
        return None;
    }
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn unreadable(error: &(dyn std::error::Error + 'static)) -> ApiError {
    tracing::debug!(error, "an upload broke off");
    ApiError::new(StatusCode::BAD_REQUEST, "malformed-body", "The body cannot be read")
        .detail("It ended before its time, or is no form.")
}
