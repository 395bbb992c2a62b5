//! One policy's next state: what is taken over, what is refused.

use std::path::Path;
use std::sync::Arc;

use super::{CaseRule, Entry, Judged, LivePolicies, Origin, Refusal};
use crate::policies::cases::{CaseFailure, ExampleFile, run_cases};
use crate::policies::fault::{Place, PolicyFault};
use crate::policies::folder::{SCRIPT_FILE, Source};
use crate::policies::pins::Pin;
use crate::policies::script::ScriptPolicy;
use crate::policies::shipped::{self, DEFAULT};
use crate::scoring::Policy;
use crate::scoring::lower::Obstacle;

impl LivePolicies {
    /// The next state of a policy whose files changed. What is broken leaves the live version as it is.
    pub(super) fn take_over(
        &self,
        name: &str,
        before: Option<&Entry>,
        (source, pin): (Option<&Source>, Option<&Pin>),
    ) -> Entry {
        let mut entry = before.cloned().unwrap_or_else(|| self.unknown(name));
        entry.source = source.cloned();
        entry.pin = pin.cloned();
        let cases = source.map_or(&[][..], |source| &source.cases);
        if let Some(pin) = pin {
            // It was held against its examples when it was activated.
            match self.judge(name, &entry, (&pin.place(name), &pin.source, cases), CaseRule::Warn) {
                Ok(judged) => self.go_live(&mut entry, judged, (Origin::Activated, &pin.source)),
                Err(faults) => self.refuse(name, &mut entry, faults),
            }
            return entry;
        }
        let Some(source) = source else {
            let file = before.and_then(|entry| entry.source.as_ref()).map(|source| source.file.clone());
            let file = file.unwrap_or_else(|| self.folder.join(name).join(SCRIPT_FILE));
            let kept = match entry.origin {
                Some(Origin::Shipped) => "the file is not there; the shipped policy is in use",
                _ => "the file is not there; the last version in order stays in use",
            };
            self.refuse(name, &mut entry, vec![PolicyFault::new(&file, kept)]);
            return entry;
        };
        let text = source.text.as_ref().map_err(|message| vec![PolicyFault::new(&source.file, message)]);
        let judged = text.and_then(|text| {
            let judged = self.judge(name, &entry, (&source.file, text, cases), self.case_rule)?;
            Ok((judged, text))
        });
        match judged {
            Ok((judged, text)) => self.go_live(&mut entry, judged, (Origin::File, text)),
            Err(faults) => {
                self.refuse(name, &mut entry, faults);
                self.remember(name, &mut entry, cases);
            }
        }
        entry
    }

    /// Where nothing of the operator's is in use yet, what was in use before this start is better than nothing.
    fn remember(&self, name: &str, entry: &mut Entry, cases: &[ExampleFile]) {
        if !matches!(entry.origin, None | Some(Origin::Shipped)) {
            return;
        }
        let Some((file, text)) = self.last_good.as_ref().and_then(|kept| kept.read(name)) else { return };
        if let Ok(judged) = self.judge(name, entry, (&file, &text, cases), CaseRule::Warn) {
            let refused = entry.refused.take();
            self.go_live(entry, judged, (Origin::LastGood, &text));
            entry.refused = refused;
        }
    }

    fn unknown(&self, name: &str) -> Entry {
        let live = (name == DEFAULT).then(|| Arc::clone(&self.shipped));
        Entry {
            source: None,
            pin: None,
            text: live.as_ref().map(|_| Arc::from(shipped::SCRIPT)),
            origin: live.as_ref().map(|_| Origin::Shipped),
            live_since: live.as_ref().map(|_| self.clock.now()),
            live,
            refused: None,
            failing_cases: Vec::new(),
            reloads: [0; 2],
        }
    }

    fn judge(
        &self,
        name: &str,
        entry: &Entry,
        (file, text, cases): (&Path, &str, &[ExampleFile]),
        case_rule: CaseRule,
    ) -> Result<Judged, Vec<PolicyFault>> {
        // By the text: a version's name is too short to stand for it against somebody who looks for another text.
        let same = |live: &&Arc<ScriptPolicy>| entry.text.as_deref() == Some(text) && live.file() == file;
        let policy = match entry.live.as_ref().filter(same) {
            Some(live) => Arc::clone(live),
            None => Arc::new(self.try_out(name, file, text)?.counting(Arc::clone(&self.faults))),
        };
        let failing = run_cases(&*policy, cases).failures;
        policy.count_from_now();
        if case_rule == CaseRule::Require && !failing.is_empty() {
            return Err(failing.iter().map(case_fault).collect());
        }
        Ok((policy, failing))
    }

    fn go_live(&self, entry: &mut Entry, (policy, failing_cases): Judged, (origin, text): (Origin, &str)) {
        if let Some(kept) = self.last_good.as_ref().filter(|_| origin != Origin::LastGood) {
            kept.keep(policy.name(), text);
        }
        entry.origin = Some(origin);
        entry.text = Some(Arc::from(text));
        for failure in &failing_cases {
            let case = failure.case.as_deref().unwrap_or("");
            let file = failure.file.display();
            tracing::warn!(policy.name = policy.name(), %file, case, reason = failure.message, "policy example fails");
        }
        let known = entry.live.as_ref().is_some_and(|live| Arc::ptr_eq(live, &policy));
        if !known || entry.refused.is_some() {
            let file = policy.file().display();
            entry.reloads[0] += 1;
            tracing::info!(policy.name = policy.name(), policy.version = policy.version(), %file, "policy live");
            if let Err(Obstacle { message, line, column }) = policy.program() {
                tracing::warn!(
                    policy.name = policy.name(), %file, line, column, reason = message,
                    "the policy is interpreted: its scores cost far more than compiled ones"
                );
            }
        }
        for reason in self.variants.faults(&policy) {
            tracing::warn!(policy.name = policy.name(), reason, "setting of a policy passed over");
        }
        if !known {
            entry.live_since = Some(self.clock.now());
            if origin == Origin::File {
                self.note_saved(policy.name(), policy.version(), text);
            }
        }
        entry.live = Some(policy);
        entry.refused = None;
        entry.failing_cases = failing_cases;
    }

    fn refuse(&self, name: &str, entry: &mut Entry, faults: Vec<PolicyFault>) {
        entry.reloads[1] += 1;
        let version = entry.live.as_ref().map_or("none", |live| live.version());
        for fault in &faults {
            let (file, line, column) = (fault.file.display(), fault.line, fault.column);
            tracing::error!(
                policy.name = name, policy.version = version, %file, line, column, reason = fault.message,
                "policy refused; the version in use stays"
            );
        }
        let more_faults = faults.len().saturating_sub(1);
        if let Some(PolicyFault { file, line, column, message }) = faults.into_iter().next() {
            let since = self.clock.now();
            entry.refused = Some(Refusal { file, line, column, reason: message, more_faults, since });
        }
    }
}

fn case_fault(failure: &CaseFailure) -> PolicyFault {
    let message = match &failure.case {
        Some(case) => format!("the example \"{case}\" fails: {}", failure.message),
        None => failure.message.clone(),
    };
    PolicyFault::new(&failure.file, message).at(Place { line: failure.line, column: None })
}
