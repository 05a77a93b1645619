//! The figures, as a table and as JSON.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::memory::Watched;
use super::terraform::Terraform;

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
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
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
            let (theirs, ratio) = self.yardstick(index).map_or(
                ("not installed".to_owned(), String::new()),
                |theirs| {
                    (
                        format!("{theirs:.1} s"),
                        format!("{:.0}", theirs / median_s),
                    )
                },
            );
            writeln!(
                f,
                "| {name} | {median_s:.2} s | {slowest_s:.2} s | {calls} | {peak_mib:.0} MiB \
                 | {theirs} | {ratio} |"
            )?;
        }
        if let Some(terraform) = &self.terraform {
            writeln!(f, "\nTerraform manages {} resources.", terraform.resources)?;
        }
        Ok(())
    }
}
