//! The range of a blob that a request asks for (RFC 9110, section 14.2, one range of bytes).

use crate::call::Call;

/// What to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Everything,
    /// From the first up to, and without, the second byte.
    Part(usize, usize),
    /// A range that begins after the end.
    Unsatisfiable,
}

/// Reads `x-ms-range`, or else `Range`, for a blob of `length` bytes. A range that is not understood is ignored.
pub(super) fn wanted(call: &Call, length: usize) -> Wanted {
    let Some(text) = call.header("x-ms-range").or_else(|| call.header("range")) else {
        return Wanted::Everything;
    };
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-')) else {
        return Wanted::Everything;
    };
    let (Ok(first), last) = (first.parse::<usize>(), last.parse::<usize>().ok()) else {
        return Wanted::Everything;
    };
    if first >= length {
        return Wanted::Unsatisfiable;
    }
    let end = last.map_or(length, |last| last.saturating_add(1).min(length));
    if end <= first { Wanted::Everything } else { Wanted::Part(first, end) }
}

#[cfg(test)]
mod tests {
    use super::{Wanted, wanted};
    use crate::call::Call;

    #[test]
    fn ranges() {
        let of = |range: &str, length| wanted(&Call::test("GET", "h", "/").with("x-ms-range", range), length);
        assert_eq!(of("bytes=0-3", 10), Wanted::Part(0, 4));
        assert_eq!(of("bytes=5-", 10), Wanted::Part(5, 10));
        assert_eq!(of("bytes=5-99", 10), Wanted::Part(5, 10));
        assert_eq!(of("bytes=0-3", 0), Wanted::Unsatisfiable);
        assert_eq!(of("bytes=10-11", 10), Wanted::Unsatisfiable);
        assert_eq!(of("lines=1-2", 10), Wanted::Everything);
        assert_eq!(wanted(&Call::test("GET", "h", "/"), 10), Wanted::Everything);
    }
}
