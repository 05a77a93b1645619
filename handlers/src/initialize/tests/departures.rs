//! A crowd that leaves as soon as it has come, and the newcomers among it.

use std::cell::RefCell;

use futures::stream::{FuturesUnordered, StreamExt};

use super::*;

/// Invocations at once, and messages in one: the mapping's.
const SLOTS: usize = 20;
const BATCH: usize = 10;

/// A message of the queue.
struct Waiting {
    client: String,
    receives: u32,
    visible: Instant,
}

/// The initialize queue and its mapping to the function.
struct Queue<'a> {
    world: &'a World,
    waiting: RefCell<Vec<Waiting>>,
}

impl Queue<'_> {
    fn send(&self, client: String) {
        let visible = Instant::now();
        let receives = 0;
        self.waiting.borrow_mut().push(Waiting {
            client,
            receives,
            visible,
        });
    }

    /// What SQS hands out next.
    fn receive(&self) -> Vec<Waiting> {
        let now = Instant::now();
        let mut waiting = self.waiting.borrow_mut();
        let (ready, mut rest): (Vec<_>, Vec<_>) = waiting
            .drain(..)
            .partition(|message| message.visible <= now);
        let mut batch = ready;
        rest.splice(0..0, batch.split_off(BATCH.min(batch.len())));
        *waiting = rest;
        batch
    }

    async fn serve(&self, mut batch: Vec<Waiting>) {
        for message in &mut batch {
            message.receives += 1;
        }
        let clients: Vec<_> = batch
            .iter()
            .map(|message| (message.client.as_str(), message.receives))
            .collect();
        let answer = self.world.deliver(&clients, 20).await;
        let failed: Vec<_> = answer
            .failures
            .iter()
            .map(|f| f.message_id.clone())
            .collect();
        for (number, mut message) in batch.into_iter().enumerate() {
            if failed.contains(&format!("m{number}")) {
                assert!(message.receives < TRIES, "a dead letter");
                message.visible = Instant::now() + Duration::from_secs(2);
                self.waiting.borrow_mut().push(message);
            }
        }
    }

    async fn run(&self) {
        let mut slots = FuturesUnordered::new();
        loop {
            while slots.len() < SLOTS {
                let batch = self.receive();
                if batch.is_empty() {
                    break;
                }
                slots.push(self.serve(batch));
            }
            tokio::select! {
                Some(()) = slots.next(), if !slots.is_empty() => {}
                () = sleep(Duration::from_millis(10)) => {}
            }
        }
    }
}

/// Departures come, whether or not `$disconnect` tells of them, and now and then somebody who stays;
/// answers the longest time until one of these had the picture.
async fn longest_wait(gap: Duration, departures: u32, told: bool) -> Duration {
    let world = World::new();
    let queue = Queue {
        world: &world,
        waiting: RefCell::default(),
    };
    let traffic = async {
        let mut waits = Vec::new();
        for number in 0..departures {
            let gone = format!("gone{number}");
            world
                .gateway
                .set(&id(&gone), Mood::Fails(GatewayError::Gone));
            if !told {
                world.cache.join(&id(&gone), Duration::ZERO);
            }
            queue.send(gone);
            if number % 50 == 49 {
                let new = format!("new{number}");
                world.cache.join(&id(&new), Duration::ZERO);
                queue.send(new.clone());
                waits.push((new, Instant::now()));
            }
            sleep(gap).await;
        }
        sleep(Duration::from_secs(20)).await;
        assert!(queue.waiting.borrow().is_empty());
        let wait = |(client, since): &(String, Instant)| {
            world.assert_up_to_date(client);
            let calls = world.gateway.calls();
            calls.arrived[&id(client)].last().unwrap().0 - *since
        };
        waits.iter().map(wait).max().unwrap()
    };
    tokio::select! {
        () = queue.run() => unreachable!("the queue is there for ever"),
        longest = traffic => longest,
    }
}

#[tokio::test(start_paused = true)]
async fn departures_at_once_hold_nobody_up() {
    for told in [true, false] {
        let longest = longest_wait(Duration::ZERO, 300, told).await;
        assert!(longest < Duration::from_secs(3), "{longest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn forty_departures_a_second_hold_nobody_up() {
    for told in [true, false] {
        let longest = longest_wait(Duration::from_millis(25), 1200, told).await;
        assert!(longest < Duration::from_secs(2), "{longest:?}");
    }
}
