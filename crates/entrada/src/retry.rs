//! Sending a request again where that can help.

use std::fmt;
use std::time::Duration;

use crate::deadline::Deadline;
use crate::limiter::{Limiter, Place};
use crate::platform::{HttpError, HttpRequest, HttpResponse, Platform};

/// How long a service may be away that says it will be back, or that has not started yet: Microsoft's guidance for 410 of
/// the metadata service is 70 seconds, and containers start within that.
const PATIENCE: Duration = Duration::from_secs(70);
/// The longest pause while one is patient.
const LONGEST_PATIENT_PAUSE: Duration = Duration::from_secs(10);

/// What came of a request.
pub(crate) type Outcome = Result<HttpResponse, HttpError>;

/// Whether to send a request again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    /// It would be answered the same.
    Never,
    /// A few times, with pauses that double.
    Soon,
    /// For as long as [`PATIENCE`]: this passes by itself.
    Patiently,
}

/// How often and after what a request is sent again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// How many times a request is sent at most where it was answered and may be sent again soon.
    pub(crate) attempts: u32,
    /// How many times at most where there is no answer at all.
    pub(crate) attempts_unanswered: u32,
    /// The pause before the second attempt; it doubles with each.
    pub(crate) first_pause: Duration,
    /// What may pass.
    pub(crate) again: fn(&Outcome) -> Again,
}

/// What the attempts of one call have in common.
pub(crate) struct Sending<'a> {
    pub(crate) platform: &'a Platform,
    pub(crate) deadline: Deadline,
    /// What keeps this process from asking too often, where the service has a limit.
    pub(crate) limiter: Option<&'a Limiter>,
}

/// How a call ended, and what it took.
pub(crate) struct Sent {
    pub(crate) outcome: Outcome,
    pub(crate) effort: Effort,
}

/// How many attempts were made in what time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Effort {
    pub(crate) attempts: u32,
    pub(crate) took: Duration,
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempts {
            0 | 1 => Ok(()),
            attempts => write!(f, ", {attempts} times in {:.1} s", self.took.as_secs_f32()),
        }
    }
}

impl Retry {
    /// Sends a request until the answer is final, the attempts are used up, or the deadline would pass. No attempt goes
    /// on past the deadline.
    ///
    /// `Retry-After` is obeyed where the deadline allows it.
    pub(crate) async fn send(&self, sending: &Sending<'_>, mut request: HttpRequest) -> Sent {
        let platform = sending.platform;
        let (clock, longest) = (platform.clock(), request.timeout);
        let started = clock.elapsed();
        let mut pause = self.first_pause;
        let mut attempts = 1;
        loop {
            let outcome = match sending.enter().await {
                Err(error) => Err(error),
                Ok(_place) => {
                    let left = sending.deadline.left(clock);
                    // A client that tries again by itself has the whole time.
                    request.timeout = if platform.http().retries() { left } else { longest.min(left) };
                    platform.http().send(&request).await
                }
            };

            let took = clock.elapsed().saturating_sub(started);
            let limit = if outcome.is_ok() { self.attempts } else { self.attempts_unanswered };
            let (again, longest_pause) = match (self.again)(&outcome) {
                Again::Never => (false, Duration::ZERO),
                Again::Soon => (attempts < limit, Duration::MAX),
                Again::Patiently => (took < PATIENCE, LONGEST_PATIENT_PAUSE),
            };
            let asked = outcome.as_ref().ok().and_then(retry_after);
            // Between half and all of it, so that many clients do not come back together.
            let wait = asked.unwrap_or_else(|| pause.min(longest_pause).mul_f64(0.5 + fastrand::f64() / 2.0));
            if !again || platform.http().retries() || wait >= sending.deadline.left(clock) {
                return Sent { outcome, effort: Effort { attempts, took } };
            }
            tracing::debug!(attempts, wait_ms = wait.as_millis(), ?request, "trying again");
            clock.sleep(wait).await;
            pause = pause.saturating_mul(2);
            attempts += 1;
        }
    }
}

impl Sending<'_> {
    /// Waits for this request's turn among those of this process.
    async fn enter(&self) -> Result<Option<Place>, HttpError> {
        let Some(limiter) = self.limiter else { return Ok(None) };
        let clock = self.platform.clock();
        let patience = self.deadline.left(clock);
        limiter.enter(clock, patience).await.map(Some).ok_or(HttpError::Queued(patience))
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, section 10.2.3), or one of Azure's finer twins.
pub(crate) fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let number = |name| response.header(name)?.trim().parse().ok();
    number("retry-after-ms")
        .or_else(|| number("x-ms-retry-after-ms"))
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
        .or_else(|| {
            // A date counts from the server's own.
            let date = |name| httpdate::parse_http_date(response.header(name)?.trim()).ok();
            Some(date("retry-after")?.duration_since(date("date")?).unwrap_or_default())
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Route;
    use crate::platform::scripted::{Scripted, response};

    const RETRY: Retry = Retry {
        attempts: 4,
        attempts_unanswered: 3,
        first_pause: Duration::from_secs(1),
        again: |outcome| match outcome {
            Ok(response) if response.status == 503 => Again::Soon,
            Ok(response) if response.status == 410 => Again::Patiently,
            Err(error) if error.is_transient() => Again::Soon,
            _ => Again::Never,
        },
    };

    async fn send_within(
        seconds: u64,
        answers: impl IntoIterator<Item = Outcome>,
    ) -> (Result<u16, HttpError>, usize, Duration) {
        let machine = Scripted::new(&[]).answers(answers);
        let url = "http://127.0.0.1/".parse().expect("a URL");
        let request = HttpRequest::get(url, Route::Direct, Duration::from_secs(1));
        let deadline = Deadline::after(machine.platform.clock(), Duration::from_secs(seconds));
        let sending = Sending { platform: &machine.platform, deadline, limiter: None };
        let sent = RETRY.send(&sending, request).await;
        let count = machine.http.sent().len();
        assert_eq!(sent.effort.attempts as usize, count);
        (sent.outcome.map(|response| response.status), count, sent.effort.took)
    }

    async fn send(answers: impl IntoIterator<Item = Outcome>) -> (Result<u16, HttpError>, usize) {
        let (outcome, count, _) = send_within(30, answers).await;
        (outcome, count)
    }

    fn answer(status: u16) -> Outcome {
        Ok(response(status, ""))
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again() {
        let answers = [answer(503), Err(HttpError::Broken("reset".into())), answer(200)];
        assert_eq!(send(answers).await, (Ok(200), 3));
    }

    #[tokio::test]
    async fn what_stays_is_not() {
        assert_eq!(send([answer(401)]).await, (Ok(401), 1));
        assert_eq!(send([Err(HttpError::TooLarge)]).await, (Err(HttpError::TooLarge), 1));
    }

    #[tokio::test]
    async fn attempts_are_limited() {
        assert_eq!(send(std::iter::repeat_with(|| answer(503)).take(9)).await, (Ok(503), 4));
        let closed = || Err(HttpError::Refused("refused".into()));
        assert_eq!(send(std::iter::repeat_with(closed).take(9)).await, (Err(HttpError::Refused("refused".into())), 3));
    }

    #[tokio::test]
    async fn what_passes_by_itself_is_waited_for_but_not_for_ever() {
        let gone = || std::iter::repeat_with(|| answer(410));
        let (outcome, attempts, took) = send_within(75, gone().take(8).chain([answer(200)])).await;
        assert_eq!((outcome, attempts), (Ok(200), 9));
        assert!(took < PATIENCE, "{took:?}");
        let (outcome, _, took) = send_within(600, gone().take(99)).await;
        assert_eq!(outcome, Ok(410));
        assert!(took >= PATIENCE && took < PATIENCE + LONGEST_PATIENT_PAUSE, "{took:?}");
    }

    #[tokio::test]
    async fn the_deadline_ends_it_all() {
        for seconds in [5, 20] {
            let (_, _, took) = send_within(seconds, std::iter::repeat_with(|| answer(410)).take(99)).await;
            assert!(took < Duration::from_secs(seconds), "{took:?}");
        }
    }

    #[tokio::test]
    async fn the_servers_wish_is_obeyed_within_the_deadline() {
        let later = |name: &'static str, value: &str| {
            let mut later = response(503, "");
            later.headers.insert(name, value.parse().expect("a header"));
            later.headers.insert("date", "Fri, 15 Jan 2027 08:00:00 GMT".parse().expect("a header"));
            [Ok(later), answer(200)]
        };
        for seconds in ["3600", "18446744073709551615"] {
            assert_eq!(send(later("retry-after", seconds)).await, (Ok(503), 1));
        }
        for (name, value) in
            [("retry-after", "7"), ("retry-after-ms", "7000"), ("retry-after", "Fri, 15 Jan 2027 08:00:07 GMT")]
        {
            let (outcome, _, took) = send_within(30, later(name, value)).await;
            assert_eq!((outcome, took), (Ok(200), Duration::from_secs(7)), "{name}: {value}");
        }
    }
}
