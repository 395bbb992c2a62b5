//! The client of a bucket.

use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

use super::error::ObjectsError;
use crate::config;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the service may be silent within an answer, or take one part.
const SILENCE: Duration = Duration::from_mins(1);
/// How often and how long a request is tried again.
const RETRIES: usize = 4;
const RETRY_FOR: Duration = Duration::from_secs(30);

/// Makes the client; nothing is asked yet. Without an access key, AWS's own variables and the machine's role are used.
pub(super) fn client(bucket: &str, settings: &config::Objects) -> Result<AmazonS3, ObjectsError> {
    let mut builder = match &settings.credentials {
        None => AmazonS3Builder::from_env(),
        Some((access_key, secret_key)) => {
            AmazonS3Builder::new().with_access_key_id(access_key.expose()).with_secret_access_key(secret_key.expose())
        }
    };
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    if let Some(region) = &settings.region {
        builder = builder.with_region(region);
    }
    builder
        .with_bucket_name(bucket)
        .with_virtual_hosted_style_request(!settings.path_style)
        // Not every service that speaks S3 knows how to delete several at once.
        .with_disable_bulk_delete(true)
        .with_client_options(options(settings))
        .with_retry(retries())
        .build()
        .map_err(|error| ObjectsError::Settings(error.into()))
}

/// A large object may take its time, as long as something happens.
fn options(settings: &config::Objects) -> ClientOptions {
    let plain = settings.endpoint.as_ref().is_some_and(|endpoint| endpoint.starts_with("http://"));
    ClientOptions::new()
        .with_allow_http(plain)
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENCE)
        .with_timeout_disabled()
}

fn retries() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: RETRIES, retry_timeout: RETRY_FOR }
}
