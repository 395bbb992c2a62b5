//! The policies in use: swapped in whole when a file changes, kept when a change is broken.

mod choosing;
mod replacing;
mod saved;
mod taking;
mod warnings;

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arc_swap::ArcSwap;
use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

use crate::calendar::Windows;
use crate::clock::{Clock, Timestamp};
use crate::observe::metrics::{PoliciesReading, PolicyReading};
use crate::scoring::Policy;
use crate::scoring::params::{ParamSetting, Params};

use super::candidates::Candidates;
use super::cases::{CaseFailure, ExampleFile};
use super::check::check;
use super::compile::compile;
use super::fault::PolicyFault;
use super::folder::{Source, read_folder};
use super::last_good::LastGood;
use super::pins::{Pin, Pins, file_version};
use super::script::ScriptPolicy;
use super::shadows::Shadows;
use super::shipped::{self, DEFAULT, ShippedError};
use super::variants::Variants;

use warnings::Warnings;

pub use replacing::{Preparation, Replacement};
pub use saved::Saved;

pub use super::status::{CaseRule, Execution, Origin, ParamStatus, PolicyStatus, Refusal, Reload};

/// One policy's state; replaced, never changed.
#[derive(Clone)]
struct Entry {
    source: Option<Source>,
    /// What somebody activated, while it holds.
    pin: Option<Pin>,
    live: Option<Arc<ScriptPolicy>>,
    /// The text of `live`.
    text: Option<Arc<str>>,
    origin: Option<Origin>,
    live_since: Option<Timestamp>,
    refused: Option<Refusal>,
    failing_cases: Vec<CaseFailure>,
    /// How often a saved file went live, and how often it was refused.
    reloads: [u64; 2],
}

/// What becomes of files that changed since the last look.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Changed {
    /// They are tried, and taken over if they are in order.
    TakenOver,
    /// Unless something stands in their place, everything stays until the next look.
    Left,
}

/// Texts of which it is remembered that they passed the check.
const MOST_PASSED: usize = 1_000;

type Table = BTreeMap<String, Entry>;

/// The policies in use. Reading is a pointer load; clones of what was read stay valid over a reload.
pub struct LivePolicies {
    folder: PathBuf,
    case_rule: CaseRule,
    clock: Clock,
    shipped: Arc<ScriptPolicy>,
    table: ArcSwap<Table>,
    /// What somebody activated; whoever holds this may change the table.
    reloading: Mutex<Pins>,
    last_good: Option<LastGood>,
    faults: Arc<AtomicU64>,
    candidates: ArcSwap<Candidates>,
    shadows: Shadows,
    /// How often something was taken back by itself, by policy.
    rollbacks: Mutex<BTreeMap<String, u64>>,
    variants: Variants,
    warnings: Warnings,
    changes: watch::Sender<u64>,
    /// What is done before policies are replaced.
    preparation: OnceLock<Preparation>,
    /// Files that came into force and were not noted yet.
    saved: Mutex<VecDeque<Saved>>,
    /// Hashes of names and texts that passed the check.
    passed: Mutex<HashSet<[u8; 32]>>,
}

/// A policy that is in order, and its examples that fail.
type Judged = (Arc<ScriptPolicy>, Vec<CaseFailure>);

/// What is in use of one policy.
#[derive(Clone)]
pub struct InUse {
    /// The policy, and its text; absent when there never was one in order.
    pub live: Option<(Arc<ScriptPolicy>, Arc<str>)>,
    /// Where it came from.
    pub origin: Option<Origin>,
    /// The version of the policy's file, in order or not.
    pub file_version: Option<String>,
    /// The examples beside the file.
    pub cases: Vec<ExampleFile>,
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
        Some(self.script(name)?)
    }

    fn script(&self, name: &str) -> Option<Arc<ScriptPolicy>> {
        let live = self.table.get(name).and_then(|entry| entry.live.clone());
        live.or_else(|| (name == DEFAULT).then(|| Arc::clone(&self.shipped)))
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
    /// Loads all policies of `folder`; one that does not exist is made, with the shipped policies in it.
    ///
    /// A broken file stops nothing: where no version in order is known, the shipped default runs and
    /// [`Self::status`] says why.
    ///
    /// # Errors
    ///
    /// The shipped policy itself does not run.
    pub fn open(folder: &Path, case_rule: CaseRule, clock: Clock) -> Result<Self, ShippedError> {
        Self::open_keeping(folder, None, case_rule, clock)
    }

    /// The same; the last version in order of each policy is kept in the folder `kept`, and used where a file is broken.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_keeping(
        folder: &Path,
        kept: Option<&Path>,
        case_rule: CaseRule,
        clock: Clock,
    ) -> Result<Self, ShippedError> {
        let faults = Arc::default();
        let policies = Self {
            folder: folder.to_owned(),
            case_rule,
            clock,
            shipped: Arc::new(shipped::policy()?.counting(Arc::clone(&faults))),
            table: ArcSwap::default(),
            reloading: Mutex::default(),
            last_good: kept.map(LastGood::in_folder),
            faults,
            candidates: ArcSwap::default(),
            shadows: Shadows::start(),
            rollbacks: Mutex::default(),
            variants: Variants::default(),
            warnings: Warnings::default(),
            changes: watch::Sender::new(0),
            preparation: OnceLock::new(),
            saved: Mutex::default(),
            passed: Mutex::default(),
        };
        if !folder.exists()
            && let Err(error) = shipped::write_to(folder)
        {
            tracing::warn!(folder = %folder.display(), %error, "the shipped policies could not be written down");
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

    /// The same with what an operator set of the policies' parameters; what is wrong with it is logged, and passed over.
    #[must_use]
    pub fn with_settings(mut self, settings: Vec<ParamSetting>) -> Self {
        self.variants = Variants::new(settings);
        for (name, reason) in self.setting_faults() {
            tracing::warn!(policy.name = name, reason, "setting of a policy passed over");
        }
        self
    }

    /// What is wrong with what an operator set of the policies' parameters: the policy, and what.
    pub fn setting_faults(&self) -> Vec<(String, String)> {
        let snapshot = self.snapshot();
        let of = |name: &str| match snapshot.script(name) {
            Some(policy) => self.variants.faults(&policy),
            None => vec![format!("there is no policy `{name}`")],
        };
        let names: BTreeSet<&str> = self.variants.names().collect();
        names.into_iter().flat_map(|name| of(name).into_iter().map(|reason| (name.to_owned(), reason))).collect()
    }

    /// What people may set of that policy, each with its value when they do not.
    pub fn open_params(&self, name: &str) -> Params {
        self.snapshot().script(name).map(|policy| self.variants.open_params(&policy)).unwrap_or_default()
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
        let now = self.clock.now();
        let status = |(name, entry): (&String, &Entry)| PolicyStatus {
            name: name.clone(),
            live_version: entry.live.as_ref().map(|live| live.version().to_owned()),
            origin: entry.origin,
            live_since: entry.live_since,
            execution: entry.live.as_ref().map(|live| live.execution(now)),
            interpreted: entry.live.as_ref().and_then(|live| live.program().err().cloned()),
            refused: entry.refused.clone(),
            failing_cases: entry.failing_cases.clone(),
            warnings: entry.live.as_ref().map(|live| self.warnings.of(live)).unwrap_or_default(),
            params: entry.live.as_ref().map(|live| self.variants.statuses(live)).unwrap_or_default(),
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
            rollbacks: self.rollbacks_of(name),
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
        let held = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&held, Changed::TakenOver)
    }

    /// Puts versions that were activated in the place of files, as far as those are as they were then; what was put
    /// there before and is not among them gives way to its file again. A file that changed is left to the next
    /// [`Self::reload`]: to try it takes longer than anybody should wait here. Blocking.
    pub fn set_pins(&self, pins: Pins) -> Reload {
        let mut held = self.reloading.lock().unwrap_or_else(PoisonError::into_inner);
        *held = pins;
        self.look(&held, Changed::Left)
    }

    fn look(&self, pins: &Pins, changed_files: Changed) -> Reload {
        let before = self.table.load_full();
        // Also where changed files are left: whether a pin holds is a matter of the files as they are.
        let sources = self.read();
        // A file that changed is newer than what was activated, unless it is as it was then.
        let pins: BTreeMap<&String, &Pin> = pins.iter().filter(|(name, pin)| pin.holds(sources.get(*name))).collect();
        let mut table = Table::new();
        let mut changed = Reload::Unchanged;
        let names =
            before.keys().chain(sources.keys()).chain(pins.keys().copied()).map(String::as_str).chain([DEFAULT]);
        for name in names.collect::<BTreeSet<_>>() {
            let entry = before.get(name);
            // What is the file's own text needs no other place.
            let pin = pins.get(&name.to_owned()).copied().filter(|pin| Some(&pin.version) != pin.file_version.as_ref());
            let source = sources.get(name);
            let is_known = entry.and_then(|entry| entry.source.as_ref()) == source;
            let is_left = changed_files == Changed::Left && !is_known && pin.is_none();
            let same = is_known && entry.is_some_and(|entry| entry.pin.as_ref() == pin);
            if same || is_left {
                table.extend(entry.map(|entry| (name.to_owned(), entry.clone())));
                continue;
            }
            changed = Reload::Changed;
            table.insert(name.to_owned(), self.take_over(name, entry, (source, pin)));
        }
        if changed == Reload::Changed {
            self.replace(&before, table);
        }
        changed
    }

    /// What is in use of one policy, with its text, and the version of its file.
    pub fn in_use(&self, name: &str) -> Option<InUse> {
        let table = self.table.load();
        let entry = table.get(name)?;
        let live = entry.live.clone().zip(entry.text.clone());
        Some(InUse {
            live,
            origin: entry.origin,
            file_version: entry.source.as_ref().map(file_version),
            cases: entry.source.as_ref().map(|source| source.cases.clone()).unwrap_or_default(),
        })
    }

    /// Checks a text as a file of the policy `name` is checked, and takes nothing over. Blocking.
    ///
    /// # Errors
    ///
    /// Every fault with its place.
    pub fn try_out(&self, name: &str, place: &Path, text: &str) -> Result<ScriptPolicy, Vec<PolicyFault>> {
        let key: [u8; 32] = Sha256::new().chain_update(name).chain_update([0]).chain_update(text).finalize().into();
        let passed = || self.passed.lock().unwrap_or_else(PoisonError::into_inner);
        // What was tried in this process once need not be tried again: the same text does the same.
        if passed().contains(&key) {
            return Ok(ScriptPolicy::new(name, compile(place, text)?, self.shipped.windows()));
        }
        let script = check(name, place, text, self.shipped.windows())?;
        if script.is_distrusted() {
            return Ok(script);
        }
        let mut passed = passed();
        if passed.len() >= MOST_PASSED {
            passed.clear();
        }
        passed.insert(key);
        Ok(script)
    }

    /// A folder that cannot be listed has no policies; each that was there is then reported as gone.
    fn read(&self) -> BTreeMap<String, Source> {
        read_folder(&self.folder).unwrap_or_else(|error| {
            tracing::debug!(folder = %self.folder.display(), %error, "the policies folder cannot be listed");
            BTreeMap::new()
        })
    }
}
