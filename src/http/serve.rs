//! Listening, serving and stopping: what was begun is finished, nothing new is begun.
//!
//! - `places`: how many connections there may be; `connection`: one of them, over hyper.
//! - `stream`: how long each part of a request may take; `refusal`: what is said where no handler can.

mod connection;
mod places;
pub(super) mod refusal;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::Endpoint;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

pub(super) use self::connection::NoHost;
use self::connection::{Host, Phase};
use self::places::Places;
use super::client_address::Proxies;
use crate::config::{self, Config};
use crate::observe::health::Health;

/// How long to wait after the system could not give a connection out, for want of files or memory.
const BREATH: Duration = Duration::from_millis(50);
/// How many connections without a place are told so at a time; further ones are closed without a word.
const MOST_TOLD: usize = 64;

/// A socket that listens already, so that a port in use is noticed before anything else happens.
pub struct Bound {
    listener: TcpListener,
    address: SocketAddr,
}

/// Starts to listen; connections wait until [`Bound::serve`].
///
/// # Errors
///
/// When the address is wrong, in use or not allowed.
pub async fn bind(server: &config::Server) -> io::Result<Bound> {
    let listener = TcpListener::bind((server.host.as_str(), server.port)).await?;
    let address = listener.local_addr()?;
    Ok(Bound { listener, address })
}

impl Bound {
    /// Where the server listens; the port is the real one where 0 was asked for.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` is done, then finishes what runs, for as long as the configuration allows.
    pub async fn serve(
        self,
        endpoint: impl Endpoint + 'static,
        config: &Config,
        health: Arc<Health>,
        stop: impl Future<Output = ()>,
    ) {
        let Self { listener, address } = self;
        let host = Arc::new(Host::new(endpoint, config, address));
        let connections = &config.connections;
        let places = Places::new(connections.most, connections.most_per_address, Proxies::new(&config.server));
        let (phase, phases) = watch::channel(Phase::Serving);
        let telling = Arc::new(Semaphore::new(MOST_TOLD));
        let accept = async {
            loop {
                let Some((socket, peer)) = accept(&listener).await else { continue };
                match places.take(peer.ip()) {
                    Some(place) => {
                        let serving = Arc::clone(&host).serve(socket, peer, phases.clone());
                        tokio::spawn(async move {
                            serving.await;
                            drop(place);
                        });
                    }
                    None => tell(socket, peer, &host, &telling),
                }
            }
        };
        tokio::select! {
            () = stop => {}
            () = accept => {}
        }
        health.start_draining();
        // From here on, connections are refused: a load balancer asks elsewhere.
        drop(listener);
        let _ = phase.send(Phase::Draining);
        let under_way = places.taken();
        tracing::info!(connections = under_way, "stopping; what was begun is finished");
        if !places.all_free(config.server.drain).await {
            tracing::warn!(connections = places.taken(), "requests did not finish in time and are given up");
            let _ = phase.send(Phase::Over);
        }
    }
}

/// The next connection. Small packets are sent at once: an answer must not wait for the client's acknowledgement of its first
/// part.
async fn accept(listener: &TcpListener) -> Option<(TcpStream, SocketAddr)> {
    match listener.accept().await {
        Ok((socket, peer)) => {
            // A connection that refuses the option still works.
            let _ = socket.set_nodelay(true);
            Some((socket, peer))
        }
        Err(error) => {
            let of_the_client =
                [io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset, io::ErrorKind::Interrupted];
            if !of_the_client.contains(&error.kind()) {
                tracing::warn!(error = &error as &dyn std::error::Error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
            }
            None
        }
    }
}

/// Says that there is no place.
fn tell<E: Endpoint + 'static>(socket: TcpStream, peer: SocketAddr, host: &Arc<Host<E>>, telling: &Arc<Semaphore>) {
    if let Ok(turn) = Arc::clone(telling).try_acquire_owned() {
        let host = Arc::clone(host);
        tokio::spawn(async move {
            refusal::send(socket, peer, &refusal::no_place(), &host.safety).await;
            drop(turn);
        });
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use poem::endpoint::make;
    use tokio::sync::{Notify, oneshot};

    use super::*;
    use crate::config::Config;
    use crate::http::fake::Fake;

    async fn listening() -> (Bound, Config) {
        let mut config = Config::default();
        config.server.port = 0;
        (bind(&config.server).await.unwrap(), config)
    }

    #[tokio::test]
    async fn a_request_that_runs_when_the_server_stops_is_finished() {
        let (bound, config) = listening().await;
        let url = format!("http://{}/", bound.address());
        let health = Arc::new(Health::new(config.server.environment));
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
            async move { bound.serve(endpoint, &config, health, signal).await }
        });

        let request = tokio::spawn(reqwest::get(url.clone()));
        entered.notified().await;
        stop.send(()).unwrap();
        while !health.is_draining() {
            tokio::task::yield_now().await;
        }
        release.notify_one();

        assert_eq!(request.await.unwrap().unwrap().text().await.unwrap(), "done");
        serving.await.unwrap();
        assert!(reqwest::get(url).await.is_err());
    }

    #[tokio::test]
    async fn who_sends_too_much_or_without_need_is_told_and_not_cut_off() {
        let (bound, config) = listening().await;
        let url = format!("http://{}/api/things", bound.address());
        let health = Arc::new(Health::new(config.server.environment));
        let serving = tokio::spawn(async move { bound.serve(Fake::new().endpoint, &config, health, pending()).await });
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
        let (bound, mut config) = listening().await;
        config.server.port = bound.address().port();

        assert_eq!(bind(&config.server).await.err().map(|error| error.kind()), Some(io::ErrorKind::AddrInUse));
    }
}
