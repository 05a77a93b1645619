//! initializeConnection: the picture for a newcomer, and for the next one soon after.

use std::time::{Duration, Instant};

use place_config::Function as Kind;
use place_tests::lambda::{Memory, Mood, Rig, client, event, play};
use redis::Script;

use super::canvas;
use super::report::{Report, mib, millis};
use super::yardstick::Yardstick;

/// Long enough for the second newcomer to come within.
const REUSE_MS: u32 = 20_000;

struct Figures {
    first_ms: f64,
    second_ms: f64,
    frames: u64,
    kib: f64,
    peak_kib: u64,
}

/// A crowd that comes back at once, and the calls that serve it: AWS runs 20, this machine has few
/// processors.
const CROWD: usize = 300;
const SLOTS: usize = 4;
/// What a post to API Gateway takes.
const LATENCY: Duration = Duration::from_millis(15);

/// Time until the last of a crowd has its picture.
pub(crate) async fn storm(report: &mut Report) {
    for (what, picture) in [
        ("32 colours", canvas::picture()),
        ("true colour", canvas::gradient()),
    ] {
        let rig = Rig::with(Memory::Count, |env| (env.width, env.height) = (1000, 1000)).await;
        canvas::fill(&rig, &picture).await;
        let clients = rig.join(CROWD).await;
        for client in &clients {
            rig.gateway.set(client.as_str(), Mood::Slow(LATENCY));
        }
        let slots: Vec<_> = (0..SLOTS).map(|_| rig.function(Kind::Initialize)).collect();
        let begun = Instant::now();
        play::welcome(&slots, &clients).await;
        let what =
            format!("initializeConnection, {CROWD} at once, {what}, {SLOTS} calls at a time");
        report.add(what, "ms", millis(begun.elapsed()), None);
    }
}

/// Times, frames and memory for both sizes of canvas.
pub(crate) async fn measure(yardstick: Option<&Yardstick>, report: &mut Report) {
    for side in [1000, 2000] {
        let ours = picture(side).await;
        // The yardstick's message of four million pixels would only take longer still.
        let theirs = match yardstick.filter(|_| side == 1000) {
            Some(yardstick) => Some(one_message(yardstick).await),
            None => None,
        };
        let beside = |figure: fn(&Figures) -> f64| theirs.as_ref().map(figure);
        let what = format!("initializeConnection, {side} x {side}");
        report.add(
            format!("{what}, first client"),
            "ms",
            ours.first_ms,
            beside(|f| f.first_ms),
        );
        let second = format!("{what}, second client");
        report.add(second, "ms", ours.second_ms, beside(|f| f.second_ms));
        let frames = count(ours.frames);
        let theirs_frames = beside(|f| count(f.frames));
        report.add(
            format!("{what}, each client"),
            "frames",
            frames,
            theirs_frames,
        );
        report.add(
            format!("{what}, each client"),
            "KiB",
            ours.kib,
            beside(|f| f.kib),
        );
        let peak = beside(|f| mib(f.peak_kib));
        let peak = report.add(
            format!("{what}, peak memory"),
            "MiB",
            mib(ours.peak_kib),
            peak,
        );
        if side == 1000 {
            peak.below(64.0);
        }
    }
}

async fn picture(side: u16) -> Figures {
    let rig = Rig::with(Memory::Count, |env| {
        (env.width, env.height) = (side, side);
        env.reuse_ms = REUSE_MS;
    })
    .await;
    canvas::fill(&rig, &canvas::picture()).await;
    rig.join(2).await;
    let function = rig.function(Kind::Initialize);
    measured(&rig, &function, |number| {
        event::newcomers(&[client(number)])
    })
    .await
}

/// The yardstick, whose canvas is a hash with a field a pixel.
async fn one_message(yardstick: &Yardstick) -> Figures {
    const FILL: &str = r#"
        for y = 0, 999 do
          for x = 0, 999 do
            redis.call("HSET", KEYS[1], x .. " " .. y,
              '{"x": ' .. x .. ', "y": ' .. y .. ', "r": 255, "g": 69, "b": 0}')
          end
        end"#;
    let rig = Rig::start(Memory::Count).await;
    let redis = redis::Client::open(rig.redis.url()).expect("an address of a Redis");
    let config = redis::AsyncConnectionConfig::new().set_response_timeout(None);
    let connected = redis
        .get_multiplexed_async_connection_with_config(&config)
        .await;
    let mut connection = connected.expect("Redis answers");
    let filled = Script::new(FILL)
        .key("canvas")
        .invoke_async::<()>(&mut connection)
        .await;
    filled.expect("Redis fills the canvas");
    let function = yardstick.function(&rig, "initialize_connection");
    measured(&rig, &function, |number| {
        event::batch(&[client(number).to_string()])
    })
    .await
}

async fn measured(
    rig: &Rig,
    function: &place_tests::lambda::Function,
    newcomer: impl Fn(usize) -> String,
) -> Figures {
    let mut times = Vec::new();
    for number in 0..2 {
        rig.gateway.clear();
        let begun = Instant::now();
        function
            .invoke(newcomer(number))
            .await
            .expect("a newcomer is served");
        times.push(millis(begun.elapsed()));
    }
    Figures {
        first_ms: times[0],
        second_ms: times[1],
        frames: rig.gateway.posts(),
        kib: mib(rig.gateway.bytes()),
        peak_kib: function.memory().peak,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture has few frames")]
fn count(frames: u64) -> f64 {
    frames as f64
}
