//! Whether the object store answers, for `/health`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::clock::{Clock, Timestamp};
use crate::objects::{Objects, ObjectsError};
use crate::observe::health::{Finding, Status};

/// How long a finding is good: anyone may ask `/health` as often as they like, and buckets charge for each question.
const FRESH: Duration = Duration::from_secs(10);

/// The check of `objects`.
pub(super) fn check(
    objects: &Objects,
    clock: &Clock,
) -> impl Fn() -> BoxFuture<'static, Finding> + Send + Sync + use<> {
    let (objects, clock) = (objects.clone(), clock.clone());
    let last: Arc<Mutex<Option<(Timestamp, Finding)>>> = Arc::default();
    move || {
        let (objects, now, last) = (objects.clone(), clock.now(), Arc::clone(&last));
        Box::pin(async move {
            let known = last.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((asked, finding)) = known
                && now < asked.plus(FRESH)
            {
                return finding;
            }
            let finding = finding(objects.check().await);
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, finding.clone()));
            finding
        })
    }
}

fn finding(checked: Result<(), ObjectsError>) -> Finding {
    let Err(error) = checked else { return Finding::HEALTHY };
    tracing::warn!(error = &error as &dyn std::error::Error, "the object store has a fault");
    let details = match error {
        ObjectsError::Folder { .. } => "the folder of attachments cannot be written",
        ObjectsError::Refused(_) => "the object store refuses the credentials",
        _ => "the object store does not answer",
    };
    Finding::new(Status::Unhealthy, details)
}
