use super::*;
use crate::picture::Picture;

#[tokio::test]
async fn an_unpainted_canvas_is_its_background() {
    let bench = Bench::with(|config| config.background = RED).await;
    let Canvas { at, picture, .. } = bench.store.read_canvas().await.unwrap();
    assert_eq!(at, bench.first);
    assert_eq!(picture, Picture::new(bench.store.geometry(), RED));
}

#[tokio::test]
async fn the_position_is_exact_after_everything_was_trimmed() {
    let bench = Bench::new().await;
    bench.paint("a", 1).await;
    let at = bench.paint("a", 2).await;
    bench.save(2).await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    bench.save(0).await;
    let Canvas {
        at: shown, picture, ..
    } = bench.store.read_canvas().await.unwrap();
    assert_eq!(shown, at);
    assert_eq!(bench.store.newest().await.unwrap(), at);
    assert_eq!(picture.pixels().filter(|pixel| pixel.rgb == RED).count(), 2);
}

/// While several painters paint, each picture that is read is exactly what history up to its
/// position makes of the background.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_shows_exactly_its_position() {
    let bench = Bench::new().await;
    let painters: Vec<_> = (0..4_u16)
        .map(|painter| {
            let store = bench.store.clone();
            tokio::spawn(async move {
                for n in 0..100_u16 {
                    let [high, low] = (painter * 1000 + n).to_be_bytes();
                    let color = Rgb::new(high, low, 1);
                    let pixels = [Pixel::new(n % 7, 3, color), Pixel::new(n % 3, 4, color)];
                    store
                        .paint(
                            Painter::Operator(&id(&format!("p{painter}"))),
                            ADDRESS,
                            &pixels,
                        )
                        .await
                        .unwrap();
                }
            })
        })
        .collect();
    let mut read = Vec::new();
    while !painters.iter().all(tokio::task::JoinHandle::is_finished) {
        read.push(bench.store.read_canvas().await.unwrap());
    }
    read.push(bench.store.read_canvas().await.unwrap());

    let history = bench.painted().await;
    assert_eq!(history.len(), 400);
    for Canvas { at, picture, .. } in read {
        let mut expected = Picture::new(bench.store.geometry(), Rgb::WHITE);
        for entry in history.iter().filter(|entry| entry.at <= at) {
            expected.apply(&entry.pixels);
        }
        assert!(picture == expected, "the picture as of {at}");
    }
}

/// It is read in pieces: the second pixel lies across the end of the first one.
#[tokio::test]
async fn a_canvas_of_more_than_a_piece_comes_back() {
    let bench = Bench::with(|config| config.geometry = Geometry::new(700, 600).unwrap()).await;
    let painted = [Pixel::new(699, 599, RED), Pixel::new(225, 499, RED)];
    bench
        .store
        .paint(Painter::Operator(&id("a")), ADDRESS, &painted)
        .await
        .unwrap();
    let mut expected = Picture::new(bench.store.geometry(), Rgb::WHITE);
    expected.apply(&painted);
    assert!(bench.store.read_canvas().await.unwrap().picture == expected);
}
