//! Which ports are free, and who has one that isn't.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

use super::process::process_ids;

/// A port of 127.0.0.1 that nobody listens on right now.
pub(super) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}

/// Whether `port` of 127.0.0.1 can be listened on right now.
pub(super) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Who listens on `port`, in words.
pub(super) fn holder(port: u16) -> String {
    match listener(port) {
        Some(pid) => format!("{} (pid {pid})", command(pid)),
        None => "another program".to_owned(),
    }
}

/// The process that listens on `port`; `None` when nobody does or it is another user's.
pub(super) fn listener(port: u16) -> Option<u32> {
    let sockets: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| fs::read_to_string(table).ok())
        .flat_map(|table| listening_sockets(&table, port))
        .map(|inode| format!("socket:[{inode}]"))
        .collect();
    process_ids().find(|&pid| holds_any(pid, &sockets))
}

/// Inodes of the sockets of a `/proc/net/tcp` table that listen on `port`.
fn listening_sockets(table: &str, port: u16) -> Vec<String> {
    const LISTEN: &str = "0A";
    let inode = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (_, local_port) = fields.get(1)?.rsplit_once(':')?;
        let matches = u16::from_str_radix(local_port, 16) == Ok(port);
        (matches && *fields.get(3)? == LISTEN).then(|| fields.get(9).map(|&f| f.to_owned()))?
    };
    table.lines().skip(1).filter_map(inode).collect()
}

fn holds_any(pid: u32, sockets: &[String]) -> bool {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .any(|target| sockets.iter().any(|socket| target == Path::new(socket)))
}

fn command(pid: u32) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("`{}`", name.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_by_its_port() {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        assert!(!is_free(port));
        assert_eq!(listener(port), Some(std::process::id()));
        assert!(holder(port).contains(&std::process::id().to_string()));
        drop(socket);
        assert_eq!(listener(port), None);
    }

    #[test]
    fn only_listening_sockets_of_the_port_count() {
        let table = "  sl  local_address rem_address   st ...\n\
             0: 0100007F:11D6 00000000:0000 0A 0:0 0:0 0 0 0 77 1\n\
             1: 0100007F:11D6 0100007F:9999 01 0:0 0:0 0 0 0 78 1\n\
             2: 0100007F:11D7 00000000:0000 0A 0:0 0:0 0 0 0 79 1\n\
             garbage\n";
        assert_eq!(listening_sockets(table, 0x11D6), ["77"]);
    }
}
