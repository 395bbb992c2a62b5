//! Redis, where there is to be one: reached at the start, and told of in `/health`.

use std::sync::Arc;

use super::starting::StartError;
use crate::config::Config;
use crate::observe::health::{Finding, Health, Need, Status};
use crate::secret_key::SecretKey;
use crate::shared::Shared;

/// Reaches for Redis where there is to be one.
pub(super) async fn reach(config: &Config, secret: &SecretKey) -> Result<Option<Arc<Shared>>, StartError> {
    match &config.storage.redis_url {
        Some(url) => Ok(Some(Arc::new(Shared::start(url, config.storage.redis_timeout, secret).await?))),
        None => Ok(None),
    }
}

/// Looks after Redis too, where there is to be one.
pub(super) fn with_redis(health: Health, shared: Option<Arc<Shared>>) -> Health {
    match shared {
        Some(shared) => health.with("redis", Need::Useful, move || std::future::ready(shared_finding(&shared))),
        None => health,
    }
}

/// Without Redis everything works, but an instance counts alone.
fn shared_finding(shared: &Shared) -> Finding {
    if shared.is_reachable() {
        Finding::HEALTHY
    } else {
        Finding::new(Status::Degraded, "Redis cannot be reached; this instance counts its limits alone")
    }
}
