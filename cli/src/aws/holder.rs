//! Who holds the operator lease, and whether that process still lives on this machine.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::types::AttributeValue;

use super::lease::LENGTH;

/// Attribute that holds [`Holder::token`].
pub(super) const TOKEN: &str = "token";

/// Attribute that holds [`Holder::expires`].
pub(super) const EXPIRES: &str = "expires";

/// Attribute of a row whose holder has given the lease back.
pub(super) const RELEASED: &str = "released";

/// A row of the lease's table.
pub(super) type Row = HashMap<String, AttributeValue>;

/// Who holds the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Tells one run from every other.
    pub(super) token: String,
    /// `ann@desk`.
    pub(crate) who: String,
    /// `up`, `deploy`, `teardown`.
    pub(crate) command: String,
    /// Process id on the holder's machine.
    pub(crate) process: u32,
    /// When the process was started, in clock ticks since the machine's boot: a process id alone
    /// may have been given to another process.
    started: u64,
    /// Which machine, in which of its runs, and which container on it.
    machine: String,
    /// Since when, in milliseconds since 1970.
    pub(crate) since: u64,
    /// When the lease expires, in milliseconds since 1970 by the holder's clock. Each renewal
    /// writes another value.
    pub(crate) expires: u64,
}

impl Holder {
    /// This process, from now on, for `length`.
    pub(super) fn this_process(command: &str, length: Duration) -> Self {
        let process = std::process::id();
        Self {
            token: format!("{:032x}", rand::random::<u128>()),
            who: format!("{}@{}", user(), host()),
            command: command.to_owned(),
            process,
            started: started(process).unwrap_or_default(),
            machine: machine().unwrap_or_default(),
            since: now(),
            expires: now() + milliseconds(length),
        }
    }

    /// Whether the holder was a process of this machine that has exited. A process of another
    /// machine, or one that `/proc` hides, may live.
    pub(super) fn is_dead(&self) -> bool {
        let here = machine().is_some_and(|machine| machine == self.machine);
        here && sees_others() && self.started != 0 && started(self.process) != Some(self.started)
    }

    /// Whether the holder is a running process of this machine.
    pub(super) fn lives_here(&self) -> bool {
        let here = machine().is_some_and(|machine| machine == self.machine);
        here && self.started != 0 && started(self.process) == Some(self.started)
    }

    pub(super) fn to_row(&self) -> Row {
        let text = |value: &str| AttributeValue::S(value.to_owned());
        let number = |value: u64| AttributeValue::N(value.to_string());
        let pairs = [
            (TOKEN, text(&self.token)),
            ("who", text(&self.who)),
            ("command", text(&self.command)),
            ("process", number(self.process.into())),
            ("started", number(self.started)),
            ("machine", text(&self.machine)),
            ("since", number(self.since)),
            (EXPIRES, number(self.expires)),
        ];
        pairs.map(|(name, value)| (name.to_owned(), value)).into()
    }

    pub(super) fn from_row(row: &Row) -> Self {
        let text = |name: &str| {
            let value = row.get(name).and_then(|value| value.as_s().ok());
            value.cloned().unwrap_or_default()
        };
        let number = |name: &str| {
            let value = row.get(name).and_then(|value| value.as_n().ok());
            value
                .and_then(|value| value.parse::<u64>().ok())
                .unwrap_or_default()
        };
        Self {
            token: text(TOKEN),
            who: text("who"),
            command: text("command"),
            process: u32::try_from(number("process")).unwrap_or_default(),
            started: number("started"),
            machine: text("machine"),
            since: number("since"),
            expires: number(EXPIRES),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} has been running `{}` for {} s (process {}). Its lease expires {} s after its last \
             renewal.",
            self.who,
            self.command,
            now().saturating_sub(self.since) / 1000,
            self.process,
            LENGTH.as_secs(),
        )
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    milliseconds(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

pub(super) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn user() -> String {
    let named = ["USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "someone".to_owned())
}

fn host() -> String {
    let named = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = named.or_else(|| std::env::var("HOSTNAME").ok());
    let named = named
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "somewhere".to_owned())
}

/// Process ids mean something only in one run of one machine, and in one container of it.
fn machine() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let container = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), container.display()))
}

/// Whether `/proc` shows the processes of other users: mounted with `hidepid`, `/proc` shows only
/// the caller's processes (proc(5)).
fn sees_others() -> bool {
    started(1).is_some()
}

/// When a process was started (`starttime`, field 22 of `/proc/PID/stat`), unless it is gone.
fn started(process: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, field 2, is in brackets and may hold anything, brackets too.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18)?.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holder() -> Holder {
        Holder::this_process("up", LENGTH)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let holder = holder();
        assert_eq!(Holder::from_row(&holder.to_row()), holder);
    }

    #[test]
    fn what_ends_a_lease_is_said_whatever_the_clocks_say() {
        let mut holder = holder();
        for expires in [1, holder.expires, u64::MAX] {
            holder.expires = expires;
            let said = "expires 45 s after its last renewal";
            assert!(holder.to_string().contains(said), "{holder}");
        }
    }

    #[test]
    fn this_process_lives() {
        assert!(!holder().is_dead() && holder().lives_here());
    }

    #[test]
    fn a_process_id_that_is_anothers_by_now_is_dead() {
        let holder = holder();
        assert!(
            Holder {
                started: holder.started + 1,
                ..holder
            }
            .is_dead()
        );
    }

    #[test]
    fn nobody_tells_whether_a_process_elsewhere_lives() {
        let elsewhere = Holder {
            machine: "another".to_owned(),
            started: 1,
            ..holder()
        };
        assert!(!elsewhere.is_dead() && !elsewhere.lives_here());
    }

    #[test]
    fn a_row_that_somebody_else_wrote_is_no_reason_to_stop_working() {
        let holder = Holder::from_row(&Row::new());
        assert_eq!(holder.expires, 0);
        assert!(!holder.is_dead());
    }
}
