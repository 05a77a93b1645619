//! Free ports, so that clouds and proxies run side by side.

use std::net::TcpListener;

/// A port of 127.0.0.1 that nobody listens on right now.
///
/// # Panics
/// When the machine has no free port left.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener
        .local_addr()
        .expect("a bound listener has an address")
        .port()
}
