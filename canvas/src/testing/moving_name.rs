//! An address that stands for one server and then for another, as a name in DNS does.

use std::io;
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;

/// A port of 127.0.0.1 whose connections reach the server that it stood for when they were made,
/// and stay there.
#[derive(Debug)]
pub struct MovingName {
    port: u16,
    server: Arc<AtomicU16>,
}

impl MovingName {
    /// A name for the server at `port` of 127.0.0.1.
    pub fn of(port: u16) -> io::Result<Self> {
        let door = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let name = Self {
            port: door.local_addr()?.port(),
            server: Arc::new(AtomicU16::new(port)),
        };
        let server = Arc::clone(&name.server);
        thread::spawn(move || {
            for client in door.incoming().map_while(Result::ok) {
                match server.load(Ordering::SeqCst) {
                    0 => return,
                    port => drop(thread::spawn(move || pass_on(client, port))),
                }
            }
        });
        Ok(name)
    }

    /// The port that stands for the server.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its address: `redis://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Lets new connections reach another server. Those that are open stay where they are.
    pub fn move_to(&self, port: u16) {
        self.server.store(port, Ordering::SeqCst);
    }
}

impl Drop for MovingName {
    fn drop(&mut self) {
        self.move_to(0);
        // The thread that listens finds out when somebody comes.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

/// Passes one client on; one whose server is not there is hung up on.
fn pass_on(client: TcpStream, port: u16) {
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
        return;
    };
    let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else {
        return;
    };
    thread::spawn(move || copy(from_client, to_server));
    copy(server, client);
}

/// Copies until either side hangs up, and then hangs up on both.
fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = to.set_nodelay(true);
    let _ = io::copy(&mut from, &mut to);
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
