//! Listening, serving and stopping: what was begun is finished, nothing new is begun.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::{Acceptor, Listener, TcpAcceptor, TcpListener};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Server};
use tokio::net::TcpStream;

use super::idle::Idle;
use crate::config;
use crate::observe::health::Health;

/// A socket that listens already, so that a port in use is noticed before anything else happens.
pub struct Bound {
    acceptor: TcpAcceptor,
    address: SocketAddr,
}

/// Starts to listen; connections wait until [`Bound::serve`].
///
/// # Errors
///
/// When the address is wrong, in use or not allowed.
pub async fn bind(server: &config::Server) -> io::Result<Bound> {
    let acceptor = TcpListener::bind((server.host.clone(), server.port)).into_acceptor().await?;
    let address = acceptor.local_addr().iter().find_map(|address| address.as_socket_addr().copied());
    let address = address.ok_or_else(|| io::Error::other("the socket has no address"))?;
    Ok(Bound { acceptor, address })
}

impl Bound {
    /// Where the server listens; the port is the real one where 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done, then finishes what runs, for as long as the configuration allows.
    ///
    /// # Errors
    ///
    /// When the socket fails.
    pub async fn serve(
        self,
        endpoint: impl Endpoint + 'static,
        server: &config::Server,
        health: Arc<Health>,
        stop: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let draining = async move {
            stop.await;
            health.start_draining();
        };
        Server::new_with_acceptor(Door { acceptor: self.acceptor, patience: server.idle_timeout })
            .name("mindflow")
            .run_with_graceful_shutdown(endpoint, draining, Some(server.drain))
            .await
    }
}

/// Done when the process is asked to stop: Ctrl-C, or SIGTERM where there is such a thing.
pub async fn stop_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

/// Lets clients in. Small packets are sent at once: an answer must not wait for the client's acknowledgement of its first
/// part. Connections that nobody uses end.
struct Door {
    acceptor: TcpAcceptor,
    patience: Duration,
}

impl Acceptor for Door {
    type Io = Idle<TcpStream>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.acceptor.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        let (stream, local, remote, scheme) = self.acceptor.accept().await?;
        // A connection that refuses the option still works.
        let _ = stream.set_nodelay(true);
        Ok((Idle::new(stream, self.patience), local, remote, scheme))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use poem::endpoint::make;
    use tokio::sync::{Notify, oneshot};

    use super::*;
    use crate::config::Config;
    use crate::http::fake::Fake;

    async fn listening() -> (Bound, config::Server) {
        let mut server = Config::default().server;
        server.port = 0;
        (bind(&server).await.unwrap(), server)
    }

    #[tokio::test]
    async fn a_request_that_runs_when_the_server_stops_is_finished() {
        let (bound, server) = listening().await;
        let url = format!("http://{}/", bound.address());
        let health = Arc::new(Health::new(server.environment));
        let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let endpoint = {
            let (entered, release) = (Arc::clone(&entered), Arc::clone(&release));
            make(move |_| {
                let (entered, release) = (Arc::clone(&entered), Arc::clone(&release));
                async move {
                    entered.notify_one();
                    release.notified().await;
                    "done"
                }
            })
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let signal = async {
            let _ = stopped.await;
        };
        let serving = tokio::spawn({
            let health = Arc::clone(&health);
            async move { bound.serve(endpoint, &server, health, signal).await }
        });

        let request = tokio::spawn(reqwest::get(url.clone()));
        entered.notified().await;
        stop.send(()).unwrap();
        while !health.is_draining() {
            tokio::task::yield_now().await;
        }
        release.notify_one();

        assert_eq!(request.await.unwrap().unwrap().text().await.unwrap(), "done");
        serving.await.unwrap().unwrap();
        assert!(reqwest::get(url).await.is_err());
    }

    #[tokio::test]
    async fn who_sends_too_much_or_without_need_is_told_and_not_cut_off() {
        let (bound, server) = listening().await;
        let url = format!("http://{}/api/things", bound.address());
        let health = Arc::new(Health::new(server.environment));
        let serving = tokio::spawn(async move { bound.serve(Fake::new().endpoint, &server, health, pending()).await });
        let client = reqwest::Client::new();
        let send = async |token: &str, body: reqwest::Body| {
            let request = client.post(&url).bearer_auth(token).header("content-type", "application/json").body(body);
            request.send().await.unwrap().status().as_u16()
        };

        for _ in 0..5 {
            assert_eq!(send("writer", vec![b' '; 20_000_000].into()).await, 413);
            assert_eq!(send("nobody", vec![b' '; 20_000_000].into()).await, 401);
        }
        serving.abort();
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error_at_once() {
        let (bound, mut server) = listening().await;
        server.port = bound.address().port();

        assert_eq!(bind(&server).await.err().map(|error| error.kind()), Some(io::ErrorKind::AddrInUse));
    }
}
