//! Sending a request again where that can help.

use std::time::Duration;

use crate::platform::{HttpError, HttpRequest, HttpResponse, Platform};

/// How often, how long and after what a request is sent again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// How many times a request is sent at most.
    pub(crate) attempts: u32,
    /// The pause before the second attempt; it doubles with each.
    pub(crate) first_pause: Duration,
    /// When to give up, counted from the first attempt.
    pub(crate) deadline: Duration,
    /// How many times at most where there is no answer at all.
    pub(crate) attempts_unanswered: u32,
    /// The answers that may pass.
    pub(crate) transient: fn(&HttpResponse) -> bool,
}

impl Retry {
    /// Sends a request until the answer is final, the attempts are used up, or the deadline would pass.
    ///
    /// `Retry-After` is obeyed where the deadline allows it.
    pub(crate) async fn send(&self, platform: &Platform, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let clock = platform.clock();
        let started = clock.elapsed();
        let mut pause = self.first_pause;
        let mut attempt = 1;
        loop {
            let outcome = platform.http().send(request).await;
            let (again, asked) = match &outcome {
                Ok(response) => {
                    let again = attempt < self.attempts && (self.transient)(response);
                    (again, retry_after(response))
                }
                Err(error) => {
                    let again = attempt < self.attempts_unanswered && error.is_transient();
                    (again, None)
                }
            };
            // Between half and all of it, so that many clients do not come back together.
            let wait = asked.unwrap_or_else(|| pause.mul_f64(0.5 + fastrand::f64() / 2.0));
            // Saturating: a server may ask for any number of seconds.
            let late = clock.elapsed().saturating_sub(started).saturating_add(wait) >= self.deadline;
            if !again || late || platform.http().retries() {
                return outcome;
            }
            tracing::debug!(attempt, wait_ms = wait.as_millis(), ?request, "trying again");
            clock.sleep(wait).await;
            pause *= 2;
            attempt += 1;
        }
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3), or one of Azure's finer twins.
fn retry_after(response: &HttpResponse) -> Option<Duration> {
    let number = |name| response.header(name)?.trim().parse().ok();
    number("retry-after-ms")
        .or_else(|| number("x-ms-retry-after-ms"))
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
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
        deadline: Duration::from_secs(30),
        transient: |response| response.status == 503,
    };

    fn request() -> HttpRequest {
        let url = "http://127.0.0.1/".parse().expect("a URL");
        HttpRequest::get(url, Route::Direct, Duration::from_secs(1))
    }

    async fn send(answers: Vec<Result<HttpResponse, HttpError>>) -> (Result<u16, HttpError>, usize) {
        let machine = Scripted::new(&[]).answers(answers);
        let outcome = RETRY.send(&machine.platform, &request()).await;
        (outcome.map(|r| r.status), machine.http.sent().len())
    }

    #[tokio::test]
    async fn what_may_pass_is_tried_again() {
        let broken = || Err(HttpError::Broken("reset".into()));
        let answers = vec![Ok(response(503, "")), broken(), Ok(response(200, ""))];
        assert_eq!(send(answers).await, (Ok(200), 3));
    }

    #[tokio::test]
    async fn what_stays_is_not() {
        assert_eq!(send(vec![Ok(response(401, ""))]).await, (Ok(401), 1));
        assert_eq!(send(vec![Err(HttpError::TooLarge)]).await, (Err(HttpError::TooLarge), 1));
    }

    #[tokio::test]
    async fn attempts_and_deadline_are_limits() {
        let busy = || Ok(response(503, ""));
        assert_eq!(send(vec![busy(), busy(), busy(), busy(), busy()]).await, (Ok(503), 4));
        let closed = || Err(HttpError::Connect("refused".into()));
        assert_eq!(
            send(vec![closed(), closed(), closed(), closed()]).await,
            (Err(HttpError::Connect("refused".into())), 3)
        );
        for seconds in ["3600", "18446744073709551615"] {
            let mut later = response(503, "");
            later.headers.insert("retry-after", http::HeaderValue::from_static(seconds));
            assert_eq!(send(vec![Ok(later), Ok(response(200, ""))]).await, (Ok(503), 1));
        }
    }
}
