//! A proxy between `placectl` and the emulator that knows each AWS call by name, counts them, and
//! breaks the ones that a test names: the process dies before or after the call, the answer is
//! lost, late, or an error.

mod answer;
mod fault;
mod operation;
mod relay;
mod stand_in;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::sync::oneshot;

pub use fault::{Fault, When};
pub use operation::Operation;
pub use stand_in::StandIn;

use fault::{Count, Rule};

/// How long a killing fault waits for its victim: a process makes its first call a few
/// milliseconds after it was started.
const AIMING: Duration = Duration::from_secs(10);

/// One call that came by.
#[derive(Clone, Debug)]
pub struct Call {
    /// What was called.
    pub operation: Operation,
    /// When it came, since the proxy started.
    pub at: Duration,
    /// The fault that befell it.
    pub fault: Option<Fault>,
}

#[derive(Debug, Default)]
struct Ledger {
    calls: Vec<Call>,
    count: Count,
    rules: Vec<Rule>,
    /// The body of the last call of each operation that may change something.
    asked: HashMap<String, Bytes>,
    /// The process that a killing fault kills.
    victim: Option<u32>,
    kills: usize,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    started: Instant,
    ledger: Mutex<Ledger>,
}

/// A running proxy; it ends on drop.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    port: u16,
    _stop: oneshot::Sender<()>,
}

impl Proxy {
    /// A proxy before the emulator at `upstream` (`http://127.0.0.1:port`), on a thread and a
    /// port of its own.
    ///
    /// # Panics
    /// When it can't listen.
    pub fn start(upstream: &str) -> Self {
        let ledger = Mutex::default();
        let shared = Arc::new(Shared {
            upstream: upstream.to_owned(),
            started: Instant::now(),
            ledger,
        });
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        listener
            .set_nonblocking(true)
            .expect("a socket that doesn't block");
        let port = listener
            .local_addr()
            .expect("a bound listener has an address")
            .port();
        let served = Arc::clone(&shared);
        std::thread::spawn(move || relay::serve(listener, served, stopped));
        Self {
            shared,
            port,
            _stop: stop,
        }
    }

    /// Where it listens.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lets `fault` befall the calls that `when` names, `times` of them.
    pub fn plan(&self, when: When, times: usize, fault: Fault) {
        self.ledger().rules.push(Rule::new(when, times, fault));
    }

    /// The process that a killing fault is to kill. A call that comes before this is called, and
    /// that a killing fault befalls, waits for it.
    pub fn aim_at(&self, process: u32) {
        self.ledger().victim = Some(process);
    }

    /// Forgets calls, plans and victim.
    pub fn clear(&self) {
        *self.ledger() = Ledger::default();
    }

    /// Every call so far, in the order of coming.
    pub fn calls(&self) -> Vec<Call> {
        self.ledger().calls.clone()
    }

    /// Names of the calls so far that may have changed something.
    pub fn changes(&self) -> Vec<String> {
        let calls = self.calls();
        let changing = calls.iter().filter(|call| !call.operation.reads_only());
        changing.map(|call| call.operation.to_string()).collect()
    }

    /// How many calls of the operation (`CreateNatGateway`) came so far.
    pub fn count(&self, operation: &str) -> usize {
        self.calls()
            .iter()
            .filter(|call| call.operation.name() == operation)
            .count()
    }

    /// How many faults have befallen calls so far.
    pub fn faults(&self) -> usize {
        self.calls()
            .iter()
            .filter(|call| call.fault.is_some())
            .count()
    }

    /// How many times a fault killed the process.
    pub fn kills(&self) -> usize {
        self.ledger().kills
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.shared.ledger()
    }
}

impl Shared {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger
            .lock()
            .expect("nobody panics while holding the ledger")
    }

    /// Whom a killing fault is to kill, as soon as somebody says it.
    async fn victim(&self) -> Option<u32> {
        let asked = Instant::now();
        while asked.elapsed() < AIMING {
            let victim = self.ledger().victim;
            if victim.is_some() {
                return victim;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        None
    }

    /// Notes a call and decides its fate.
    fn note(&self, operation: &Operation, body: &Bytes) -> Option<Fault> {
        let mut ledger = self.ledger();
        if !operation.reads_only() {
            let name = operation.name().to_owned();
            ledger.asked.insert(name, body.clone());
        }
        ledger.count.calls += 1;
        ledger.count.changes += usize::from(!operation.reads_only());
        let before = ledger.calls.iter();
        let alike = before.filter(|call| call.operation == *operation).count() + 1;
        ledger.count.alike = alike;
        let count = ledger.count;
        let Ledger { calls, rules, .. } = &mut *ledger;
        let fault = rules
            .iter_mut()
            .find_map(|rule| rule.strikes(count, operation, calls));
        let at = self.started.elapsed();
        ledger.calls.push(Call {
            operation: operation.clone(),
            at,
            fault: fault.clone(),
        });
        fault
    }
}
