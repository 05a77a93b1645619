//! The typed description of a stack (`place.toml`), every name derived from it, and the
//! environment that the CLI writes and the handlers read.
//!
//! Nothing here is async and nothing knows AWS: the same types serve the operator's tool, the
//! functions and the tests.

pub mod check;
pub mod env;
pub mod load;
pub mod memory;
pub mod names;
pub mod quota;
pub mod stack;

pub use env::FunctionEnv;
pub use load::{ConfigError, Finding, TEMPLATE, load};

pub use names::{Function, Names, Queue};
pub use stack::StackConfig;
