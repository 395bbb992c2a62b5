//! Notices every way in which a policy's file can change, and reloads.
//!
//! Events of the file system say only *that* something happened, never what: editors rename, Kubernetes swaps symbolic
//! links, and a watched file is forgotten once it is replaced. So folders are watched, and after the last event of a
//! burst everything is read and compared by content. Where no events arrive (network folders, single files mounted
//! into a container), the same is done every other second.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode};
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::live::LivePolicies;

/// How changes are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchOptions {
    /// Whether events of the file system are listened to.
    pub events: Events,
    /// How long it must be quiet after an event; an editor's save is several events.
    pub settle: Duration,
    /// How often the folder is read without any event.
    pub poll_every: Duration,
}

/// Whether events of the file system are listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// Where the system gives them.
    Heard,
    /// Never.
    Ignored,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self { events: Events::Heard, settle: Duration::from_millis(75), poll_every: Duration::from_secs(2) }
    }
}

enum Signal {
    Event,
    Stop,
}

/// The thread that watches; it ends when this is dropped.
pub struct PolicyWatch {
    signals: Sender<Signal>,
    thread: Option<JoinHandle<()>>,
}

impl PolicyWatch {
    /// Begins to watch the folder of `policies`.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(policies: Arc<LivePolicies>, options: WatchOptions) -> io::Result<Self> {
        let (signals, received) = channel();
        let listener = (options.events == Events::Heard).then(|| Listener::new(policies.folder(), &signals)).flatten();
        let thread = std::thread::Builder::new().name("policies".to_owned()).spawn(move || {
            give_way();
            watch(&policies, options, listener, &received);
        })?;
        Ok(Self { signals, thread: Some(thread) })
    }
}

impl Drop for PolicyWatch {
    fn drop(&mut self) {
        // The thread holds the receiver until it ends: nothing is lost by an error here.
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whoever waits for an answer comes before a policy's trial: this thread, and those that it starts, get a tenth of the
/// processor while there is other work, and all of it otherwise.
#[cfg(target_os = "linux")]
fn give_way() {
    // Of this thread alone: Linux counts niceness by thread.
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "policies are tried with the priority of everything else");
    }
}

#[cfg(not(target_os = "linux"))]
const fn give_way() {}

fn watch(policies: &LivePolicies, options: WatchOptions, mut listener: Option<Listener>, signals: &Receiver<Signal>) {
    loop {
        match signals.recv_timeout(options.poll_every) {
            Ok(Signal::Event) => {
                if settle(signals, options.settle).is_err() {
                    return;
                }
                // Before reading: what changes from here on gives a new event.
                listener.iter_mut().for_each(Listener::follow);
                policies.reload();
            }
            Err(RecvTimeoutError::Timeout) => {
                if !policies.has_changed() {
                    continue;
                }
                // Whoever writes may not have finished.
                if settle(signals, options.settle).is_err() {
                    return;
                }
                listener.iter_mut().for_each(Listener::follow);
                policies.reload();
            }
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

struct Stopped;

/// Waits until it is quiet, but not for ever: a folder in which something always happens must not hide a change.
fn settle(signals: &Receiver<Signal>, quiet: Duration) -> Result<(), Stopped> {
    let begun = Instant::now();
    while begun.elapsed() < quiet * 4 {
        match signals.recv_timeout(quiet) {
            Ok(Signal::Event) => {}
            Err(RecvTimeoutError::Timeout) => break,
            Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return Err(Stopped),
        }
    }
    Ok(())
}

/// The folders from which events come: the policies folder, the one around it, and each policy's.
struct Listener {
    folder: PathBuf,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
}

impl Listener {
    fn new(folder: &Path, signals: &Sender<Signal>) -> Option<Self> {
        let signals = signals.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            if event.is_ok_and(|event| !is_reading(event.kind)) {
                // The receiver is gone only when the watch has ended.
                let _ = signals.send(Signal::Event);
            }
        });
        match watcher {
            Ok(watcher) => {
                let mut listener = Self { folder: folder.to_owned(), watcher, watched: BTreeSet::new() };
                listener.follow();
                Some(listener)
            }
            Err(error) => {
                tracing::warn!(%error, "no events of the file system: policies are looked at every other second");
                None
            }
        }
    }

    /// Watches the folders as they are now. A folder that was replaced must be watched anew under the same name.
    fn follow(&mut self) {
        for folder in std::mem::take(&mut self.watched) {
            // Fails when the folder is gone, and its watch with it.
            let _ = self.watcher.unwatch(&folder);
        }
        for folder in self.folders() {
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(folder);
                }
                Err(error) => tracing::debug!(folder = %folder.display(), %error, "folder cannot be watched"),
            }
        }
    }

    fn folders(&self) -> Vec<PathBuf> {
        // The folder may be a link: both the link and what it leads to can be replaced.
        let places = [std::path::absolute(&self.folder), fs::canonicalize(&self.folder)];
        let around = places.into_iter().filter_map(|place| place.ok()?.parent().map(Path::to_owned));
        let mut folders: Vec<PathBuf> = around.collect();
        if self.folder.is_dir() {
            folders.push(self.folder.clone());
        }
        let inside = fs::read_dir(&self.folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        for folder in inside.filter(|path| path.is_dir()) {
            folders.extend(Some(folder.join("tests")).filter(|tests| tests.is_dir()));
            folders.push(folder);
        }
        folders.sort();
        folders.dedup();
        folders
    }
}

/// Our own reading gives events too; to follow those would never end.
fn is_reading(kind: EventKind) -> bool {
    matches!(kind, EventKind::Access(access) if access != AccessKind::Close(AccessMode::Write))
}
