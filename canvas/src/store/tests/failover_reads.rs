//! What only reads, at a node that was demoted and answers with old news.

use super::crowd::store;
use super::*;
use crate::testing::TestPair;

/// A node that was demoted, whose connection stays open, and a new primary that has one paint more.
struct Demoted {
    pair: TestPair,
    store: Store,
    newest: Position,
}

impl Demoted {
    async fn new() -> Self {
        let mut pair = TestPair::start().unwrap();
        let store = store(&pair.name.url(), false).await;
        store.open_blank().await.unwrap();
        let paint = async |store: &Store, x| {
            let by = id("a");
            let painted = store
                .paint(Painter::Operator(&by), ADDRESS, &[dot(x)])
                .await;
            painted.unwrap().at
        };
        store.add_client(&id("first")).await.unwrap();
        paint(&store, 1).await;
        pair.fail_over().unwrap();
        pair.replica.demote().unwrap();
        let other = super::crowd::store(&pair.primary.url(), false).await;
        other.add_client(&id("second")).await.unwrap();
        let newest = paint(&other, 2).await;
        Self {
            pair,
            store,
            newest,
        }
    }

    /// What `read` answers when the name moves half a second later.
    async fn read<T>(read: impl AsyncFn(&Store) -> T) -> (T, Position) {
        let demoted = Self::new().await;
        let moving = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            demoted.pair.move_name();
        };
        let ((), answer) = tokio::join!(moving, read(&demoted.store));
        (answer, demoted.newest)
    }
}

#[tokio::test]
async fn a_node_that_was_demoted_serves_no_canvas() {
    let read = async |store: &Store| store.read_canvas().await.unwrap();
    let (canvas, newest) = Demoted::read(read).await;
    assert_eq!((canvas.at, canvas.picture.get(2, 0)), (newest, Some(RED)));
}

#[tokio::test]
async fn a_node_that_was_demoted_serves_no_history() {
    let read = async |store: &Store| {
        let after = store.follow(Position::ZERO, 10).await.unwrap();
        after.entries.last().unwrap().at
    };
    let (at, newest) = Demoted::read(read).await;
    assert_eq!(at, newest);
}

#[tokio::test]
async fn a_node_that_was_demoted_counts_no_clients() {
    let read = async |store: &Store| store.client_count().await.unwrap();
    assert_eq!(Demoted::read(read).await.0, 2);
}

/// A script that comes to no write.
#[tokio::test]
async fn a_node_that_was_demoted_gives_no_figures() {
    let read = async |store: &Store| store.stats().await.unwrap().newest;
    let (at, newest) = Demoted::read(read).await;
    assert_eq!(at, newest);
}
