//! What an error of the cache means for the request.

use redis::{ErrorKind, RedisError, ServerError, ServerErrorKind};

/// What is to be done about a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The cache answered, and will answer the same again.
    Final,
    /// The connection broke, could not be made, or brought no answer: another one may.
    Broke,
    /// The node is not the one to ask, or not yet: its role or the cluster's layout changes.
    FailingOver,
}

/// The verdict on an error of a command, a pipeline or a transaction.
pub(super) fn verdict(error: &RedisError) -> Verdict {
    if let Some(errors) = error.clone().into_server_errors() {
        let passes = errors.iter().any(|(_, error)| passes(error));
        return of(passes);
    }
    match error.kind() {
        ErrorKind::Io => Verdict::Broke,
        ErrorKind::Server(kind) => of(kind_passes(kind)),
        ErrorKind::ClusterConnectionNotFound => Verdict::FailingOver,
        _ => Verdict::Final,
    }
}

fn of(passes: bool) -> Verdict {
    if passes {
        Verdict::FailingOver
    } else {
        Verdict::Final
    }
}

fn passes(error: &ServerError) -> bool {
    match error.kind() {
        Some(kind) => kind_passes(kind),
        // A primary that has lost its replicas, and one that was demoted while it held a request up.
        None => matches!(error.code(), "NOREPLICAS" | "UNBLOCKED"),
    }
}

fn kind_passes(kind: ServerErrorKind) -> bool {
    matches!(
        kind,
        ServerErrorKind::ReadOnly
            | ServerErrorKind::BusyLoading
            | ServerErrorKind::MasterDown
            | ServerErrorKind::ClusterDown
            | ServerErrorKind::TryAgain
            // The cluster's client follows these by itself, but for those inside a transaction.
            | ServerErrorKind::Moved
            | ServerErrorKind::Ask
    )
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn answer(line: &str) -> RedisError {
        let value = redis::parse_redis_value(format!("-{line}\r\n").as_bytes()).unwrap();
        value.extract_error().unwrap_err()
    }

    #[test]
    fn answers_of_a_failover_are_waited_out() {
        for line in [
            "READONLY You can't write against a read only replica.",
            "READONLY Can not run script with write flag on readonly replica.",
            "LOADING Redis is loading the dataset in memory",
            "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
            "CLUSTERDOWN The cluster is down",
            "TRYAGAIN Multiple keys request during rehashing of slot",
            "MOVED 3999 127.0.0.1:6381",
            "NOREPLICAS Not enough good replicas to write.",
            "UNBLOCKED force unblock from blocking operation, instance state changed",
        ] {
            assert_eq!(verdict(&answer(line)), Verdict::FailingOver, "{line}");
        }
    }

    #[test]
    fn answers_that_stay_the_same_are_final() {
        for line in [
            "ERR unknown command",
            "WRONGTYPE Operation against a key holding the wrong kind of value",
            "OOM command not allowed when used memory > 'maxmemory'.",
            "NOSCRIPT No matching script.",
            "NOPERM this user has no permissions to run the 'evalsha' command",
            "NOAUTH Authentication required.",
            "CROSSSLOT Keys in request don't hash to the same slot",
        ] {
            assert_eq!(verdict(&answer(line)), Verdict::Final, "{line}");
        }
    }

    #[test]
    fn connections_that_break_or_hang_or_are_refused_are_made_anew() {
        for kind in [
            io::ErrorKind::BrokenPipe,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionRefused,
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::TimedOut,
            io::ErrorKind::HostUnreachable,
        ] {
            let error = RedisError::from(io::Error::from(kind));
            assert_eq!(verdict(&error), Verdict::Broke, "{kind}");
        }
    }
}
