//! Numbers in words: plurals, durations, sizes.

use std::time::Duration;

/// "1 client", "2 clients", "12,000 pixels".
pub(crate) fn count(number: u64, noun: &str) -> String {
    let noun = if number == 1 {
        noun.to_owned()
    } else {
        plural(noun)
    };
    format!("{} {noun}", grouped(number))
}

fn plural(noun: &str) -> String {
    let has_no_other = noun.ends_with('s') || noun.ends_with("code");
    if has_no_other {
        return noun.to_owned();
    }
    let consonant_before = |stem: &str| !stem.ends_with(['a', 'e', 'i', 'o', 'u']);
    match noun.strip_suffix('y') {
        Some(stem) if consonant_before(stem) => format!("{stem}ies"),
        _ => format!("{noun}s"),
    }
}

/// Digits in groups of three from five digits on.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "40 ms", "0.8 s", "12 s", "3 min 20 s", "1 h 5 min".
pub(crate) fn duration(duration: Duration) -> String {
    let (milliseconds, seconds) = (duration.as_millis(), duration.as_secs());
    match seconds {
        _ if milliseconds < 100 => format!("{milliseconds} ms"),
        0..10 => format!("{seconds}.{} s", duration.subsec_millis() / 100),
        10..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, "min", seconds % 60, "s"),
        _ => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
    }
}

fn two(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 {
        format!("{large} {large_unit}")
    } else {
        format!("{large} {large_unit} {small} {small_unit}")
    }
}

/// A range of seconds: "up to 10 s", "1 to 3 min", "5 s to 2 min".
pub(crate) fn range(from: u64, to: u64) -> String {
    let whole_minutes = |seconds: u64| seconds >= 60 && seconds.is_multiple_of(60);
    let say = |seconds| duration(Duration::from_secs(seconds)).replace(".0 s", " s");
    if from == 0 {
        format!("up to {}", say(to))
    } else if to < 60 {
        format!("{from} to {to} s")
    } else if whole_minutes(from) && whole_minutes(to) && to < 3600 {
        format!("{} to {} min", from / 60, to / 60)
    } else {
        format!("{} to {}", say(from), say(to))
    }
}

/// "812 bytes", "3.4 KB", "12 MB": thousands, as disks and networks are measured.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "KB")];
    let Some((size, unit)) = UNITS.into_iter().find(|(size, _)| bytes >= *size) else {
        return count(bytes, "byte");
    };
    let tenths = bytes / (size / 10);
    if tenths < 100 {
        format!("{}.{} {unit}", tenths / 10, tenths % 10)
    } else {
        format!("{} {unit}", tenths / 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_everything_else_is_not() {
        let said = [0, 1, 2, 9_999, 10_000, 1_234_567].map(|number| count(number, "client"));
        let expected = [
            "0 clients",
            "1 client",
            "2 clients",
            "9999 clients",
            "10,000 clients",
            "1,234,567 clients",
        ];
        assert_eq!(said, expected);
        assert_eq!([1, 3].map(|n| count(n, "retry")), ["1 retry", "3 retries"]);
        assert_eq!(count(2, "day"), "2 days");
        assert_eq!(count(2, "network interfaces"), "2 network interfaces");
        assert_eq!(count(7, "Lambda code"), "7 Lambda code");
    }

    #[test]
    fn durations_are_as_fine_as_they_are_short() {
        let said = [
            0, 99, 100, 850, 9_999, 10_000, 59_999, 60_000, 200_000, 3_600_000, 3_960_000,
        ];
        let said = said.map(|ms| duration(Duration::from_millis(ms)));
        let expected = [
            "0 ms",
            "99 ms",
            "0.1 s",
            "0.8 s",
            "9.9 s",
            "10 s",
            "59 s",
            "1 min",
            "3 min 20 s",
            "1 h",
            "1 h 6 min",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn ranges_name_a_unit_once_where_once_is_enough() {
        let ranges = [
            (0, 10),
            (1, 20),
            (60, 180),
            (5, 120),
            (1, 90),
            (0, 90),
            (300, 4200),
        ];
        let said = ranges.map(|(from, to)| range(from, to));
        let expected = [
            "up to 10 s",
            "1 to 20 s",
            "1 to 3 min",
            "5 s to 2 min",
            "1 s to 1 min 30 s",
            "up to 1 min 30 s",
            "5 min to 1 h 10 min",
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn sizes() {
        let said = [0, 1, 999, 1_000, 3_450, 99_999, 4_100_000, 12_000_000_000].map(bytes);
        let expected = [
            "0 bytes",
            "1 byte",
            "999 bytes",
            "1.0 KB",
            "3.4 KB",
            "99 KB",
            "4.1 MB",
            "12 GB",
        ];
        assert_eq!(said, expected);
    }
}
