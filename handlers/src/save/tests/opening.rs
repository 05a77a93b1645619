//! A cache that lost what it held, and a canvas of another size.

use place_canvas::{Geometry, Picture};

use super::*;

impl World {
    /// Paints and saves, and then the cache comes back empty.
    async fn saved_and_lost(&self) -> Picture {
        self.paint(30);
        self.save(ORDINARY, 60).await.unwrap();
        let picture = self.tables.picture();
        self.cache.lose_everything();
        picture
    }

    fn canvas(&self) -> Picture {
        self.cache.state().picture.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_empty_is_filled_from_the_tables_and_overwrites_nothing() {
    for event in [ORDINARY, FULL] {
        let world = World::new();
        let picture = world.saved_and_lost().await;
        let answer = world.save(event, 60).await.unwrap();
        assert!(answer.opened);
        assert!(world.canvas() == picture, "the canvas is what was saved");
        assert!(world.tables.picture() == picture, "so are the tables");
        // History goes on above everything that was saved.
        let reached = world.tables.state.lock().unwrap().clone().unwrap().position;
        assert!(world.cache.paint_now(&[dot(1, 1, 1)]).at > reached);
        world.save(ORDINARY, 60).await.unwrap();
        assert!(world.tables.picture() == world.canvas());
    }
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_step_while_it_opens_the_next_save_opens_it() {
    for step in 1.. {
        let world = World::new();
        let picture = world.saved_and_lost().await;
        world.cache.faults.fail_at(step);
        let killed = world.save(ORDINARY, 60).await.is_err();
        world.cache.drop_leases();
        world.save(ORDINARY, 60).await.unwrap();
        assert!(world.canvas() == picture, "after a failure at step {step}");
        if !killed {
            assert!(step > 5, "an opening has several steps");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_was_made_anew_is_filled_again_whatever_cuts_a_save_off() {
    for step in 1.. {
        let world = World::new();
        let picture = {
            world.paint(30);
            world.save(ORDINARY, 60).await.unwrap();
            world.tables.picture()
        };
        world.tables.make_anew();
        world.cache.faults.fail_at(step);
        let killed = world.save(ORDINARY, 60).await.is_err();
        world.cache.drop_leases();
        let again = world.save(ORDINARY, 60).await.unwrap();
        assert!(world.tables.picture() == picture, "after step {step}");
        if !killed {
            assert!(step > 5, "filling has several steps");
            assert_eq!(again.pixels, 0, "it is filled once");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_table_that_takes_longer_than_a_save_is_filled_by_the_next_ones() {
    let world = World::new();
    let red: Vec<_> = (0..10)
        .flat_map(|y| (0..20).map(move |x| dot(x, y, 1)))
        .collect();
    world.paint_these(&red);
    world.save(ORDINARY, 60).await.unwrap();
    let picture = world.tables.picture();
    world.tables.make_anew();
    world.tables.take(4_000);
    let mut answers = Vec::new();
    while answers
        .last()
        .is_none_or(|answer: &SaveAnswer| !answer.complete)
    {
        assert!(answers.len() < 20, "it gets nowhere: {answers:?}");
        answers.push(world.save(ORDINARY, 20).await.unwrap());
    }
    assert!(answers.len() > 1, "one had time enough: {answers:?}");
    assert!(world.tables.picture() == picture);
    let rows: u64 = answers.iter().map(|answer| answer.pixels).sum();
    assert_eq!(rows, red.len() as u64, "each pixel is written once");
}

#[tokio::test(start_paused = true)]
async fn the_salt_outlives_the_cache() {
    let world = World::new();
    world.paint(1);
    world.save(ORDINARY, 60).await.unwrap();
    let salt = || world.tables.state.lock().unwrap().clone().unwrap().salt;
    let before = salt();
    world.cache.lose_everything();
    world.save(ORDINARY, 60).await.unwrap();
    assert_eq!(salt(), before);
}

#[tokio::test(start_paused = true)]
async fn what_a_cache_that_went_back_has_lost_is_painted_anew_but_never_over_newer_work() {
    let world = World::new();
    world.paint_these(&[dot(1, 1, 1), dot(2, 2, 1)]);
    world.save(ORDINARY, 60).await.unwrap();
    let (remembered, history) = {
        let state = world.cache.state();
        (state.picture.clone(), state.history.clone())
    };
    let saved = world.cache.state().saved;
    world.paint_these(&[dot(1, 1, 2), dot(3, 3, 2)]);
    world.save(ORDINARY, 60).await.unwrap();
    {
        let mut state = world.cache.state();
        (state.picture, state.history, state.saved) = (remembered, history, saved);
    }
    // Somebody paints before anybody notices.
    world.cache.paint_now(&[dot(3, 3, 9)]);
    let answer = world.save(ORDINARY, 60).await.unwrap();
    assert_eq!((answer.opened, answer.recovered), (true, 1));
    let canvas = world.canvas();
    assert_eq!(
        canvas.get(1, 1),
        Some(dot(1, 1, 2).rgb),
        "saved, and lost by the cache"
    );
    assert_eq!(canvas.get(2, 2), Some(dot(2, 2, 1).rgb));
    assert_eq!(canvas.get(3, 3), Some(dot(3, 3, 9).rgb), "newer");
    world.save(ORDINARY, 60).await.unwrap();
    assert!(world.tables.picture() == canvas);
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_lost_the_pixels_alone_loses_nothing_of_its_history_whatever_cuts_a_save_off()
{
    for step in 1.. {
        let world = World::new();
        world.paint(30);
        world.save(ORDINARY, 60).await.unwrap();
        world.paint_these(&[dot(3, 3, 7), dot(4, 4, 7)]);
        world.paint_these(&[dot(4, 4, 8)]);
        let picture = world.canvas();
        world.cache.lose_pixels();
        world.cache.faults.fail_at(step);
        let killed = world.save(ORDINARY, 60).await.is_err();
        world.cache.drop_leases();
        world.save(ORDINARY, 60).await.unwrap();
        assert!(world.canvas() == picture, "after a failure at step {step}");
        world.assert_saved();
        if !killed {
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pixels_that_are_lost_by_a_cache_that_also_went_back_come_from_the_newer_of_the_two() {
    let world = World::new();
    world.paint_these(&[dot(1, 1, 1)]);
    let history = world.cache.state().history.clone();
    world.paint_these(&[dot(1, 1, 2), dot(2, 2, 2)]);
    world.save(ORDINARY, 60).await.unwrap();
    let picture = world.canvas();
    {
        let mut state = world.cache.state();
        (state.newest, state.saved, state.unsaved) = (history[0].at, Position::ZERO, 1);
        state.history = history;
    }
    world.cache.lose_pixels();
    world.save(ORDINARY, 60).await.unwrap();
    assert!(world.canvas() == picture);
    assert!(
        world.tables.picture() == picture,
        "no row stays as old as the cache was"
    );
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_lost_the_history_alone_keeps_its_pixels_and_saves_all_of_them() {
    let world = World::new();
    world.paint(30);
    world.save(ORDINARY, 60).await.unwrap();
    world.paint_these(&[dot(3, 3, 7)]);
    let picture = world.canvas();
    world.cache.lose_history();
    let answer = world.save(ORDINARY, 60).await.unwrap();
    assert!(answer.opened && answer.complete);
    assert!(world.canvas() == picture);
    assert!(world.tables.picture() == picture);
    assert_eq!(
        world.cache.state().unsaved,
        0,
        "what is lost keeps nobody from painting"
    );
    world.paint_these(&[dot(5, 5, 5)]);
    world.save(ORDINARY, 60).await.unwrap();
    assert!(world.tables.picture() == world.canvas());
}

#[tokio::test(start_paused = true)]
async fn another_primary_means_another_epoch() {
    let world = World::new();
    world.paint(1);
    world.save(ORDINARY, 60).await.unwrap();
    world.cache.state().has_moved = true;
    assert!(world.save(ORDINARY, 60).await.unwrap().opened);
    assert!(!world.save(ORDINARY, 60).await.unwrap().opened);
}

#[tokio::test(start_paused = true)]
async fn a_canvas_of_another_size_is_refused_enlarged_or_cropped_as_asked() {
    let size = |width, height| Geometry::new(width, height).unwrap();
    let red = Rgb::new(255, 0, 0);
    let other = |width, height| {
        let world = World::new();
        world.cache.state().other_size = Some(Picture::new(size(width, height), red));
        world
    };
    let resize = SaveEvent {
        resize: true,
        ..ORDINARY
    };
    let crop = SaveEvent {
        crop: true,
        ..resize
    };
    let smaller = other(10, 5);
    let refused = smaller.save(ORDINARY, 60).await.unwrap_err();
    assert!(chain(&refused).contains("10 x 5"), "{refused:?}");
    smaller.cache.drop_leases();
    assert!(smaller.save(resize, 60).await.unwrap().opened);
    assert_eq!(smaller.canvas().get(9, 4), Some(red));
    assert_eq!(smaller.canvas().get(10, 4), Some(Rgb::WHITE));

    let larger = other(30, 15);
    assert!(larger.save(resize, 60).await.is_err());
    larger.cache.drop_leases();
    assert!(larger.save(crop, 60).await.unwrap().opened);
    assert_eq!(larger.canvas(), Picture::new(geometry(), red));
}

#[tokio::test(start_paused = true)]
async fn a_canvas_that_is_cropped_and_enlarged_shows_what_the_tables_hold() {
    let world = World::new();
    world.paint_these(&[dot(15, 8, 1), dot(2, 2, 1)]);
    world.save(ORDINARY, 60).await.unwrap();
    let cropped = Picture::new(Geometry::new(10, 5).unwrap(), Rgb::WHITE);
    world.cache.state().other_size = Some(cropped);
    let resize = SaveEvent {
        resize: true,
        ..ORDINARY
    };
    assert!(world.save(resize, 60).await.unwrap().opened);
    assert_eq!(world.canvas().get(15, 8), Some(dot(15, 8, 1).rgb));
    assert_eq!(
        world.canvas().get(2, 2),
        Some(Rgb::WHITE),
        "as in the cache"
    );
}
