//! The matrix of everything that can cut a command off: at each call that a whole `up` and a whole
//! `teardown` make, the command dies before the call, dies after AWS acted, or loses the answer.
//! Then it is run again, undisturbed, and the stack must be as if nothing had happened, and carry
//! somebody's paint to somebody else; or, after an `up`, a `teardown` is run, and must leave nothing.
//! The last picture of a `teardown` must show the paint.

mod case;
mod matrix;
mod rig;
mod summary;

pub use case::{Case, Subject, all, sample};
pub use matrix::{rigs, run};
pub use rig::Rig;
pub use summary::{Failure, Kind, Summary};
