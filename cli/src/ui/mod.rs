//! The one door to the terminal: nothing else in the program prints.
//!
//! Data goes to stdout, everything else to stderr. Events of the engine become a live picture of
//! the seven steps on a terminal, plain lines without one, or JSON. All text passes `terminal.rs`,
//! which writes out the controls in it (`safe.rs`).

mod board;
mod failures;
mod frame;
mod human;
mod json;
mod lines;
mod printer;
mod safe;
#[cfg(test)]
mod script;
mod step;
mod style;
mod summary;
pub(crate) mod table;
mod terminal;
pub(crate) mod words;

pub(crate) use printer::{Answer, Format, Printer, PrinterOptions, startup_error, usage_error};
