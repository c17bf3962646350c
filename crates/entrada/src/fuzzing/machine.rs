//! The machine of a target: what it is asked is answered with the bytes of the target.

use futures::FutureExt;

use crate::platform::HttpResponse;
use crate::platform::scripted::{Scripted, response};

/// The largest answer that the real client takes is larger; nothing new comes of more.
const LARGEST: usize = 64 << 10;

/// An answer as it is written in seeds: the status on a line; a line for each header, `name: value`; an empty line; the
/// body. What is not written so is a body.
pub(super) fn answer(data: &[u8]) -> HttpResponse {
    let data = &data[..data.len().min(LARGEST)];
    let head_and_body = || {
        let end = data.windows(2).position(|two| two == b"\n\n")?;
        let mut lines = std::str::from_utf8(&data[..end]).ok()?.lines();
        let status = lines.next()?.parse().ok().filter(|status| (200..600).contains(status))?;
        let mut headers = http::HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(": ")?;
            headers.append(http::HeaderName::try_from(name).ok()?, http::HeaderValue::try_from(value).ok()?);
        }
        Some(HttpResponse { status, headers, body: data[end + 2..].to_vec().into() })
    };
    head_and_body().unwrap_or_else(|| HttpResponse { body: data.to_vec().into(), ..response(200, "") })
}

/// What comes of a future on a machine that answers at once.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("on a scripted machine there is nothing to wait for")
}

/// Which of these secrets the last request held: what its answer can repeat, and must not be told for it.
pub(super) fn shown<'s>(machine: &Scripted, secrets: &[&'s str]) -> Vec<&'s str> {
    let Some(sent) = machine.http.sent().pop() else { return Vec::new() };
    let in_headers = |secret: &str| {
        let mut values = sent.headers.values().filter_map(|value| value.to_str().ok());
        values.any(|value| value.contains(secret))
    };
    let in_form = |secret: &str| url::form_urlencoded::parse(sent.body.as_bytes()).any(|(_, value)| value == secret);
    secrets.iter().copied().filter(|secret| in_headers(secret) || in_form(secret)).collect()
}
