//! Clocks that must agree: tokens, codes and one-time passwords live for seconds and minutes.

use super::finding::{Findings, Level};
use crate::clock::{Clock, Timestamp};

/// Seconds by which clocks may differ unnoticed: an answer needs a moment to arrive, and `Date` counts whole seconds.
const CLOSE: i64 = 3;
/// Seconds from which on codes and one-time passwords fail.
const FAR: i64 = 30;
/// 2026-01-01: no clock of a machine that runs this program can be before it.
const YESTERDAY: i64 = 1_767_225_600;

/// Whether this machine's clock can be right at all.
pub(super) fn check(clock: &Clock, findings: &mut Findings) {
    let now = clock.now();
    if now.as_seconds() < YESTERDAY {
        let advice = "set the clock and keep it right: `timedatectl set-ntp true`";
        findings.problem("clock.machine", format!("this machine thinks that it is {now}"), advice);
    } else {
        findings.ok("clock.machine", now.to_string());
    }
}

/// Compares another clock with this machine's.
pub(super) fn compare(check: &'static str, whose: &str, theirs: Timestamp, ours: Timestamp, findings: &mut Findings) {
    let apart = theirs.as_seconds() - ours.as_seconds();
    if apart.abs() <= CLOSE {
        findings.ok(check, format!("{whose} agrees with this machine's"));
        return;
    }
    let level = if apart.abs() > FAR { Level::Problem } else { Level::Warning };
    let direction = if apart > 0 { "ahead of" } else { "behind" };
    findings.fault(
        level,
        check,
        format!("{whose} is {} s {direction} this machine's", apart.abs()),
        "let both follow a time server: `timedatectl set-ntp true`",
    );
}
