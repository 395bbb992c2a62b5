//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use poem::http::header::HOST;
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, IntoResponse};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::refusal;
use super::stream::{Activity, Patience, Running, Stream, Version};
use crate::config::Config;
use crate::http::headers::Safety;

/// How often a client of HTTP/2 may take requests back before they are answered (CVE-2023-44487).
const MOST_RESETS: usize = 20;
/// How many requests of one connection of HTTP/2 are answered at a time.
const MOST_STREAMS: u32 = 200;
/// What HTTP/2 counts for a header besides its name and value (RFC 9113, section 6.5.2), for as many as HTTP/1.1 may have.
const HEADER_COST: usize = 32 * 100;

/// How far the server is with stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It does not.
    Serving,
    /// What was begun is finished.
    Draining,
    /// What is not finished is given up.
    Over,
}

/// What all connections have in common.
pub(super) struct Host<E> {
    endpoint: E,
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    patience: Patience,
    max_header_bytes: usize,
    pub(super) safety: Safety,
    local: SocketAddr,
}

impl<E: Endpoint + 'static> Host<E> {
    pub(super) fn new(endpoint: E, config: &Config, local: SocketAddr) -> Self {
        let connections = &config.connections;
        let patience = Patience {
            idle: config.server.idle_timeout,
            head: connections.header_timeout,
            write: connections.write_timeout,
        };
        let mut http1 = http1::Builder::new();
        // The stream has its own patience, which tells the client.
        http1.header_read_timeout(None).max_header_size(connections.max_header_bytes);
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        // Twice as much, so that what is a little too large gets an answer in words (`edge`).
        let list_size = connections.max_header_bytes * 2 + HEADER_COST;
        http2
            .max_concurrent_streams(MOST_STREAMS)
            .max_pending_accept_reset_streams(MOST_RESETS)
            .max_header_list_size(u32::try_from(list_size).unwrap_or(u32::MAX));
        let safety = Safety::of(&config.server.public_url(local.port()));
        Self { endpoint, http1, http2, patience, max_header_bytes: connections.max_header_bytes, safety, local }
    }

    /// Serves a connection until it ends or the server is over.
    pub(super) async fn serve(self: Arc<Self>, socket: TcpStream, peer: SocketAddr, mut phase: watch::Receiver<Phase>) {
        let activity = Arc::new(Activity::default());
        let mut stream = Stream::new(socket, self.patience, Arc::clone(&activity));
        let version = tokio::select! {
            version = stream.find_version() => version,
            // Nothing was asked yet.
            _ = phase.changed() => return,
        };
        match version {
            Ok(Some(Version::Http1)) if stream.ended().is_none() => {
                self.serve_http1(stream, peer, activity, phase).await;
            }
            Ok(Some(Version::Http2)) => self.serve_http2(stream, peer, activity, phase).await,
            Ok(Some(Version::Http1)) => self.end(stream, peer).await,
            Ok(None) | Err(_) => {}
        }
    }

    async fn serve_http1(
        self: &Arc<Self>,
        stream: Stream<TcpStream>,
        peer: SocketAddr,
        activity: Arc<Activity>,
        mut phase: watch::Receiver<Phase>,
    ) {
        let host = Arc::clone(self);
        let service = service_fn(move |request| {
            let (host, running) = (Arc::clone(&host), Running::begin(&activity));
            async move { host.answer(request, peer, running).await }
        });
        let mut connection = self.http1.serve_connection(TokioIo::new(stream), service);
        loop {
            tokio::select! {
                // How it failed is the client's business; what there is to tell it is known to the stream.
                _ = &mut connection => break,
                changed = phase.changed() => {
                    if changed.is_err() || *phase.borrow() == Phase::Over {
                        return;
                    }
                    Pin::new(&mut connection).graceful_shutdown();
                }
            }
        }
        self.end(connection.into_parts().io.into_inner(), peer).await;
    }

    async fn serve_http2(
        self: &Arc<Self>,
        stream: Stream<TcpStream>,
        peer: SocketAddr,
        activity: Arc<Activity>,
        mut phase: watch::Receiver<Phase>,
    ) {
        let host = Arc::clone(self);
        let service = service_fn(move |request| {
            let (host, running) = (Arc::clone(&host), Running::begin(&activity));
            async move { host.answer(request, peer, running).await }
        });
        let mut connection = pin!(self.http2.serve_connection(TokioIo::new(stream), service));
        loop {
            tokio::select! {
                _ = &mut connection => return,
                changed = phase.changed() => {
                    if changed.is_err() || *phase.borrow() == Phase::Over {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                }
            }
        }
    }

    async fn answer(
        &self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
        running: Running,
    ) -> Result<hyper::Response<Answering>, Infallible> {
        let names_a_host = names_a_host(&request);
        let request = (request, LocalAddr(self.local.into()), RemoteAddr(peer.into()), Scheme::HTTP);
        let mut request = poem::Request::from(request);
        if !names_a_host {
            request.set_data(NoHost);
        }
        let response = self.endpoint.get_response(request).await;
        let response: hyper::Response<BoxBody> = response.into_response().into();
        Ok(response.map(|body| Answering { body, _running: running }))
    }

    /// Says what there is to say, and closes the connection.
    async fn end(&self, stream: Stream<TcpStream>, peer: SocketAddr) {
        let told = stream.ended().and_then(|ended| refusal::about(ended, self.patience.head, self.max_header_bytes));
        let mut socket = stream.into_inner();
        match told {
            Some(error) => refusal::send(socket, peer, &error, &self.safety).await,
            // Whether the client still listens makes no difference now.
            None => drop(socket.shutdown().await),
        }
    }
}

/// Marks a request of HTTP/1.1 that does not name exactly one host, so that the edge refuses it in words.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct NoHost;

/// Whether a request says whom it is for as its version has to (RFC 9112, section 3.2).
fn names_a_host(request: &hyper::Request<Incoming>) -> bool {
    request.version() != poem::http::Version::HTTP_11 || request.headers().get_all(HOST).iter().count() == 1
}

/// poem's body.
type BoxBody = http_body_util::combinators::BoxBody<bytes::Bytes, io::Error>;

/// The body of an answer; until its end, the connection is in use.
pub(super) struct Answering {
    body: BoxBody,
    _running: Running,
}

impl Body for Answering {
    type Data = bytes::Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
