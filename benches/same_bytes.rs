//! A handler that answers every request with the same bytes from memory: what HTTP itself costs on this machine.
//!
//! `cargo bench --bench same_bytes -- FILE` listens on a free port, says which, and serves the bytes of `FILE` as JSON until it
//! is ended. `benches/http/best` puts the load of `GET /api/tasks/best` on it.
#![expect(clippy::print_stdout, reason = "whoever starts it reads the address")]

use std::io;

use bytes::Bytes;
use poem::endpoint::make_sync;
use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Response, Server};

#[tokio::main]
async fn main() -> io::Result<()> {
    // Cargo adds `--bench`; tests of all targets start it without a file, and it has nothing to do then.
    let Some(file) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else { return Ok(()) };
    let bytes = Bytes::from(std::fs::read(file)?);
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
    for address in acceptor.local_addr() {
        println!("{address}");
    }
    let answer =
        make_sync(move |_| Response::builder().content_type("application/json; charset=utf-8").body(bytes.clone()));
    Server::new_with_acceptor(acceptor).run(answer).await
}
