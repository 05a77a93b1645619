//! The stacks that tests share, and small helpers.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use place_canvas::{Pixel, Rgb};
use place_config::{Function, StackConfig};
use place_tests::{LocalCloud, Operator, inventory};
use serde_json::Value;
use tokio::sync::{Mutex, MutexGuard, OnceCell};

/// A stack that stands.
#[derive(Debug)]
pub(crate) struct Standing {
    /// Whose it is.
    pub(crate) operator: Operator,
    /// Everything in the emulator before `up`.
    pub(crate) before: Vec<String>,
    /// The last event of the first `up`.
    pub(crate) finished: Value,
    /// Never dropped where it is shared: its guard takes it down when the test process ends.
    pub(crate) cloud: LocalCloud,
}

impl Standing {
    /// A new stack on a cloud of its own.
    pub(crate) async fn up() -> Self {
        Self::up_with(|_| ()).await
    }

    /// The same with a configuration changed by `edit`.
    pub(crate) async fn up_with(edit: impl FnOnce(&mut StackConfig)) -> Self {
        Self::try_up(edit)
            .await
            .unwrap_or_else(|failure| panic!("{failure}"))
    }

    async fn try_up(edit: impl FnOnce(&mut StackConfig)) -> Result<Self, String> {
        let cloud = LocalCloud::start().await;
        let operator = Operator::with(&cloud, edit);
        let before = inventory(&operator.sdk()).await;
        let up = operator.placectl().args(["up", "-o", "json"]).run().await;
        if up.code != Some(0) {
            return Err(up.to_string());
        }
        let finished = up.finished_event();
        Ok(Self {
            operator,
            before,
            finished,
            cloud,
        })
    }
}

type Shared = OnceCell<Result<Standing, String>>;

/// For tests that only look.
static TO_LOOK_AT: Shared = OnceCell::const_new();

/// For tests that paint, one after the other.
static TO_PAINT_ON: Shared = OnceCell::const_new();

/// Longest frame of the stack that is painted on.
const FRAME_BYTES: u32 = 4096;

static TURN: Mutex<()> = Mutex::const_new(());

/// A stack that all may look at, and none may change or paint on.
pub(crate) async fn shared() -> &'static Standing {
    standing(&TO_LOOK_AT, |_| ()).await
}

/// A stack that the caller alone paints on for as long as it holds the turn. What earlier tests
/// painted is still there.
pub(crate) async fn my_turn() -> (&'static Standing, MutexGuard<'static, ()>) {
    let turn = TURN.lock().await;
    // So small that a picture comes in several frames.
    let small = |config: &mut StackConfig| config.api.frame_bytes = FRAME_BYTES;
    (standing(&TO_PAINT_ON, small).await, turn)
}

async fn standing(
    shared: &'static Shared,
    edit: impl FnOnce(&mut StackConfig),
) -> &'static Standing {
    match shared.get_or_init(|| Standing::try_up(edit)).await {
        Ok(standing) => standing,
        Err(failure) => panic!("the shared stack does not stand: {failure}"),
    }
}

/// A red pixel.
pub(crate) const fn red(x: u16, y: u16) -> Pixel {
    pixel(x, y, [255, 0, 0])
}

/// A pixel of any colour.
pub(crate) const fn pixel(x: u16, y: u16, colour: [u8; 3]) -> Pixel {
    let rgb = Rgb::new(colour[0], colour[1], colour[2]);
    Pixel { x, y, rgb }
}

/// Waits until `check` says yes.
pub(crate) async fn eventually(
    what: &str,
    patience: Duration,
    mut check: impl AsyncFnMut() -> bool,
) {
    let started = Instant::now();
    while !check().await {
        assert!(
            started.elapsed() < patience,
            "waited {patience:?} for {what}"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A copy of the binaries in which one is changed; its directory.
pub(crate) fn changed_artifacts(
    operator: &Operator,
    changed: Function,
    change: impl FnOnce(Vec<u8>) -> Vec<u8>,
) -> String {
    let copy = operator.directory().join("lambda");
    for function in Function::ALL {
        let from = Path::new(&operator.config().functions.artifacts).join(function.binary());
        let to = copy.join(function.binary());
        fs::create_dir_all(&to).unwrap();
        fs::copy(from.join("bootstrap"), to.join("bootstrap")).unwrap();
    }
    let path = copy.join(changed.binary()).join("bootstrap");
    fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    copy.to_str().unwrap().to_owned()
}
