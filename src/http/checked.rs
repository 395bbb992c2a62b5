//! Bodies that the contract has checked: to be acted on, or only rehearsed.
//!
//! When the schema refuses a request, the contract layer still asks the operation what else is wrong with the rest of
//! it, by a body of the type `REHEARSAL`, which no client can send. Only this payload reads it, so an operation that
//! does not know of rehearsals is never run by one.

use poem::{Request, RequestBody};
use poem_openapi::error::ContentTypeError;
use poem_openapi::payload::{Json, ParsePayload, Payload};
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaSchemaRef, Registry};
use poem_openapi::types::ParseFromJSON;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use super::problem::ApiError;
use crate::fault::Purpose;

/// The media type of what is left of a refused body.
pub(super) const REHEARSAL: &str = "application/x.mindflow.rehearsal";

/// A JSON body, and what is to be done with it.
#[derive(Debug)]
pub struct Checked<T> {
    value: T,
    purpose: Purpose,
}

impl<T> Checked<T> {
    /// The body, and whether it may be acted on.
    pub fn open(self) -> (T, Purpose) {
        (self.value, self.purpose)
    }

    /// The body when it may be acted on.
    ///
    /// # Errors
    ///
    /// What `rule` says about one that is only rehearsed; a rule that an action keeps by itself is not asked twice.
    pub fn held_against<E: Into<ApiError>>(self, rule: impl FnOnce(T) -> Result<(), E>) -> Result<T, ApiError> {
        match self.purpose {
            Purpose::Act => Ok(self.value),
            Purpose::Rehearse => Err(rule(self.value).err().map_or_else(ApiError::rehearsed, Into::into)),
        }
    }
}

impl<'a, T: ParseFromJSON> ApiExtractor<'a> for Checked<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema: MetaSchemaRef = T::schema_ref();
        let content = vec![MetaMediaType { content_type: <Json<T> as Payload>::CONTENT_TYPE, schema }];
        Some(MetaRequest { description: None, content, required: T::IS_REQUIRED })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let purpose = match request.content_type() {
            Some(REHEARSAL) => Purpose::Rehearse,
            Some(kind) if Json::<T>::check_content_type(kind) => Purpose::Act,
            Some(kind) => return Err(ContentTypeError::NotSupported { content_type: kind.to_owned() }.into()),
            None => return Err(ContentTypeError::ExpectContentType.into()),
        };
        let Json(value) = <Json<T> as ParsePayload>::from_request(request, body).await?;
        Ok(Self { value, purpose })
    }
}
