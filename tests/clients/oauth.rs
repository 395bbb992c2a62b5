//! Clients that people use sign in without a person, call, refresh and are disconnected, each against a server of its own.
//!
//! What they do is in `tests/clients/oauth/`; a browser of its own opens the server's pages and fills in their forms.

use crate::server::{Client, Server};
use crate::tools::Workshop;

/// Of a website, where the browser does not go any more.
const WEBSITE: &str = "https://app.example/callback";
/// Of a program on the person's machine, with any port (RFC 8252, section 7.3).
const LOOPBACK: &str = "http://127.0.0.1/callback";

#[test]
fn npm_openid_client_signs_in() {
    let server = Server::start();
    let client = client(&server, WEBSITE, &[]);
    in_node("openid_client", &[&server.url, &client.client_id, &client.client_secret]);
}

#[test]
fn npm_oauth4webapi_signs_in() {
    in_node("oauth4webapi", &[&Server::start().url]);
}

#[test]
fn npm_modelcontextprotocol_sdk_signs_in() {
    in_node("mcp_sdk", &[&Server::start().url]);
}

#[test]
fn npm_modelcontextprotocol_client_signs_in() {
    in_node("mcp_client", &[&Server::start().url]);
}

#[test]
fn pypi_authlib_signs_in() {
    let server = Server::start();
    let client = client(&server, LOOPBACK, &[]);
    in_python("authlib_client", &[&server.url, &client.client_id, &client.client_secret]);
}

#[test]
fn pypi_mcp_signs_in() {
    in_python("mcp_python", &[&Server::start().url]);
}

#[test]
fn the_conformance_suite_of_mcp_finds_no_fault() {
    let server = Server::start();
    let client = client(&server, LOOPBACK, &["--public"]);
    in_node("conformance", &[&server.url, &client.client_id]);
}

/// A client that an operator made.
fn client(server: &Server, redirect_uri: &str, more: &[&str]) -> Client {
    server.create_client(&[&["--name=An application", "--redirect-uri", redirect_uri], more].concat())
}

fn in_node(scenario: &str, arguments: &[&str]) {
    workshop(scenario, &["node"]).run_in_node(scenario, arguments);
}

fn in_python(scenario: &str, arguments: &[&str]) {
    workshop(scenario, &["python"]).run_in_python(scenario, arguments);
}

fn workshop(scenario: &str, needs: &'static [&'static str]) -> Workshop {
    let shop = Workshop::new(&format!("oauth-{scenario}"), needs);
    shop.copy("tests/clients/oauth");
    shop
}
