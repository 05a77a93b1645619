//! Two saves that meet.

use super::*;

impl World {
    /// Runs a save that writes colours slowly, and that is overtaken by another: the cache loses the
    /// lease, and a write of old colours is done, and answered, after the other save's of new ones.
    async fn overtake(&self, event: SaveEvent) {
        *self.tables.latency.lock().unwrap() = (Duration::ZERO, Duration::from_secs(2));
        let overtaking = async {
            sleep_until(Instant::now() + Duration::from_secs(1)).await;
            self.cache.drop_leases();
            self.paint(3);
            self.tables.take(0);
            self.save(ORDINARY, 60).await
        };
        let (overtaken, saved) = tokio::join!(self.save(event, 60), overtaking);
        assert!(
            matches!(overtaken, Err(Error::LeaseLost(_))),
            "{overtaken:?}"
        );
        assert!(saved.unwrap().complete);
        assert_ne!(self.tables.picture(), self.cache.state().picture);
    }
}

#[tokio::test(start_paused = true)]
async fn two_at_once_are_one() {
    let world = World::new();
    world.tables.take(10);
    world.paint(100);
    let (first, second) = tokio::join!(world.save(ORDINARY, 60), world.save(ORDINARY, 60));
    assert!(!first.unwrap().held);
    assert_eq!(
        second.unwrap(),
        SaveAnswer {
            held: true,
            ..SaveAnswer::new(Position::ZERO)
        }
    );
    world.assert_saved();
}

#[tokio::test(start_paused = true)]
async fn a_save_that_lost_its_lease_stops_within_a_renewal() {
    let world = World::new();
    world.tables.take(1000);
    world.paint(2000);
    let robber = async {
        sleep_until(Instant::now() + Duration::from_secs(3)).await;
        world.cache.drop_leases();
        Instant::now()
    };
    let (saved, lost_at) = tokio::join!(world.save(ORDINARY, 600), robber);
    assert!(matches!(saved, Err(Error::LeaseLost(_))), "{saved:?}");
    assert!(lost_at.elapsed() <= RENEWAL);
    assert_eq!(world.cache.state().saved, Position::ZERO);
}

#[tokio::test(start_paused = true)]
async fn two_saves_that_overlap_end_with_the_canvas() {
    let world = World::new();
    world.paint(1);
    world.overtake(ORDINARY).await;
    world.save(ORDINARY, 60).await.unwrap();
    world.assert_saved();
}

#[tokio::test(start_paused = true)]
async fn a_save_that_mends_and_overlaps_ends_with_the_canvas() {
    let world = World::new();
    world.paint(1);
    let late = Weather::Late(Duration::from_secs(5));
    world.tables.weather.lock().unwrap().push_back(late);
    world.save(ORDINARY, 60).await.unwrap();
    world.paint(2);
    world.save(ORDINARY, 60).await.unwrap();
    // All is saved, a row is old, and its doubt is so old that whoever mends it settles it.
    sleep_until(Instant::now() + colours::DOUBT).await;
    world.overtake(ORDINARY).await;
    world.save(ORDINARY, 60).await.unwrap();
    world.assert_saved();
}

#[tokio::test(start_paused = true)]
async fn a_full_save_that_overlaps_ends_with_the_canvas() {
    let world = World::new();
    world.paint(1);
    world.save(ORDINARY, 60).await.unwrap();
    // The last row is one call, which is answered before the lease is renewed.
    let last_row = SaveEvent {
        offset: 180,
        ..FULL
    };
    world.overtake(last_row).await;
    world.save(ORDINARY, 60).await.unwrap();
    world.assert_saved();
}
