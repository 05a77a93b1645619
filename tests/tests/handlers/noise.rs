//! The worst picture: noise, which no compression makes smaller.

use place_canvas::client::ModelClient;
use place_canvas::store::{Canvas, Painter};
use place_canvas::{Pixel, Rgb};
use place_config::Function as Kind;
use place_tests::lambda::{Memory, Rig, client, event};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::support::ADDRESS;

#[tokio::test]
async fn no_frame_of_the_worst_picture_is_over_the_limit() {
    let rig = Rig::with(Memory::Frames, |env| (env.width, env.height) = (2000, 2000)).await;
    let store = rig.store().await;
    let mut random = SmallRng::seed_from_u64(1);
    for y in (0..2000).step_by(20) {
        let places = (y..y + 20).flat_map(|y| (0..2000).map(move |x| (x, y)));
        let pixels: Vec<Pixel> = places
            .map(|(x, y)| Pixel::new(x, y, Rgb::from(random.random::<[u8; 3]>())))
            .collect();
        store
            .paint(Painter::Operator(&client(0)), ADDRESS, &pixels)
            .await
            .unwrap();
    }
    let joined = rig.join(1).await;
    let initialize = rig.function(Kind::Initialize);
    let answer = initialize.invoke(event::newcomers(&joined)).await.unwrap();
    assert_eq!(answer, br#"{"batchItemFailures":[]}"#);
    assert!(rig.gateway.longest() <= u64::from(rig.env.frame_bytes));
    assert!(
        rig.gateway.bytes() > 16_000_000,
        "noise stays as large as it is"
    );
    let mut model = ModelClient::new();
    for post in rig.gateway.log() {
        model.on_frame(&post.frame.unwrap()).unwrap();
    }
    let Canvas {
        at,
        picture: canvas,
        ..
    } = store.read_canvas().await.unwrap();
    assert_eq!(model.position(), Some(at));
    assert!(
        model.picture() == Some(&canvas),
        "the picture arrives whole"
    );
}
