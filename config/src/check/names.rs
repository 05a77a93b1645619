//! Each service's rules for names.

use std::ops::RangeInclusive;

use super::Rules;
use crate::names::{Function, Names, Queue};
use crate::stack::StackConfig;

/// Longest name of a commercial region, `ap-southeast-1`.
const LONGEST_REGION: &str = "ap-southeast-1";

impl Rules {
    pub(super) fn names(&mut self, config: &StackConfig) {
        let names = Names::new(config, LONGEST_REGION);
        for function in Function::ALL {
            let key = format!("functions.names.{}", key_of(function));
            self.name(&key, &names.function(function), 1..=64, "-_");
        }
        for queue in Queue::ALL {
            let stem = names
                .dead_letter_queue(queue)
                .trim_end_matches(".fifo")
                .to_owned();
            let key = match queue {
                Queue::Initialize => "queues.initialize",
                Queue::Request => "queues.request",
            };
            self.name(key, &stem, 1..=75, "-_");
        }
        self.name("tables.mru", &names.mru_table(), 3..=255, "-_.");
        self.name("tables.history", &names.history_table(), 3..=255, "-_.");
        self.name("tables.journal", &names.journal_table(), 3..=255, "-_.");
        self.demand(
            names.mru_table() != names.history_table(),
            "tables.history",
            || "is the same as `tables.mru`, allowed: two different names".to_owned(),
        );
        let journal = names.journal_table();
        self.demand(
            journal != names.mru_table() && journal != names.history_table(),
            "tables.journal",
            || "is the same as another table, allowed: three different names".to_owned(),
        );
        self.name("api.name", &names.api(), 1..=128, "-_. ");
        self.name("api.stage", names.stage(), 1..=128, "-_");
        self.name("schedule.name", &names.schedule(), 1..=64, "-_.");
        self.name("schedule.group", &names.schedule_group(), 1..=64, "-_.");
        self.cache_name(&names.cache());
    }

    fn name(&mut self, key: &str, name: &str, length: RangeInclusive<usize>, others: &str) {
        let fits = length.contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || others.contains(c));
        self.demand(fits, key, || {
            let (from, to) = (length.start(), length.end());
            format!(
                "gives the name `{name}`, allowed: {from} to {to} of a-z, A-Z, 0-9 and `{others}`"
            )
        });
    }

    fn cache_name(&mut self, name: &str) {
        let fits = (1..=40).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !name.contains("--")
            && !name.ends_with('-');
        self.demand(fits, "redis.name", || {
            format!(
                "gives the name `{name}`, allowed: 1 to 40 of a-z, 0-9 and single hyphens, a letter \
                 first"
            )
        });
    }
}

/// The key in `[functions.names]` that renames a function.
const fn key_of(function: Function) -> &'static str {
    match function {
        Function::Connect => "connect",
        Function::Disconnect => "disconnect",
        Function::SendMessage => "send_message",
        Function::Broadcast => "broadcast",
        Function::Initialize => "initialize",
        Function::Save => "save",
        Function::Admin => "admin",
        Function::Page => "page",
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::keys;
    use super::*;

    #[test]
    fn the_longest_stack_name_fits_every_service() {
        assert_eq!(keys(|c| c.stack = "a".repeat(20)), [""; 0]);
        let config = StackConfig {
            stack: "a".repeat(20),
            ..StackConfig::default()
        };
        let names = Names::new(&config, LONGEST_REGION);
        assert!(
            Function::ALL
                .iter()
                .all(|function| names.role(*function).len() <= 64)
        );
    }

    #[test]
    fn explicit_names_are_held_to_their_service() {
        assert_eq!(keys(|c| c.tables.mru = Some("a b".into())), ["tables.mru"]);
        assert_eq!(keys(|c| c.api.stage = "$default".into()), ["api.stage"]);
        assert_eq!(keys(|c| c.redis.name = Some("9".into())), ["redis.name"]);
        assert_eq!(keys(|c| c.queues.request = Some("q.fifo".into())), [""; 0]);
    }
}
