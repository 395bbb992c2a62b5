//! The policies in use: swapped in whole when a file changes, kept when a change is broken.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde::Serialize;
use tokio::sync::watch;

use crate::calendar::Windows;
use crate::clock::{Clock, Timestamp};
use crate::observe::metrics::{PoliciesReading, PolicyReading};
use crate::scoring::Policy;

use super::cases::{CaseFailure, run_cases};
use super::check::check;
use super::compile::version_of;
use super::fault::PolicyFault;
use super::folder::{SCRIPT_FILE, Source, read_folder};
use super::script::ScriptPolicy;
use super::shipped::{self, DEFAULT, ShippedError};

/// What failing examples mean for a saved file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaseRule {
    /// The policy goes live; the failures are reported.
    #[default]
    Warn,
    /// The policy is refused.
    Require,
}

/// Whether a look at the folder changed anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reload {
    /// All files are as they were.
    Unchanged,
    /// Something was taken over or refused.
    Changed,
}

/// A file that was not taken over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The file.
    pub file: PathBuf,
    /// The line of the first fault, from 1.
    pub line: Option<usize>,
    /// Its column, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub reason: String,
    /// How many more faults there are.
    pub more_faults: usize,
    /// Since when.
    pub since: Timestamp,
}

/// How one policy is doing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyStatus {
    /// Its name.
    pub name: String,
    /// The version in use; absent when there never was one in order.
    pub live_version: Option<String>,
    /// Since when that version is in use.
    pub live_since: Option<Timestamp>,
    /// Why the file as it is now is not in use.
    pub refused: Option<Refusal>,
    /// Examples beside the policy that do not come out.
    pub failing_cases: Vec<CaseFailure>,
}

/// One policy's state; replaced, never changed.
#[derive(Clone)]
struct Entry {
    source: Option<Source>,
    live: Option<Arc<ScriptPolicy>>,
    live_since: Option<Timestamp>,
    refused: Option<Refusal>,
    failing_cases: Vec<CaseFailure>,
    /// How often a saved file went live, and how often it was refused.
    reloads: [u64; 2],
}

type Table = BTreeMap<String, Entry>;

/// The policies in use. Reading is a pointer load; clones of what was read stay valid over a reload.
pub struct LivePolicies {
    folder: PathBuf,
    case_rule: CaseRule,
    clock: Clock,
    shipped: Arc<ScriptPolicy>,
    table: ArcSwap<Table>,
    reloading: Mutex<()>,
    faults: Arc<AtomicU64>,
    changes: watch::Sender<u64>,
}

/// All policies at one moment.
#[derive(Clone)]
pub struct Snapshot {
    table: Arc<Table>,
    shipped: Arc<ScriptPolicy>,
}

impl Snapshot {
    /// The policy of that name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Policy>> {
        let live = self.table.get(name).and_then(|entry| entry.live.clone());
        let live = live.or_else(|| (name == DEFAULT).then(|| Arc::clone(&self.shipped)))?;
        Some(live)
    }

    /// The default policy: there always is one.
    pub fn current(&self) -> Arc<dyn Policy> {
        self.get(DEFAULT).unwrap_or_else(|| Arc::clone(&self.shipped) as Arc<dyn Policy>)
    }

    /// The names of all policies in use.
    pub fn names(&self) -> Vec<String> {
        let live = self.table.iter().filter(|(name, entry)| entry.live.is_some() || *name == DEFAULT);
        let mut names: Vec<String> = live.map(|(name, _)| name.clone()).collect();
        if !self.table.contains_key(DEFAULT) {
            names.insert(0, DEFAULT.to_owned());
        }
        names
    }
}

impl LivePolicies {
    /// Loads all policies of `folder`; one that does not exist is made, with the shipped policy in it.
    ///
    /// A broken file stops nothing: where no version in order is known, the shipped default runs and
    /// [`Self::status`] says why.
    ///
    /// # Errors
    ///
    /// The shipped policy itself does not run.
    pub fn open(folder: &Path, case_rule: CaseRule, clock: Clock) -> Result<Self, ShippedError> {
        let faults = Arc::default();
        let policies = Self {
            folder: folder.to_owned(),
            case_rule,
            clock,
            shipped: Arc::new(shipped::policy()?.counting(Arc::clone(&faults))),
            table: ArcSwap::default(),
            reloading: Mutex::new(()),
            faults,
            changes: watch::Sender::new(0),
        };
        if !folder.exists()
            && let Err(error) = shipped::write_to(folder)
        {
            tracing::warn!(folder = %folder.display(), %error, "the shipped policy could not be written down");
        }
        policies.reload();
        Ok(policies)
    }

    /// The folder that is looked at.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// All policies as they are now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot { table: self.table.load_full(), shipped: Arc::clone(&self.shipped) }
    }

    /// The policy of that name.
    pub fn get(&self, name: &str) -> Option<Arc<dyn Policy>> {
        self.snapshot().get(name)
    }

    /// The default policy.
    pub fn current(&self) -> Arc<dyn Policy> {
        self.snapshot().current()
    }

    /// The default policy's windows: those of people who have set none.
    pub fn windows(&self) -> Windows {
        self.current().windows()
    }

    /// How many scores failed at run time since the start.
    pub fn score_faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Tells of each reload that changed anything.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// How each policy is doing, by name.
    pub fn status(&self) -> Vec<PolicyStatus> {
        let table = self.table.load();
        let status = |(name, entry): (&String, &Entry)| PolicyStatus {
            name: name.clone(),
            live_version: entry.live.as_ref().map(|live| live.version().to_owned()),
            live_since: entry.live_since,
            refused: entry.refused.clone(),
            failing_cases: entry.failing_cases.clone(),
        };
        table.iter().map(status).collect()
    }

    /// The same in numbers.
    pub fn reading(&self) -> PoliciesReading {
        let table = self.table.load();
        let policy = |(name, entry): (&String, &Entry)| PolicyReading {
            name: name.clone(),
            version: entry.live.as_ref().map(|live| live.version().to_owned()),
            live_since: entry.live_since.map(Timestamp::as_seconds),
            refused: entry.refused.is_some(),
            failing_examples: entry.failing_cases.len(),
            evaluations: entry.live.as_ref().map_or(0, |live| live.evaluations()),
            reloads: entry.reloads,
        };
        PoliciesReading { policies: table.iter().map(policy).collect(), score_faults: self.score_faults() }
    }

    /// Whether every file is in use as it is.
    pub fn is_healthy(&self) -> bool {
        self.table.load().values().all(|entry| entry.refused.is_none())
    }

    /// Whether the folder is no longer as it was at the last look. Blocking, as [`Self::reload`] is.
    pub fn has_changed(&self) -> bool {
        let sources = self.read();
        let table = self.table.load();
        let known = table.iter().filter_map(|(name, entry)| Some((name, entry.source.as_ref()?)));
        !known.eq(sources.iter())
    }

    /// Looks at the folder and takes over what changed and is in order. Blocking: not for an async thread.
    pub fn reload(&self) -> Reload {
        let _one_at_a_time = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.table.load_full();
        let sources = self.read();
        let mut table = Table::new();
        let mut changed = Reload::Unchanged;
        let names = before.keys().chain(sources.keys()).map(String::as_str).chain([DEFAULT]);
        for name in names.collect::<std::collections::BTreeSet<_>>() {
            let entry = before.get(name);
            let source = sources.get(name);
            let same = entry.is_some_and(|entry| entry.source.as_ref() == source);
            let next = match entry {
                Some(entry) if same => entry.clone(),
                _ => {
                    changed = Reload::Changed;
                    self.take_over(name, entry, source)
                }
            };
            table.insert(name.to_owned(), next);
        }
        if changed == Reload::Changed {
            self.table.store(Arc::new(table));
            self.changes.send_modify(|count| *count += 1);
        }
        changed
    }

    /// A folder that cannot be listed has no policies; each that was there is then reported as gone.
    fn read(&self) -> BTreeMap<String, Source> {
        read_folder(&self.folder).unwrap_or_else(|error| {
            tracing::debug!(folder = %self.folder.display(), %error, "the policies folder cannot be listed");
            BTreeMap::new()
        })
    }

    /// The next state of a policy whose files changed. What is broken leaves the live version as it is.
    fn take_over(&self, name: &str, before: Option<&Entry>, source: Option<&Source>) -> Entry {
        let mut entry = before.cloned().unwrap_or_else(|| self.unknown(name));
        entry.source = source.cloned();
        let Some(source) = source else {
            let file = before.and_then(|entry| entry.source.as_ref()).map(|source| source.file.clone());
            let file = file.unwrap_or_else(|| self.folder.join(name).join(SCRIPT_FILE));
            let kept = "the file is not there; the last version in order stays in use";
            self.refuse(name, &mut entry, vec![PolicyFault::new(&file, kept)]);
            return entry;
        };
        match self.judge(name, &entry, source) {
            Ok((policy, failing_cases)) => self.go_live(&mut entry, policy, failing_cases),
            Err(faults) => self.refuse(name, &mut entry, faults),
        }
        entry
    }

    fn unknown(&self, name: &str) -> Entry {
        let live = (name == DEFAULT).then(|| Arc::clone(&self.shipped));
        Entry {
            source: None,
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
        source: &Source,
    ) -> Result<(Arc<ScriptPolicy>, Vec<CaseFailure>), Vec<PolicyFault>> {
        let text = source.text.as_ref().map_err(|message| vec![PolicyFault::new(&source.file, message)])?;
        let same = |live: &&Arc<ScriptPolicy>| live.version() == version_of(text) && live.file() == source.file;
        let policy = match entry.live.as_ref().filter(same) {
            Some(live) => Arc::clone(live),
            None => {
                Arc::new(check(name, &source.file, text, self.shipped.windows())?.counting(Arc::clone(&self.faults)))
            }
        };
        let failing = run_cases(&*policy, &source.cases).failures;
        policy.count_from_now();
        if self.case_rule == CaseRule::Require && !failing.is_empty() {
            return Err(failing.iter().map(case_fault).collect());
        }
        Ok((policy, failing))
    }

    fn go_live(&self, entry: &mut Entry, policy: Arc<ScriptPolicy>, failing_cases: Vec<CaseFailure>) {
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
        }
        if !known {
            entry.live_since = Some(self.clock.now());
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
    PolicyFault::new(&failure.file, message)
}
