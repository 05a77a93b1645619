//! What happens, and how each message of a queue fares.

use proptest::prelude::*;

/// How a message of a queue fares.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    Done,
    /// It is delivered twice.
    Twice,
    /// Its function is killed after so many milliseconds.
    Killed(u64),
    /// Its function has hardly any time, and hands over.
    Short,
    /// It is lost, or comes again much too late.
    Lost,
}

/// What happens next.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Pixels of one message.
    Paint(Vec<(u16, u16)>),
    /// A client connects; its connection opens so many milliseconds later.
    Join(u64),
    /// A client leaves, and the gateway says so, or doesn't.
    Leave(usize, bool),
    /// The gateway answers a client so many times that it throttles, or fails.
    Trouble(usize, bool, u32),
    /// The gateway takes so many updates for a client, and they never arrive.
    Swallow(usize, u32),
    Save,
    Wait(u64),
}

#[derive(Clone, Debug)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
    pub(super) wakes: Vec<Fate>,
    pub(super) welcomes: Vec<Fate>,
}

pub(super) fn script() -> impl Strategy<Value = Script> {
    let place = (0_u16..20, 0_u16..10);
    let step = prop_oneof![
        8 => proptest::collection::vec(place, 1..5).prop_map(Step::Paint),
        3 => (0_u64..120).prop_map(Step::Join),
        1 => (0_usize..8, any::<bool>()).prop_map(|(n, tells)| Step::Leave(n, tells)),
        1 => (0_usize..8, any::<bool>(), 1_u32..4)
            .prop_map(|(n, throttles, times)| Step::Trouble(n, throttles, times)),
        1 => (0_usize..8, 1_u32..3).prop_map(|(n, times)| Step::Swallow(n, times)),
        1 => Just(Step::Save),
        6 => (0_u64..60).prop_map(Step::Wait),
    ];
    let fate = || {
        prop_oneof![
            2 => Just(Fate::Done),
            1 => Just(Fate::Twice),
            2 => (0_u64..80).prop_map(Fate::Killed),
            1 => Just(Fate::Short),
            1 => Just(Fate::Lost),
        ]
    };
    (
        proptest::collection::vec(step, 5..60),
        proptest::collection::vec(fate(), 0..12),
        proptest::collection::vec(fate(), 0..8),
    )
        .prop_map(|(steps, wakes, welcomes)| Script {
            steps,
            wakes,
            welcomes,
        })
}

/// The script as it is when no function dies, no message is lost, and no save helps.
pub(super) fn without_faults(script: Script) -> Script {
    let kind = |fate| match fate {
        Fate::Killed(_) | Fate::Lost => Fate::Short,
        other => other,
    };
    let saves = |step: &Step| matches!(step, Step::Save);
    Script {
        steps: script
            .steps
            .into_iter()
            .filter(|step| !saves(step))
            .collect(),
        wakes: script.wakes.into_iter().map(kind).collect(),
        welcomes: script.welcomes.into_iter().map(kind).collect(),
    }
}

/// The script as it is when whatever the gateway takes arrives.
pub(super) fn without_losses(mut script: Script) -> Script {
    script
        .steps
        .retain(|step| !matches!(step, Step::Swallow(..)));
    script
}
