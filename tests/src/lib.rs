//! What the end-to-end tests stand on: a local cloud for each, the real `placectl`, AWS's own
//! clients to look at what it did, WebSocket clients that paint, an inventory of everything in
//! the emulator, a proxy that breaks calls on purpose, and the matrix of all such breaks. And for
//! the functions alone, without an emulator: their real binaries on a Lambda Runtime API, a real
//! Redis and stubs of AWS.

pub mod browser;
pub mod chaos;
pub mod cloud;
pub mod inventory;
pub mod key;
pub mod lambda;
pub mod moto;
pub mod operator;
pub mod placectl;
mod portrait;
pub mod ports;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod reference_client;
pub mod sdk;
pub mod socket;
mod supervised;
pub mod terminal;
pub mod user;

pub use cloud::LocalCloud;
pub use inventory::inventory;
pub use moto::Moto;
pub use operator::Operator;
pub use placectl::{Finished, Placectl};
pub use portrait::portrait;
pub use proxy::Proxy;
pub use reference_client::ReferenceClient;
pub use sdk::Sdk;
pub use socket::Socket;
pub use terminal::Terminal;
pub use user::User;

/// What npm installed for the tests of the page.
pub fn page_modules() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("page/node_modules")
}
