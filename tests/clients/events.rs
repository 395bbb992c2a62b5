//! The stream of events, read by the client that browsers' own is the pattern of.

use crate::server::Server;
use crate::tools::Workshop;

#[test]
fn the_usual_client_of_events_hears_what_happens_and_catches_up_by_itself() {
    let shop = Workshop::new("events", &["node"]);
    let server = Server::start();
    shop.copy("tests/clients/events");

    shop.run_in_node("listen", &[&server.url]);
}
