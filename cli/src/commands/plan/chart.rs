//! A timeline as a small Gantt chart.

use std::time::Duration;

use crate::engine::{Span, Step, Timeline};
use crate::ui::words;

/// Columns of the bars.
const WIDTH: usize = 40;

/// Shorter parts share one line: they would be bars of less than half a column.
const BRIEF: usize = WIDTH * 2;

/// The spans of one kind in one step.
struct Row {
    step: Step,
    kind: &'static str,
    count: u64,
    start: Duration,
    end: Duration,
    critical: bool,
}

/// Draws the chart: one line a kind, in the order of the steps.
pub(super) fn draw(timeline: &Timeline) -> String {
    let total = timeline.total.max(Duration::from_secs(1));
    let (long, brief): (Vec<&Span>, Vec<&Span>) = timeline
        .spans
        .iter()
        .partition(|span| span.length * in_u32(BRIEF) >= total);
    let rows = rows(&long);
    let label = rows
        .iter()
        .map(|row| row.label().chars().count())
        .max()
        .unwrap_or(0);
    let mut lines: Vec<String> = rows.iter().map(|row| row.draw(label, total)).collect();
    if !brief.is_empty() {
        let count = words::count(brief.len() as u64, "other resource");
        lines.push(format!("     and {count}, each within moments"));
    }
    lines.push(format!(
        "\nAbout {} at AWS's usual pace (one after the other: {}).\n\
         Items marked * determine the total time.",
        words::duration(timeline.total),
        words::duration(timeline.one_by_one)
    ));
    lines.join("\n")
}

fn rows(spans: &[&Span]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for span in spans {
        let same = |row: &&mut Row| row.step == span.step && row.kind == span.kind;
        if let Some(row) = rows.iter_mut().find(same) {
            row.count += 1;
            row.start = row.start.min(span.start);
            row.end = row.end.max(span.end());
            row.critical |= span.critical;
            continue;
        }
        let (start, end, critical) = (span.start, span.end(), span.critical);
        rows.push(Row {
            step: span.step,
            kind: span.kind,
            count: 1,
            start,
            end,
            critical,
        });
    }
    rows
}

impl Row {
    fn label(&self) -> String {
        if self.count == 1 {
            self.kind.to_owned()
        } else {
            format!("{} {}s", self.count, self.kind)
        }
    }

    fn draw(&self, label: usize, total: Duration) -> String {
        let column = |at: Duration| {
            let share = at.as_secs_f64() / total.as_secs_f64();
            (0..=WIDTH)
                .rfind(|n| in_f64(*n) <= share * in_f64(WIDTH) + 0.5)
                .unwrap_or(0)
        };
        let start = column(self.start).min(WIDTH - 1);
        let bar = "━".repeat(column(self.end).saturating_sub(start).max(1));
        let mark = if self.critical { '*' } else { ' ' };
        let end = words::duration(self.end);
        let (step, text) = (self.step.0, self.label());
        let line = format!("{}{bar}", " ".repeat(start));
        format!("  {mark} {step}  {text:<label$}  {line:<WIDTH$}  {end}")
    }
}

fn in_f64(columns: usize) -> f64 {
    f64::from(in_u32(columns))
}

fn in_u32(columns: usize) -> u32 {
    u32::try_from(columns).expect("a chart has few columns")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ResourceKey;

    fn span(step: u8, kind: &'static str, start: u64, length: u64, critical: bool) -> Span {
        Span {
            key: ResourceKey::of(kind, start),
            step: Step(step),
            kind,
            name: kind.to_owned(),
            start: Duration::from_secs(start),
            length: Duration::from_secs(length),
            critical,
        }
    }

    #[test]
    fn bars_stand_where_their_time_is() {
        let timeline = Timeline {
            spans: vec![
                span(1, "NAT gateway", 0, 100, false),
                span(1, "route", 100, 1, false),
                span(2, "cache", 0, 200, true),
                span(4, "function", 10, 50, false),
                span(4, "function", 20, 50, false),
            ],
            total: Duration::from_secs(200),
            one_by_one: Duration::from_secs(401),
        };
        let chart = draw(&timeline);
        let lines: Vec<&str> = chart.lines().collect();
        let bar =
            |from: usize, columns: usize| format!("{}{}", " ".repeat(from), "━".repeat(columns));
        let expected = [
            format!("    1  NAT gateway  {:<40}", bar(0, 20)),
            format!("  * 2  cache        {:<40}", bar(0, 40)),
            format!("    4  2 functions  {:<40}", bar(2, 12)),
        ];
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(&expected), "{line}\n{expected}");
        }
        assert!(lines[3].contains("1 other resource"), "{chart}");
    }
}
