//! The layers around the handlers, proven with a small API.

mod around;
mod document;
mod input;
