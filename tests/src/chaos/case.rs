//! The cases of the matrix.

use std::collections::BTreeMap;
use std::fmt;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use super::rig::Rig;
use crate::proxy::{Fault, Operation, When};

/// The three ways to be cut off.
const FAULTS: [Fault; 3] = [Fault::KillBefore, Fault::KillAfter, Fault::DropAnswer];

/// The command that is cut off, and the one that is run then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `up`, from nothing, and `up` again.
    Up,
    /// `teardown` of a whole stack, with its last save and picture, and again.
    Teardown,
    /// The same without them.
    TeardownWithoutExport,
    /// `up`, from nothing, and `teardown` of what came of it.
    UpThenTeardown,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Up,
        Self::Teardown,
        Self::TeardownWithoutExport,
        Self::UpThenTeardown,
    ];

    /// The command line of what is cut off.
    pub const fn words(self) -> &'static [&'static str] {
        match self {
            Self::Up | Self::UpThenTeardown => &["up"],
            Self::Teardown => &["teardown", "--yes"],
            Self::TeardownWithoutExport => &["teardown", "--yes", "--no-export"],
        }
    }

    /// The command line of what is run then.
    pub const fn next_words(self) -> &'static [&'static str] {
        match self {
            Self::UpThenTeardown => Self::Teardown.words(),
            other => other.words(),
        }
    }

    /// Whether a whole stack is there before.
    pub const fn needs_stack(self) -> bool {
        matches!(self, Self::Teardown | Self::TeardownWithoutExport)
    }
}

/// A command that is cut off once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The command.
    pub subject: Subject,
    /// The call at which it is cut off.
    pub when: When,
    /// How.
    pub fault: Fault,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            when,
            fault,
        } = self;
        write!(f, "{subject:?}, {fault:?} at ")?;
        match when {
            When::Call(number) => write!(f, "call {number}"),
            When::Nth(operation, number) => write!(f, "{operation} number {number}"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// Every fault at every call; of the calls that only look, only one of `reads`.
pub fn all(rig: &Rig, reads: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for subject in Subject::ALL {
        for (index, operation) in rig.calls(subject).iter().enumerate() {
            let number = index + 1;
            if !operation.reads_only() || number.is_multiple_of(reads) {
                cases.extend(FAULTS.map(|fault| Case {
                    subject,
                    when: When::Call(number),
                    fault,
                }));
            }
        }
    }
    cases
}

/// A choice for every day: first each kind of thing that `up` creates, cut off at one of its
/// creations after AWS acted, which is the easiest to get wrong; then the whole matrix, shuffled.
/// How many came first.
pub fn sample(rig: &Rig, seed: u64) -> (Vec<Case>, usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let turn = usize::try_from(seed % 997).unwrap_or_default();
    let creations = creations(rig.calls(Subject::Up));
    let mut cases: Vec<_> = creations
        .into_iter()
        .enumerate()
        .map(|(index, (operation, count))| Case {
            subject: Subject::Up,
            when: When::Nth(operation, 1 + turn % count),
            fault: FAULTS[1 + (index + turn) % 2].clone(),
        })
        .collect();
    let first = cases.len();
    let mut rest = all(rig, 4);
    rest.shuffle(&mut random);
    cases.extend(rest);
    (cases, first)
}

/// What creates, and how often it is called.
fn creations(calls: &[Operation]) -> BTreeMap<Operation, usize> {
    let mut counts = BTreeMap::new();
    let creates = |one: &&Operation| {
        ["Create", "Allocate"]
            .iter()
            .any(|v| one.name().starts_with(v))
    };
    for operation in calls.iter().filter(creates) {
        *counts.entry(operation.clone()).or_default() += 1;
    }
    counts
}
