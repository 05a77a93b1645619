//! What came of the cases.

use std::fmt;

use super::case::Case;
use crate::Finished;
use crate::proxy::Operation;

/// How a case failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It was not cut off as it should have been.
    Alive,
    /// Running the command again did not succeed.
    Stuck,
    /// Something is there twice, or is there and should not.
    Duplicate,
    /// Something is missing or different.
    Different,
    /// Teardown left something.
    Orphan,
    /// What was painted is in no picture.
    Lost,
}

/// A case that did not recover.
#[derive(Clone, Debug)]
pub struct Failure {
    case: Box<Case>,
    kind: Kind,
    detail: String,
    struck: Option<Operation>,
}

impl Failure {
    /// `case` failed; `detail` says what is wrong.
    pub(super) fn new(case: &Case, kind: Kind, detail: String) -> Self {
        Self {
            case: Box::new(case.clone()),
            kind,
            detail,
            struck: None,
        }
    }

    /// The same with what the first run said, and the operation that was cut off.
    pub(super) fn after(mut self, first: &Finished, struck: Option<&Operation>) -> Self {
        self.struck = struck.cloned();
        self.detail = format!("{}\nafter the first run, {first}", self.detail);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.case)?;
        if let Some(struck) = &self.struck {
            write!(f, " ({struck})")?;
        }
        write!(f, "\n{}", self.detail)
    }
}

/// Counts over all cases.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Cases that recovered.
    pub recovered: usize,
    /// Cases whose call never came, because that run needed fewer calls.
    pub unstruck: usize,
    /// Cases that did not recover.
    pub failures: Vec<Failure>,
}

impl Summary {
    /// Cases that were cut off.
    pub fn total(&self) -> usize {
        self.recovered + self.failures.len()
    }

    pub(super) fn add(&mut self, outcome: &Result<Option<Operation>, Failure>) {
        match outcome {
            Ok(Some(_)) => self.recovered += 1,
            Ok(None) => self.unstruck += 1,
            Err(failure) => self.failures.push(failure.clone()),
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.failures.iter().filter(|f| f.kind == kind).count()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (duplicates, orphans) = (self.count(Kind::Duplicate), self.count(Kind::Orphan));
        let (recovered, total) = (self.recovered, self.total());
        write!(
            f,
            "{recovered} of {total} recovered, {duplicates} duplicates, {orphans} orphans"
        )?;
        if self.unstruck > 0 {
            let unstruck = self.unstruck;
            write!(f, " ({unstruck} more ended before their call came)")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::Subject;
    use super::*;
    use crate::proxy::{Fault, When};

    #[test]
    fn a_summary_counts_each_case_once() {
        let case = Case {
            subject: Subject::Up,
            when: When::Call(3),
            fault: Fault::KillAfter,
        };
        let mut summary = Summary::default();
        summary.add(&Ok(Some(Operation::new("ec2", "CreateRoute"))));
        summary.add(&Ok(None));
        let failure = Failure::new(&case, Kind::Duplicate, "+ route".to_owned());
        assert_eq!(
            failure.to_string(),
            "Duplicate: Up, KillAfter at call 3\n+ route"
        );
        summary.add(&Err(failure));
        summary.add(&Err(Failure::new(&case, Kind::Orphan, String::new())));
        assert_eq!(
            summary.to_string(),
            "1 of 3 recovered, 1 duplicates, 1 orphans (1 more ended before their call came)"
        );
    }
}
