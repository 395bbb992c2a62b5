//! The Model Context Protocol: how MindFlow works inside ChatGPT, Claude and other hosts.
//!
//! Tools do what the REST operations do, by the same services, and answer in words and in data.
//!
//! - [`tool`]: what a tool is; `tools`: all of them; [`toolbox`]: listed and called by name.
//! - [`arguments`], `lenient`, [`target`]: what a call says; `retries`: said again; [`outcome`]: what comes of it; [`views`], [`wording`]: as data, in words.
//! - [`handler`]: the protocol's methods; [`prompts`], [`resources`]: besides tools; [`widgets`]: what hosts show.
//!
//! The HTTP side of it is `http::mcp`.

pub mod arguments;
pub mod handler;
mod lenient;
pub mod outcome;
pub mod prompts;
pub mod resources;
mod retries;
mod schemas;
pub mod target;
pub mod tool;
pub mod toolbox;
mod tools;
pub mod views;
pub mod widgets;
pub mod wording;
