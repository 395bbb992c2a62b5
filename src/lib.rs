//! MindFlow: a task server that answers "what should I do now, and why?".
//!
//! The layers, from the door to the ground; arrows point down only:
//!
//! - [`cli`], [`http`], [`mcp`]: the edges. Only `http` knows poem.
//! - [`tasks`], [`attachments`], [`accounts`], [`oauth`], [`policies`], [`digests`], [`events`]: the domain. Rules live here; no SQL, no HTTP.
//! - [`store`]: the only user of sqlx. [`objects`]: files, in a folder or a bucket. [`scoring`]: the pure core that ranks and explains.
//! - [`background`]: work that comes round, done by one instance for all.
//! - [`backup`]: everything in one file, and back.
//! - [`calendar`], [`clock`], [`fault`], [`hex`](mod@hex), [`ids`], [`kept`], [`mail`], [`paging`], [`secret_key`], [`shared`]: the words everyone shares.
//!
//! [`app`] builds every component once from [`config`]; [`observe`] says what happened.

pub mod accounts;
pub mod app;
pub mod attachments;
pub mod background;
pub mod backup;
pub mod calendar;
pub mod cli;
pub mod clock;
pub mod config;
pub mod digests;
pub mod events;
pub mod fault;
pub mod hex;
pub mod http;
pub mod ids;
pub mod kept;
pub mod mail;
pub mod mcp;
pub mod oauth;
pub mod objects;
pub mod observe;
pub mod paging;
pub mod policies;
pub mod scoring;
pub mod secret_key;
pub mod shared;
pub mod store;
pub mod tasks;
