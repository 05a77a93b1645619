//! Everything that the emulator holds, as sorted lines, to compare before and after.

mod application;
mod data;
pub(crate) mod network;

use crate::sdk::Sdk;

/// Every resource of every service that a stack uses, one a line with what an operator would
/// miss if it changed: `ec2 route rtb-1: 0.0.0.0/0 -> igw-1`.
///
/// # Panics
/// When a service doesn't answer.
pub async fn inventory(sdk: &Sdk) -> Vec<String> {
    let (mut lines, application, data) = tokio::join!(
        Box::pin(network::lines(sdk)),
        Box::pin(application::lines(sdk)),
        Box::pin(data::lines(sdk)),
    );
    lines.extend(application);
    lines.extend(data);
    lines.sort();
    lines
}

/// What two inventories don't share: `- ` only before, `+ ` only after. Empty when they are equal;
/// what is there twice counts twice.
pub fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let gone = beyond(before, after).map(|line| format!("- {line}"));
    let new = beyond(after, before).map(|line| format!("+ {line}"));
    gone.chain(new).collect()
}

/// The lines that are in `here` more often than in `there`.
fn beyond<'a>(here: &'a [String], there: &[String]) -> impl Iterator<Item = &'a String> {
    let mut left: Vec<&String> = there.iter().collect();
    here.iter().filter(move |line| {
        let at = left.iter().position(|other| other == line);
        at.map(|at| left.swap_remove(at)).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_there_twice_is_a_difference() {
        let of = |lines: &[&str]| lines.iter().map(|&l| l.to_owned()).collect::<Vec<_>>();
        let (once, twice) = (of(&["a", "b"]), of(&["a", "a", "b"]));
        assert_eq!(difference(&once, &twice), ["+ a"]);
        assert_eq!(difference(&twice, &once), ["- a"]);
        assert_eq!(difference(&of(&["a"]), &of(&["c"])), ["- a", "+ c"]);
        assert!(difference(&twice, &twice).is_empty());
    }
}
