//! What the functions need from the world, as narrowly as each needs it: the binaries give them
//! Redis, SQS, DynamoDB and API Gateway, the unit tests give them memory.

use std::future::Future;
use std::time::Duration;

use place_canvas::store::{Admission, After, Asleep, Canvas, Polled, Pong, Taken};
use place_canvas::{ConnectionId, Entry, PaintError, Painted, Pixel, Position, Shard, Token};

use crate::error::Error;
use crate::event::Newcomer;
use crate::gateway::{ConnectionsEndpoint, Frame, GatewayError};
use crate::queues::{Call, Queues, Unserved};

/// The set of connected clients.
pub trait Clients: Sync {
    /// Adds one to its shard, unless the canvas is full.
    fn add(&self, client: &ConnectionId) -> impl Future<Output = Result<Admission, Error>> + Send;
    /// Notes which player one is.
    fn introduce(
        &self,
        client: &ConnectionId,
        player: &str,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Removes one; it need not be there.
    fn remove(&self, client: &ConnectionId) -> impl Future<Output = Result<(), Error>> + Send;
    /// Removes one that connected longer than `grace` ago; says whether it did.
    fn remove_gone(
        &self,
        client: &ConnectionId,
        grace: Duration,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// How long ago one connected; nothing when it is in no shard.
    fn age(
        &self,
        client: &ConnectionId,
    ) -> impl Future<Output = Result<Option<Duration>, Error>> + Send;
}

/// The broadcast loops' leases, and what the loops read under them.
pub trait Shards: Sync {
    /// Takes a shard's lease, unless another loop runs.
    fn take(
        &self,
        shard: Shard,
        token: &Token,
        ttl: Duration,
    ) -> impl Future<Output = Result<Taken, Error>> + Send;
    /// Moves the shard's cursor, renews its lease, reads history after the cursor.
    fn poll(
        &self,
        lease: (Shard, &Token, Duration),
        cursor: Position,
        entries: usize,
    ) -> impl Future<Output = Result<Polled, Error>> + Send;
    /// Renews a lease; `false` when it is lost.
    fn renew(
        &self,
        shard: Shard,
        token: &Token,
        ttl: Duration,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// Gives a lease back if history holds nothing past the cursor.
    fn fall_asleep(
        &self,
        shard: Shard,
        token: &Token,
    ) -> impl Future<Output = Result<Asleep, Error>> + Send;
    /// Turns a lease into a call for the next loop; `false` when it was lost.
    fn hand_over(
        &self,
        shard: Shard,
        token: &Token,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
    /// All of a shard's clients: everyone who is in the set during the whole call.
    fn audience(
        &self,
        shard: Shard,
    ) -> impl Future<Output = Result<Vec<ConnectionId>, Error>> + Send;
    /// Number of clients over all shards.
    fn all_clients(&self) -> impl Future<Output = Result<u64, Error>> + Send;
}

/// The canvas, for those who paint.
pub trait Paint: Sync {
    /// Paints all of `pixels` or none, in one round trip, and puts the painter back into its shard
    /// if the cache does not know it. What the same player sent before under this `name` is not painted
    /// again.
    fn paint(
        &self,
        by: &ConnectionId,
        source: &str,
        pixels: &[Pixel],
        name: Option<&str>,
    ) -> impl Future<Output = Result<Painted, PaintError>> + Send;
    /// Puts a client back into its shard if the cache does not know it, and marks the shards that lag
    /// and that nobody serves as called. `holds` is the position that the client holds.
    fn ping(
        &self,
        client: &ConnectionId,
        holds: Option<Position>,
    ) -> impl Future<Output = Result<Pong, Error>> + Send;
    /// Takes calls back that could not be made.
    fn give_back(
        &self,
        shards: &[Shard],
        caller: &Token,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// History: every change that is not yet trimmed, in order.
pub trait History: Sync {
    /// At most `entries` entries after `position`.
    fn read_after(
        &self,
        position: Position,
        entries: usize,
    ) -> impl Future<Output = Result<Vec<Entry>, Error>> + Send;
    /// The same, and whether anything in between is gone.
    fn follow(
        &self,
        position: Position,
        entries: usize,
    ) -> impl Future<Output = Result<After, Error>> + Send;
}

/// The canvas, for looking at.
pub trait Look: Sync {
    /// The picture, its epoch and the position that it shows.
    fn read_canvas(&self) -> impl Future<Output = Result<Canvas, Error>> + Send;
}

/// Queue of the clients that wait for the picture.
pub trait Newcomers: Sync {
    /// Queues one.
    fn announce(&self, newcomer: &Newcomer) -> impl Future<Output = Result<(), Error>> + Send;
    /// Queues one that the cache had lost, at this position.
    fn announce_again(
        &self,
        newcomer: &ConnectionId,
        at: Position,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Queue of the clients that wait for the picture, for those that were not served.
pub trait Again: Sync {
    /// Lets messages come again after their pauses.
    fn again(&self, unserved: &[Unserved]) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Queue of the wake-ups.
pub trait Calls: Sync {
    /// Queues one.
    fn call(&self, call: &Call) -> impl Future<Output = Result<(), Error>> + Send;
}

/// The clients' connections.
pub trait Gateway: Sync {
    /// Posts a frame to a client; always answers, after [`crate::gateway::CALL_TIMEOUT`] at last.
    fn post(
        &self,
        to: &ConnectionId,
        frame: &Frame,
    ) -> impl Future<Output = Result<(), GatewayError>> + Send;
    /// Closes a client's connection.
    fn close(&self, of: &ConnectionId) -> impl Future<Output = Result<(), GatewayError>> + Send;
}

/// The clients' connections, for looking at.
pub trait Lookup: Sync {
    /// Whether there is such a connection; one that is being set up is none.
    fn is_connected(
        &self,
        id: &ConnectionId,
    ) -> impl Future<Output = Result<bool, GatewayError>> + Send;
}

impl Newcomers for Queues {
    async fn announce(&self, newcomer: &Newcomer) -> Result<(), Error> {
        self.announce(newcomer).await
    }

    async fn announce_again(&self, newcomer: &ConnectionId, at: Position) -> Result<(), Error> {
        self.announce_again(newcomer, at).await
    }
}

impl Again for Queues {
    async fn again(&self, unserved: &[Unserved]) -> Result<(), Error> {
        self.again(unserved).await
    }
}

impl Calls for Queues {
    async fn call(&self, call: &Call) -> Result<(), Error> {
        self.call(call).await
    }
}

impl Gateway for ConnectionsEndpoint {
    async fn post(&self, to: &ConnectionId, frame: &Frame) -> Result<(), GatewayError> {
        self.post(to, frame).await
    }

    async fn close(&self, of: &ConnectionId) -> Result<(), GatewayError> {
        self.close(of).await
    }
}

impl Lookup for ConnectionsEndpoint {
    async fn is_connected(&self, id: &ConnectionId) -> Result<bool, GatewayError> {
        match self.get(id).await {
            Ok(_) => Ok(true),
            Err(GatewayError::Gone) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
