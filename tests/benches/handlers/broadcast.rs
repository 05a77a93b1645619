//! placev2broadcast: one paint to all clients, as fast as the machine can.

use std::time::Duration;

use place_canvas::store::Painter;
use place_canvas::{ConnectionId, Pixel, Rgb, Shard};
use place_config::Function as Kind;
use place_tests::lambda::{Function, Memory, Rig, event};
use place_tests::process::processor_time;
use redis::AsyncCommands;

use super::report::{Report, mib, rate};
use super::yardstick::Yardstick;

/// No pace: what is measured is the function, not its budget.
const UNLIMITED: u32 = 10_000_000;

struct Figures {
    per_second: f64,
    per_core: f64,
    peak_kib: u64,
}

/// Posts, processor time and memory for each size of the crowd.
pub(crate) async fn measure(yardstick: Option<&Yardstick>, report: &mut Report) {
    let theirs = match yardstick {
        Some(yardstick) => Some(one_after_the_other(yardstick).await),
        None => None,
    };
    for (clients, rounds) in [(1000, 20), (10_000, 5)] {
        let ours = crowd(clients, rounds).await;
        let beside = |figure: fn(&Figures) -> f64| theirs.as_ref().map(figure);
        let what = format!("broadcast to {clients}");
        let total = report.add(&what, "posts/s", ours.per_second, beside(|f| f.per_second));
        if clients == 10_000 {
            total.at_least(10_000.0).times_the_yardstick(20.0);
        }
        let per_core = beside(|f| f.per_core);
        let cpu = "posts a second of its own processor time";
        report.add(&what, cpu, ours.per_core, per_core);
        let peak = beside(|f| mib(f.peak_kib));
        let peak = report.add(
            format!("{what}, peak memory"),
            "MiB",
            mib(ours.peak_kib),
            peak,
        );
        peak.below(64.0);
    }
}

async fn crowd(clients: usize, rounds: u16) -> Figures {
    let rig = Rig::with(Memory::Count, |env| {
        (env.width, env.height) = (1000, 1000);
        env.max_posts_per_second = UNLIMITED;
    })
    .await;
    let joined = rig.join(clients).await;
    let function = rig.function(Kind::Broadcast);
    let store = rig.store().await;
    let wake = async |round: u16| {
        let pixel = Pixel::new(round, 0, Rgb::new(1, 2, 3));
        store
            .paint(Painter::Operator(&joined[0]), "192.0.2.1", &[pixel])
            .await
            .expect("a paint");
        event::wake(Shard(0))
    };
    measured(&rig, &function, clients as u64, rounds, wake).await
}

/// The yardstick's function, with a thousand clients: it posts one after the other, so more of
/// them only take longer.
async fn one_after_the_other(yardstick: &Yardstick) -> Figures {
    let rig = Rig::start(Memory::Count).await;
    let ids: Vec<ConnectionId> = (0..1000).map(place_tests::lambda::client).collect();
    let ids: Vec<&str> = ids.iter().map(ConnectionId::as_str).collect();
    let client = redis::Client::open(rig.redis.url()).expect("an address of a Redis");
    let mut connection = client
        .get_multiplexed_async_connection()
        .await
        .expect("Redis answers");
    let _: () = connection
        .sadd("clients", &ids)
        .await
        .expect("Redis takes clients");
    let function = yardstick.function(&rig, "broadcast");
    let body = r#"[{"x":1,"y":0,"r":1,"g":2,"b":3}]"#.to_owned();
    let wake = async |_| event::batch(std::slice::from_ref(&body));
    measured(&rig, &function, ids.len() as u64, 2, wake).await
}

/// Lets the function serve one paint after the other, the first one unmeasured.
async fn measured(
    rig: &Rig,
    function: &Function,
    clients: u64,
    rounds: u16,
    wake: impl AsyncFn(u16) -> String,
) -> Figures {
    function
        .invoke(wake(0).await)
        .await
        .expect("a wake-up is served");
    let (mut posting, before) = (Duration::ZERO, processor_time(function.id()));
    for round in 1..=rounds {
        rig.gateway.clear();
        function
            .invoke(wake(round).await)
            .await
            .expect("a wake-up is served");
        assert_eq!(rig.gateway.posts(), clients, "one post for each client");
        posting += rig.gateway.span();
    }
    let used = processor_time(function.id()).zip(before);
    let used = used.map_or(Duration::ZERO, |(after, before)| {
        after.saturating_sub(before)
    });
    let posts = clients * u64::from(rounds);
    Figures {
        per_second: rate(posts, posting),
        per_core: rate(posts, used),
        peak_kib: function.memory().peak,
    }
}
