//! The section `oauth`: which programs may be connected.

use std::path::PathBuf;

use super::source::Values;
use super::value::{self, Environment};

/// Which programs may be connected.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// Whether clients may register themselves (RFC 7591).
    pub dynamic_registration: bool,
    /// Whether the URL of a document is taken as `client_id`.
    pub client_documents: bool,
    /// The hosts, and schemes with a colon, where self-registered clients may be answered; empty is any.
    pub registration_hosts: Vec<String>,
    /// The most registrations from one address that nobody used yet.
    pub unused_clients_per_address: u32,
    /// The most registrations, and the most documents, that nobody used yet.
    pub unused_clients: u32,
    /// A further certificate authority for fetching documents of clients, as a PEM file: in tests alone.
    pub extra_root_certificate: Option<PathBuf>,
    /// Whether documents of clients may come from private addresses and odd ports: in tests alone.
    pub allow_private_addresses: bool,
}

impl OAuth {
    pub(super) fn from_values(values: &mut Values) -> Self {
        let oauth = Self {
            dynamic_registration: values.get("oauth.dynamic_registration", value::boolean),
            client_documents: values.get("oauth.client_documents", value::boolean),
            registration_hosts: values.get("oauth.registration_hosts", value::places),
            unused_clients_per_address: values.get("oauth.unused_clients_per_address", value::integer(1, 1_000_000)),
            unused_clients: values.get("oauth.unused_clients", value::integer(1, 10_000_000)),
            extra_root_certificate: values.get("oauth.extra_root_certificate", value::optional_path),
            allow_private_addresses: values.get("oauth.allow_private_addresses", value::boolean),
        };
        if values.get("server.environment", value::environment) == Environment::Production {
            let only_tests = "it is for tests and refused when `server.environment` is production";
            if oauth.allow_private_addresses {
                values.fault("oauth.allow_private_addresses", only_tests);
            }
            if oauth.extra_root_certificate.is_some() {
                values.fault("oauth.extra_root_certificate", only_tests);
            }
        }
        oauth
    }
}
