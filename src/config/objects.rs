//! `[objects]` and `[attachments]`: where files are kept, and how much of them.

use std::time::Duration;

use super::source::Values;
use super::value::{self, Secret};

/// How the object store is reached.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// A folder's path, a `file:` URL or `s3://BUCKET/PREFIX`; `None` means the folder `objects` of the data folder.
    pub url: Option<String>,
    /// The URL of the S3-compatible service; `None` is Amazon's own.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: Option<String>,
    /// Access key and secret key; `None` leaves it to AWS's own variables and the machine's role.
    pub credentials: Option<(Secret, Secret)>,
    /// Whether the bucket stands in the URL's path (`true`) or in its host name.
    pub path_style: bool,
}

/// What may be attached to tasks.
#[derive(Clone, Debug)]
pub struct Attachments {
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// The most bytes of one person's files together; `None` is no limit.
    pub quota_bytes: Option<u64>,
    /// The most files of one task.
    pub per_task: u32,
    /// Media types that are taken, such as `application/pdf` and `image/*`; empty means all.
    pub allowed_types: Vec<String>,
    /// How long a signed URL works.
    pub url_life: Duration,
    /// Whether signed URLs lead to the bucket itself, where there is one.
    pub direct_downloads: bool,
    /// How long one upload may take.
    pub upload_timeout: Duration,
}

const MEBIBYTE: u64 = 1024 * 1024;

impl Objects {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let (url, bucket) =
            (values.get("objects.url", value::optional_place), values.get("objects.bucket", value::optional_bucket));
        let access_key = values.get("objects.access_key", value::optional_secret);
        let secret_key = values.get("objects.secret_key", value::optional_secret);
        if access_key.is_some() != secret_key.is_some() {
            values.fault("objects.access_key", "it and `objects.secret_key` need each other");
        }
        Self {
            url: url.or_else(|| bucket.map(|bucket| format!("s3://{bucket}"))),
            endpoint: values.get("objects.endpoint", value::public_url),
            region: values.get("objects.region", value::optional_words),
            credentials: access_key.zip(secret_key),
            path_style: values.get("objects.path_style", value::boolean),
        }
    }
}

impl Attachments {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let quota: u64 = values.get("attachments.quota_mb", value::integer(0, 100_000_000));
        let minutes: u64 = values.get("attachments.url_minutes", value::integer(1, 10_080));
        let seconds = values.get("attachments.upload_timeout_seconds", value::integer(1, 86_400));
        Self {
            max_bytes: MEBIBYTE * values.get("attachments.max_size_mb", value::integer(1_u64, 5_120)),
            quota_bytes: (quota > 0).then_some(quota * MEBIBYTE),
            per_task: values.get("attachments.per_task", value::integer(1, 10_000)),
            allowed_types: values.get("attachments.allowed_types", value::media_types),
            url_life: Duration::from_mins(minutes),
            direct_downloads: values.get("attachments.direct_downloads", value::boolean),
            upload_timeout: Duration::from_secs(seconds),
        }
    }
}
