//! Tells the service manager (systemd, `Type=notify`) how far a start or a stop is; without one, nothing happens.

use sd_notify::NotifyState;

/// Requests are answered from now on.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// What was begun is finished, and nothing new is begun.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
