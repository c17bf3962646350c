//! Times as Azure writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

const HTTP_DATE: &[BorrowedFormatItem<'static>] =
    format_description!("[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT");
const ENTRA: &[BorrowedFormatItem<'static>] = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
const ISO: &[BorrowedFormatItem<'static>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:7]Z");
const US: &[BorrowedFormatItem<'static>] = format_description!("[month]/[day]/[year] [hour]:[minute]:[second] +00:00");

/// Seconds since 1970, UTC.
pub(crate) fn now() -> i64 {
    i64::try_from(since_epoch().as_secs()).unwrap_or(i64::MAX)
}

/// Milliseconds since 1970, UTC.
pub(crate) fn now_millis() -> u64 {
    u64::try_from(since_epoch().as_millis()).unwrap_or(u64::MAX)
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn format(seconds: i64, items: &[BorrowedFormatItem<'_>]) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|time| time.format(items).ok()).unwrap_or_default()
}

/// `Tue, 24 Nov 2026 01:02:03 GMT`, as in `Date` and `Last-Modified`.
pub(crate) fn http_date(seconds: i64) -> String {
    format(seconds, HTTP_DATE)
}

/// `2026-11-24 01:02:03Z`, as in Entra's errors.
pub(crate) fn entra_time(seconds: i64) -> String {
    format(seconds, ENTRA)
}

/// `2026-11-24T01:02:03.0000000Z`, as in Resource Manager and storage errors.
pub(crate) fn iso_time(seconds: i64) -> String {
    format(seconds, ISO)
}

/// `11/24/2026 01:02:03 +00:00`, as App Service of 2017 writes the end of a token.
pub(crate) fn us_time(seconds: i64) -> String {
    format(seconds, US)
}

/// `11/24/2026 01:02:03`, as Entra writes when a certificate begins and ends.
pub(crate) fn us_date(seconds: i64) -> String {
    us_time(seconds).trim_end_matches(" +00:00").to_owned()
}

/// Seconds since 1970 of an RFC 3339 time.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

#[cfg(test)]
mod tests {
    #[test]
    fn formats() {
        assert_eq!(super::http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(super::entra_time(86_399), "1970-01-01 23:59:59Z");
        assert_eq!(super::iso_time(1), "1970-01-01T00:00:01.0000000Z");
        assert_eq!(super::us_time(86_399), "01/01/1970 23:59:59 +00:00");
        assert_eq!(super::parse_rfc3339("1970-01-02T00:00:00Z"), Some(86_400));
    }
}
