//! The one door to the terminal: nothing else in the program prints.
//!
//! Data goes to stdout, everything else to stderr. Events of the engine become a live picture of
//! the seven steps on a terminal, plain lines without one, or JSON.

mod board;
mod failures;
mod frame;
mod human;
mod json;
mod lines;
mod printer;
#[cfg(test)]
mod script;
mod step;
mod style;
mod summary;
pub(crate) mod table;
mod terminal;
pub(crate) mod words;

pub(crate) use printer::{Answer, Format, Printer, PrinterOptions, startup_error};
