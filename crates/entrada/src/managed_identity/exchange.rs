//! Asking a host: what all of them have in common.

use std::time::Duration;

use super::UserAssignedId;
use super::answer::{self, whose};
use crate::deadline::Deadline;
use crate::error::{Condition, Error};
use crate::limiter::Limiter;
use crate::platform::{HttpError, HttpRequest, HttpResponse, Platform};
use crate::retry::{Again, Retry, Sending};
use crate::token::Fetched;

/// How long one attempt may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// Of hosts that variables of this program tell of: the endpoint is there, or will be.
pub(super) const CONFIGURED: Retry = Retry {
    attempts: 4,
    attempts_unanswered: 4,
    first_pause: Duration::from_millis(800),
    again: |outcome| match outcome {
        // The endpoint of a container may start a little later than the container.
        Err(HttpError::Refused(_)) => Again::Patiently,
        Err(error) if error.is_transient() => Again::Soon,
        Err(_) => Again::Never,
        Ok(response) if answer::is_about_the_resource(response) => Again::Never,
        Ok(response) if response.status == 410 => Again::Patiently,
        Ok(response) if matches!(response.status, 408 | 429 | 500 | 502 | 503 | 504) => Again::Soon,
        // Under many requests at once endpoints have answered 200 with nothing, or with half of it.
        Ok(response) if response.status == 200 && !answer::is_json(response) => Again::Soon,
        Ok(_) => Again::Never,
    },
};

/// A request for a token, on its way to a host.
pub(crate) struct Asked<'a> {
    pub(crate) platform: &'a Platform,
    /// What the token is for.
    pub(crate) resource: &'a str,
    /// The user-assigned identity; otherwise the one that the host gives to those who name none.
    pub(crate) id: Option<&'a UserAssignedId>,
    /// Whether a chain asks, which has others to ask.
    pub(crate) within_chain: bool,
    pub(crate) deadline: Deadline,
}

/// A host with one endpoint, in words, for messages.
pub(super) struct About {
    /// The host, for example `virtual machine`: what can follow "this".
    pub(super) host: &'static str,
    /// The variable that names the endpoint.
    pub(super) variable: &'static str,
}

/// An answer, and what was done for it.
pub(super) struct Heard {
    pub(super) response: HttpResponse,
    pub(super) tried: String,
}

impl Asked<'_> {
    /// Sends a request, again where that can help.
    ///
    /// # Errors
    /// Why there was no answer, and what was tried.
    pub(super) async fn send(
        &self,
        retry: &Retry,
        limiter: Option<&Limiter>,
        request: HttpRequest,
    ) -> Result<Heard, (HttpError, String)> {
        let shown = format!("{request:?} for {}", whose(self.id));
        let sending = Sending { platform: self.platform, deadline: self.deadline, limiter };
        let sent = retry.send(&sending, request).await;
        let tried = format!("{shown}{}", sent.effort);
        match sent.outcome {
            Ok(response) => Ok(Heard { response, tried }),
            Err(error) => Err((error, tried)),
        }
    }

    /// Sends a request to an endpoint that variables tell of.
    pub(super) async fn send_configured(&self, about: &About, request: HttpRequest) -> Result<Heard, Error> {
        self.send(&CONFIGURED, None, request).await.map_err(|(error, tried)| about.silent(&error).tried(tried))
    }

    /// Makes a token of what was heard, or an error.
    pub(super) fn read(&self, about: &About, heard: &Heard) -> Result<Fetched, Error> {
        let outcome = match heard.response.status {
            200 => answer::token(about.host, &heard.response, self),
            _ => Err(answer::refusal(about.host, &heard.response, self.id)),
        };
        outcome.map_err(|error| error.condition_of(Condition::Broken).tried(&*heard.tried))
    }

    /// Asks with one request: the way of most hosts. `secret` is what the request shows, and is never in an error.
    pub(super) async fn ask(&self, about: &About, request: HttpRequest, secret: &str) -> Result<Fetched, Error> {
        let heard = self.send_configured(about, request).await?;
        self.read(about, &heard).map_err(|error| error.without(secret))
    }
}

impl About {
    /// What it means that nobody answered at an endpoint that variables tell of.
    fn silent(&self, error: &HttpError) -> Error {
        let Self { host, variable } = self;
        let inherited = format!("that {variable} was not inherited from elsewhere");
        match error {
            HttpError::Refused(_) => Error::failed(format!(
                "nobody listens at the managed-identity endpoint of this {host}, which {variable} names: {error}"
            ))
            .condition_of(Condition::NotListening)
            .next(format!("check that the container has finished starting, and {inherited}")),
            HttpError::OtherCertificate(_) => Error::failed(format!(
                "the managed-identity endpoint of this {host} is not the one it should be: {error}"
            ))
            .condition_of(Condition::Refused)
            .next("nothing was sent to it; restart this program, so that it learns of a renewed certificate"),
            _ => Error::failed(format!(
                "the managed-identity endpoint of this {host}, which {variable} names, did not answer: {error}"
            ))
            .condition_of(Condition::Broken)
            .next(format!("check that this {host} is healthy, and {inherited}")),
        }
    }
}
