//! The figures, as tables and as JSON.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::memory::Watched;
use super::sizes::Function;
use super::terraform::Terraform;

/// How many times faster than Terraform each command must be.
const RATIO: f64 = 10.0;
/// Most memory of a command, in MiB.
const MEMORY_MIB: f64 = 150.0;
/// Largest zip of a function, in bytes.
const ZIP: u64 = 5_000_000;
/// Largest placectl, stripped, in bytes.
const PLACECTL: u64 = 40_000_000;

/// One command's figures.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    name: &'static str,
    median_s: f64,
    slowest_s: f64,
    calls: usize,
    peak_mib: f64,
}

impl Figure {
    /// The figures of a command's `runs`, at least one.
    pub(crate) fn new(name: &'static str, mut runs: Vec<Watched>, calls: usize) -> Self {
        runs.sort_unstable_by_key(|run| run.elapsed);
        let seconds =
            |run: Option<&Watched>| run.map_or(Duration::ZERO, |run| run.elapsed).as_secs_f64();
        let peak_kib = runs.iter().map(|run| run.peak_kib).max().unwrap_or(0);
        Self {
            name,
            median_s: seconds(runs.get(runs.len() / 2)),
            slowest_s: seconds(runs.last()),
            calls,
            peak_mib: f64::from(u32::try_from(peak_kib).unwrap_or(u32::MAX)) / 1024.0,
        }
    }
}

/// All figures of a run.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    /// One for each command.
    pub(crate) figures: Vec<Figure>,
    /// The yardstick's, where it is installed.
    pub(crate) terraform: Option<Terraform>,
    /// Size of placectl.
    pub(crate) placectl_bytes: u64,
    /// What was uploaded.
    pub(crate) functions: Vec<Function>,
}

impl Report {
    /// What Terraform takes for the same, in seconds.
    fn yardstick(&self, index: usize) -> Option<f64> {
        let terraform = self.terraform.as_ref()?;
        match index {
            0 => Some(terraform.apply_s),
            1 | 2 => Some(terraform.plan_s),
            _ => Some(terraform.destroy_s),
        }
    }

    /// Terraform's time over ours.
    fn ratio(&self, index: usize) -> Option<f64> {
        let theirs = self.yardstick(index)?;
        Some(theirs / self.figures[index].median_s)
    }

    /// Every figure that is beyond its limit.
    pub(crate) fn beyond(&self) -> Vec<String> {
        let mut beyond = Vec::new();
        for (index, Figure { name, peak_mib, .. }) in self.figures.iter().enumerate() {
            if let Some(ratio) = self.ratio(index).filter(|ratio| *ratio < RATIO) {
                beyond.push(format!(
                    "{name}: {ratio:.1} times as fast as Terraform, not {RATIO}"
                ));
            }
            if *peak_mib > MEMORY_MIB {
                beyond.push(format!("{name}: {peak_mib:.0} MiB, over {MEMORY_MIB}"));
            }
        }
        for Function { name, zip_bytes } in &self.functions {
            if *zip_bytes > ZIP {
                beyond.push(format!("{name}: a zip of {zip_bytes} bytes, over {ZIP}"));
            }
        }
        if self.placectl_bytes > PLACECTL {
            let bytes = self.placectl_bytes;
            beyond.push(format!("placectl: {bytes} bytes, over {PLACECTL}"));
        }
        beyond
    }

    fn commands(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| command | median | slowest | calls | peak memory | Terraform | ratio |"
        )?;
        writeln!(f, "|---|---|---|---|---|---|---|")?;
        for (index, figure) in self.figures.iter().enumerate() {
            let Figure {
                name,
                median_s,
                slowest_s,
                calls,
                peak_mib,
            } = figure;
            let theirs = self.yardstick(index);
            let theirs = theirs.map_or("not measured".to_owned(), |s| format!("{s:.1} s"));
            let ratio = self
                .ratio(index)
                .map_or(String::new(), |r| format!("{r:.0}"));
            writeln!(
                f,
                "| {name} | {median_s:.2} s | {slowest_s:.2} s | {calls} | {peak_mib:.0} MiB \
                 | {theirs} | {ratio} |"
            )?;
        }
        Ok(())
    }

    fn sizes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| uploaded | zip |\n|---|---|")?;
        for Function { name, zip_bytes } in &self.functions {
            writeln!(f, "| {name} | {} |", megabytes(*zip_bytes))?;
        }
        writeln!(
            f,
            "\nplacectl, stripped: {}",
            megabytes(self.placectl_bytes)
        )
    }
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes / 100_000;
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.commands(f)?;
        if let Some(terraform) = &self.terraform {
            writeln!(f, "\nTerraform manages {} resources.", terraform.resources)?;
        }
        self.sizes(f)?;
        let beyond = self.beyond();
        if beyond.is_empty() {
            writeln!(f, "\nEvery figure is within its limit.")?;
        }
        for line in beyond {
            writeln!(f, "\nbeyond its limit: {line}")?;
        }
        Ok(())
    }
}
