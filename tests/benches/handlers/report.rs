//! The figures, beside the yardstick's and the goals.

use std::fmt;
use std::time::Duration;

/// One figure.
#[derive(Clone, Debug)]
struct Line {
    what: String,
    ours: f64,
    theirs: Option<f64>,
    unit: &'static str,
    goals: Vec<(String, bool)>,
}

/// All figures of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
}

/// A figure that was just added.
pub(crate) struct Added<'a>(&'a mut Line);

impl Report {
    /// Adds a figure, and the yardstick's if it was measured.
    pub(crate) fn add(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        ours: f64,
        theirs: Option<f64>,
    ) -> Added<'_> {
        self.lines.push(Line {
            what: what.into(),
            ours,
            theirs,
            unit,
            goals: Vec::new(),
        });
        Added(self.lines.last_mut().expect("just pushed"))
    }
}

impl Report {
    /// Whether every figure reaches its goals.
    pub(crate) fn is_reached(&self) -> bool {
        let goals = self.lines.iter().flat_map(|line| &line.goals);
        goals.into_iter().all(|(_, reached)| *reached)
    }
}

impl Added<'_> {
    /// It must be this or more.
    pub(crate) fn at_least(self, goal: f64) -> Self {
        let reached = self.0.ours >= goal;
        self.goal(format!("at least {}", number(goal)), reached)
    }

    /// It must be below this.
    pub(crate) fn below(self, goal: f64) -> Self {
        let reached = self.0.ours < goal;
        self.goal(format!("below {}", number(goal)), reached)
    }

    /// It must be so many times the yardstick's.
    pub(crate) fn times_the_yardstick(self, goal: f64) -> Self {
        let Some(theirs) = self.0.theirs else {
            return self;
        };
        let reached = self.0.ours >= goal * theirs;
        self.goal(format!("{} times", number(goal)), reached)
    }

    /// The yardstick's must be so many times this.
    pub(crate) fn a_part_of_the_yardstick(self, goal: f64) -> Self {
        let Some(theirs) = self.0.theirs else {
            return self;
        };
        let reached = theirs >= goal * self.0.ours;
        self.goal(format!("{} times less", number(goal)), reached)
    }

    fn goal(self, text: String, reached: bool) -> Self {
        self.0.goals.push((text, reached));
        self
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| figure | placectl | yardstick | ratio | goal |")?;
        writeln!(f, "|---|---|---|---|---|")?;
        for line in &self.lines {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what, ours, unit, ..
        } = self;
        let theirs = self.theirs.map_or("-".to_owned(), number);
        let ratio = self.theirs.map_or("-".to_owned(), |theirs| {
            number((ours / theirs).max(theirs / ours))
        });
        let mark = |(goal, reached): &(String, bool)| {
            format!("{goal}: {}", if *reached { "reached" } else { "MISSED" })
        };
        let goals: Vec<String> = self.goals.iter().map(mark).collect();
        let (ours, goals) = (number(*ours), goals.join(", "));
        write!(
            f,
            "| {what}, {unit} | {ours} | {theirs} | {ratio} | {goals} |"
        )
    }
}

/// Three digits that count.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// The nearest-rank percentile, in milliseconds; sorts the times.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).map_or(f64::NAN, |time| millis(*time))
}

/// A time in milliseconds.
pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// So many in a second.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(crate) fn rate(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// KiB as MiB.
#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 KiB")]
pub(crate) fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}
