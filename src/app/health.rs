//! The checks of `/health`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use crate::background::{Attention, standing};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::mail::Post;
use crate::observe::health::{Finding, Health, Need, Status};
use crate::policies::live::LivePolicies;
use crate::store::mails::MailCount;
use crate::store::{Store, StoreError, StoreResult};

/// Every check that needs nothing but these.
pub(super) fn health(
    config: &Config,
    store: &Store,
    policies: &Arc<LivePolicies>,
    clock: &Clock,
    post: &Post,
) -> Health {
    let (shared, clock) = (store.clone(), clock.clone());
    let (store, policies) = (store.clone(), Arc::clone(policies));
    Health::new(config.server.environment)
        .with("database", Need::Vital, move || {
            let store = store.clone();
            async move {
                match store.ping().await {
                    Ok(()) => Finding::HEALTHY,
                    Err(StoreError::Moved) => Finding::new(
                        Status::Unhealthy,
                        "the database file was moved or deleted; put it back and restart",
                    ),
                    Err(_) => Finding::new(Status::Unhealthy, "the database cannot be reached"),
                }
            }
        })
        .with("policies", Need::Useful, move || {
            let finding = policies_finding(&policies);
            async move { finding }
        })
        .with("mail", Need::Useful, {
            let (post, clock) = (post.clone(), clock.clone());
            move || {
                let (post, now) = (post.clone(), clock.now());
                async move { mail_finding(&post.count().await, now) }
            }
        })
        .with("background", Need::Useful, move || {
            let (store, now) = (shared.clone(), clock.now());
            async move { background_finding(standing(&store, now).await) }
        })
}

/// How long mail may wait before operators hear of it.
const MAIL_WAITS: Duration = Duration::from_mins(30);

/// Mail that was given up is counted, and does not make the server ill: anybody can name an address that is none. Mail that
/// waits for long does.
fn mail_finding(count: &StoreResult<MailCount>, now: Timestamp) -> Finding {
    let Ok(MailCount { waiting, dead, oldest_at }) = *count else { return Finding::HEALTHY };
    let waits = oldest_at.is_some_and(|at| Timestamp::from_micros(at).plus(MAIL_WAITS) < now);
    let details = (waits || dead > 0).then(|| json!({ "waiting": waiting, "given_up": dead }));
    Finding { status: if waits { Status::Degraded } else { Status::Healthy }, details }
}

/// Background work that fails or that nobody does. Without a database nothing is known of it, which is told elsewhere.
fn background_finding(standing: StoreResult<Vec<Attention>>) -> Finding {
    match standing {
        Ok(duties) if !duties.is_empty() => Finding::new(Status::Degraded, json!({ "attention": duties })),
        _ => Finding::HEALTHY,
    }
}

/// How many failing examples of a policy `/health` lists; `mindflow policy test` lists all.
const EXAMPLES_SHOWN: usize = 3;

/// What operators should know about their policies: files that were refused, examples that fail.
fn policies_finding(policies: &LivePolicies) -> Finding {
    let status = if policies.is_healthy() { Status::Healthy } else { Status::Degraded };
    let all = policies.status().into_iter();
    let troubled = all.filter(|policy| policy.refused.is_some() || !policy.failing_cases.is_empty());
    let troubled: Vec<_> = troubled
        .map(|mut policy| {
            let failing = policy.failing_cases.len();
            policy.failing_cases.truncate(EXAMPLES_SHOWN);
            let mut told = json!(policy);
            told["failing_cases_total"] = json!(failing);
            // Neither is a trouble.
            if let Some(told) = told.as_object_mut() {
                told.retain(|name, _| name != "params" && name != "warnings");
            }
            told
        })
        .collect();
    let score_faults = policies.score_faults();
    if troubled.is_empty() && score_faults == 0 {
        return Finding { status, details: None };
    }
    Finding::new(status, json!({ "attention": troubled, "score_faults": score_faults }))
}
