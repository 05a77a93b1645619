//! Two servers, one of which follows the other and takes its place, behind a name that moves.

use std::io;

use super::{AT_ONCE, MovingName, TestRedis};

/// A server that nobody listens at.
const NOWHERE: u16 = 1;

/// A primary, its replica, and the name that stands for the primary.
#[derive(Debug)]
pub struct TestPair {
    /// The server that takes writes.
    pub primary: TestRedis,
    /// The server that follows it, or that was the primary before.
    pub replica: TestRedis,
    /// What clients connect to.
    pub name: MovingName,
    cluster: bool,
}

impl TestPair {
    /// Starts two servers that keep nothing on disk.
    pub fn start() -> io::Result<Self> {
        let options = [&["--save", "", "--appendonly", "no"][..], &AT_ONCE[..]].concat();
        let primary = TestRedis::start_with(&options)?;
        let replica = TestRedis::start_with(&options)?;
        replica.follow(primary.port())?;
        replica.wait_for("INFO replication", "master_link_status:up")?;
        // The primary knows it a little later, and hands over to nobody else.
        primary.wait_for("INFO replication", "state=online")?;
        Self::of(primary, replica, false)
    }

    /// Starts a cluster of two servers, the first of which serves all slots.
    pub fn start_cluster() -> io::Result<Self> {
        let primary = TestRedis::start_cluster()?;
        let replica = TestRedis::start_cluster_node(None)?;
        let (id, bus) = primary.cluster_id()?;
        replica.order(&format!("CLUSTER MEET 127.0.0.1 {} {bus}", primary.port()))?;
        replica.wait_for("CLUSTER NODES", &id)?;
        replica.wait_for("CLUSTER INFO", "cluster_state:ok")?;
        replica.order(&format!("CLUSTER REPLICATE {id}"))?;
        replica.wait_for("INFO replication", "master_link_status:up")?;
        primary.wait_for("CLUSTER NODES", " slave ")?;
        Self::of(primary, replica, true)
    }

    fn of(primary: TestRedis, replica: TestRedis, cluster: bool) -> io::Result<Self> {
        Ok(Self {
            name: MovingName::of(primary.port())?,
            primary,
            replica,
            cluster,
        })
    }

    /// Waits until the replica has the keys that the primary has.
    pub fn replicate(&self) -> io::Result<()> {
        let keys = self.primary.ask("DBSIZE")?;
        self.replica.wait_for("DBSIZE", &keys)
    }

    /// Lets the replica take the primary's place after it has everything. The old primary follows it
    /// and keeps its clients, to whom it answers that it takes no writes. The name does not move.
    pub fn fail_over(&mut self) -> io::Result<()> {
        if self.cluster {
            self.replica.order("CLUSTER FAILOVER")?;
        } else {
            let to = self.replica.port();
            self.primary.order(&format!("FAILOVER TO 127.0.0.1 {to}"))?;
        }
        self.replica.wait_for("INFO replication", "role:master")?;
        self.swap();
        Ok(())
    }

    /// Promotes the replica as it is. The primary, if it still runs, knows nothing of that. The name
    /// does not move.
    pub fn promote(&mut self) -> io::Result<()> {
        if self.cluster {
            self.replica.order("CLUSTER FAILOVER TAKEOVER")?;
        } else {
            self.replica.order("REPLICAOF NO ONE")?;
        }
        self.replica.wait_for("INFO replication", "role:master")?;
        self.swap();
        Ok(())
    }

    /// Lets the name stand for the primary of now.
    pub fn move_name(&self) {
        self.name.move_to(self.primary.port());
    }

    fn swap(&mut self) {
        std::mem::swap(&mut self.primary, &mut self.replica);
    }
}

impl TestRedis {
    /// Makes it the replica of a server that is not there: it takes no writes, and what it answers
    /// gets old.
    pub fn demote(&self) -> io::Result<()> {
        self.follow(NOWHERE)
    }

    fn follow(&self, port: u16) -> io::Result<()> {
        self.order(&format!("REPLICAOF 127.0.0.1 {port}"))
    }

    /// A node's id, and the port of its bus.
    fn cluster_id(&self) -> io::Result<(String, String)> {
        let nodes = self.ask("CLUSTER NODES")?;
        let found = || {
            let own = nodes.lines().find(|line| line.contains("myself"))?;
            let (id, rest) = own.split_once(' ')?;
            let address = rest.split(' ').next()?.split(',').next()?;
            let (_, bus) = address.split_once('@')?;
            Some((id.to_owned(), bus.to_owned()))
        };
        found().ok_or_else(|| io::Error::other(format!("no id in {nodes}")))
    }
}
