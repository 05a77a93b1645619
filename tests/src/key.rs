//! What the tests' own clouds let in: a key and a password of this process, told to no command line.

use std::sync::LazyLock;

/// The variable that names another key, for a program that is pointed at a running local cloud.
const GIVEN: &str = "PLACE_TESTS_KEY";

/// The access key of every call to an emulator. An emulator that asks for none takes any.
pub fn key() -> &'static str {
    static KEY: LazyLock<String> =
        LazyLock::new(|| std::env::var(GIVEN).unwrap_or_else(|_| format!("PLACE{}", random())));
    &KEY
}

/// Redis's password, and the secret that belongs to the key.
pub fn password() -> &'static str {
    static PASSWORD: LazyLock<String> = LazyLock::new(random);
    &PASSWORD
}

fn random() -> String {
    format!("{:032X}", rand::random::<u128>())
}
