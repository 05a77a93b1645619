//! Prints everything that an emulator holds: `inventory http://127.0.0.1:4566`.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

use place_tests::{Sdk, inventory};

#[tokio::main]
async fn main() {
    let endpoint = std::env::args().nth(1);
    let endpoint = endpoint.expect("the emulator's address as the argument");
    for line in inventory(&Sdk::new(&endpoint)).await {
        println!("{line}");
    }
}
