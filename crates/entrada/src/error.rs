//! The typed outcome of a request that gave no token.
//!
//! Every message says, in this order: what failed; what was tried; what came back; what to do next. None contains a
//! secret or a token.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::redaction::Redaction;
use crate::token::TokenRequest;

/// What a failed request for a token means for the caller, and for a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// This way of signing in is not set up here. A chain goes on to the next credential.
    Unavailable,
    /// It is set up, and was refused or broke. A chain stops, so that a mistake does not silently become another
    /// identity.
    Failed,
    /// A person must act first: sign in, consent, answer a claims challenge.
    InteractionRequired,
}

/// What an endpoint of managed identities was found to be in, in more detail than an [`Outcome`].
///
/// Programs that want to tell these apart match on it; a chain does not need to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Condition {
    /// This program does not run on a host with managed identities.
    NotThisHost,
    /// The endpoint is configured, but nobody listened there, for as long as the start of a container may take.
    NotListening,
    /// The identity asked for is not assigned to the host, or the host has none.
    IdentityNotAssigned,
    /// The host has several user-assigned identities, and the request named none.
    SeveralIdentities,
    /// The host cannot serve a user-assigned identity by this kind of id; nothing was sent.
    IdentityNotSupported,
    /// The answer was a token of another identity than the one asked for or expected; it was thrown away.
    OtherIdentity,
    /// The resource of the scope is not known in the identity's tenant.
    UnknownResource,
    /// The endpoint refused the request itself: its secret, its headers, its certificate.
    Refused,
    /// Too many requests: the endpoint answered 429 for as long as it was asked.
    Throttled,
    /// The endpoint answered 410 for longer than the 70 seconds that an update of it may take.
    Gone,
    /// The endpoint failed, did not answer in time, or answered with something that is no token.
    Broken,
}

impl Condition {
    /// A word for programs and logs, for example `identity_not_assigned`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotThisHost => "not_this_host",
            Self::NotListening => "not_listening",
            Self::IdentityNotAssigned => "identity_not_assigned",
            Self::SeveralIdentities => "several_identities",
            Self::IdentityNotSupported => "identity_not_supported",
            Self::OtherIdentity => "other_identity",
            Self::UnknownResource => "unknown_resource",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Gone => "gone",
            Self::Broken => "broken",
        }
    }

    /// The condition of a word that [`as_str`](Self::as_str) returns.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        const ALL: [Condition; 11] = [
            Condition::NotThisHost,
            Condition::NotListening,
            Condition::IdentityNotAssigned,
            Condition::SeveralIdentities,
            Condition::IdentityNotSupported,
            Condition::OtherIdentity,
            Condition::UnknownResource,
            Condition::Refused,
            Condition::Throttled,
            Condition::Gone,
            Condition::Broken,
        ];
        ALL.into_iter().find(|condition| condition.as_str() == word)
    }
}

/// What a server answered, without anything secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: Option<u16>,
    /// The OAuth error code (RFC 6749, section 5.2), for example `invalid_client`.
    pub error: Option<String>,
    /// Microsoft Entra's own code, for example `AADSTS7000215`.
    pub code: Option<String>,
    /// Microsoft Entra's hint at what kind of action helps, for example `basic_action` or `consent_required`.
    pub suberror: Option<String>,
    /// The server's own words, shortened.
    pub text: String,
    /// The server's trace id.
    pub trace_id: Option<String>,
    /// The id that ties the answer to the request in the server's logs.
    pub correlation_id: Option<String>,
    /// The server's time of the answer, as it wrote it.
    pub timestamp: Option<String>,
}

/// One step of a chain that gave no token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The name of the credential.
    pub credential: String,
    /// Why it gave no token.
    pub error: Error,
    /// How long it took.
    pub took: Duration,
}

/// Why a credential gave no token.
///
/// Cheap to clone: everybody who waited for the same request shares it.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    outcome: Outcome,
    invalid_argument: bool,
    condition: Option<Condition>,
    credential: Option<String>,
    what: String,
    tried: Option<String>,
    answer: Option<Answer>,
    claims: Option<String>,
    next: Option<String>,
    attempts: Vec<Attempt>,
    cause: Option<Arc<dyn std::error::Error + Send + Sync>>,
    to_authenticate: Option<TokenRequest>,
}

impl Error {
    fn new(outcome: Outcome, what: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            outcome,
            invalid_argument: false,
            condition: None,
            credential: None,
            what: what.into(),
            tried: None,
            answer: None,
            claims: None,
            next: None,
            attempts: Vec::new(),
            cause: None,
            to_authenticate: None,
        }))
    }

    /// This way of signing in is not set up here.
    pub fn unavailable(what: impl Into<String>) -> Self {
        Self::new(Outcome::Unavailable, what)
    }

    /// It is set up, and was refused or broke.
    pub fn failed(what: impl Into<String>) -> Self {
        Self::new(Outcome::Failed, what)
    }

    /// A person must act first.
    pub fn interaction_required(what: impl Into<String>) -> Self {
        Self::new(Outcome::InteractionRequired, what)
    }

    /// An argument that cannot be right, found before anything was sent.
    pub fn invalid_argument(what: impl Into<String>) -> Self {
        Self::failed(what).edit(|inner| inner.invalid_argument = true)
    }

    fn edit(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    /// Says which credential failed. The first one to say so stays: a chain does not take the place of its member.
    #[must_use]
    pub fn credential(self, name: impl Into<String>) -> Self {
        if self.0.credential.is_some() {
            return self;
        }
        self.edit(|inner| inner.credential = Some(name.into()))
    }

    /// Says what it prevented; the reason, with the name of the credential that gave it, follows.
    #[must_use]
    pub(crate) fn because(self, what: &str) -> Self {
        self.edit(|inner| {
            inner.what = match inner.credential.take() {
                Some(name) => format!("{what}: {name}: {}", inner.what),
                None => format!("{what}: {}", inner.what),
            };
            // Whoever asked for this gave nothing wrong.
            inner.invalid_argument = false;
        })
    }

    /// Tells of another way that was tried before this one: `what` it was, and how it failed. Claims that only the other one
    /// brought stay.
    #[must_use]
    pub(crate) fn following(self, what: &str, earlier: &Self) -> Self {
        self.edit(|inner| {
            let answer = earlier.0.answer.as_ref().map(|answer| format!(" ({answer})")).unwrap_or_default();
            inner.what = format!("{}; before that {what}: {}{answer}", inner.what, earlier.0.what);
            inner.claims = inner.claims.take().or_else(|| earlier.0.claims.clone());
        })
    }

    /// Says in which condition an endpoint was found. The first one to say so stays: it was nearest.
    #[must_use]
    pub(crate) fn condition_of(self, condition: Condition) -> Self {
        if self.0.condition.is_some() {
            return self;
        }
        self.edit(|inner| inner.condition = Some(condition))
    }

    /// Says what was tried: endpoint, identity, tenant, scope.
    #[must_use]
    pub fn tried(self, tried: impl Into<String>) -> Self {
        self.edit(|inner| inner.tried = Some(tried.into()))
    }

    /// Says what came back.
    #[must_use]
    pub fn answer(self, answer: Answer) -> Self {
        self.edit(|inner| inner.answer = Some(answer))
    }

    /// Keeps the claims that the next request must bring.
    #[must_use]
    pub(crate) fn with_claims(self, claims: Option<String>) -> Self {
        self.edit(|inner| inner.claims = claims)
    }

    /// Takes a secret out of what came back: a server, or a proxy in its place, may repeat the request.
    #[must_use]
    pub(crate) fn without(self, secret: &str) -> Self {
        let redaction = Redaction::of(secret);
        self.edit(|inner| {
            if let Some(Answer { error, suberror, text, trace_id, correlation_id, timestamp, .. }) = &mut inner.answer {
                let optional = [error, suberror, trace_id, correlation_id, timestamp].into_iter().flatten();
                optional.chain([text]).for_each(|text| redaction.apply(text));
            }
            // Our own words, which may repeat one of the server's; of the shortest secrets they are full.
            if secret.len() >= 8 {
                redaction.apply(&mut inner.what);
            }
            // To be passed on as they are, or not at all.
            inner.claims = inner.claims.take().filter(|claims| !redaction.is_in(claims));
        })
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(self, next: impl Into<String>) -> Self {
        self.edit(|inner| inner.next = Some(next.into()))
    }

    /// Lists the steps of a chain.
    #[must_use]
    pub fn attempts(self, attempts: Vec<Attempt>) -> Self {
        self.edit(|inner| inner.attempts = attempts)
    }

    /// Keeps the error of a caller's own function that this one comes of; [`source`](std::error::Error::source) returns
    /// it. The first one stays: it was nearest.
    #[must_use]
    pub fn caused_by(self, cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.caused_by_any(Arc::new(cause))
    }

    /// The same for an error of a type that is not known.
    #[must_use]
    pub(crate) fn caused_by_any(self, cause: Arc<dyn std::error::Error + Send + Sync>) -> Self {
        if self.0.cause.is_some() {
            return self;
        }
        self.edit(|inner| inner.cause = Some(cause))
    }

    /// Says that a person must act, whatever it said before.
    #[must_use]
    pub(crate) fn needing_a_person(self) -> Self {
        self.edit(|inner| inner.outcome = Outcome::InteractionRequired)
    }

    /// Says what a person has to be asked for.
    #[must_use]
    pub(crate) fn authenticated_by(self, request: TokenRequest) -> Self {
        self.edit(|inner| inner.to_authenticate = Some(request))
    }

    /// What to pass to `authenticate`, where a person must sign in and the credential was told not to ask by itself
    /// (`disable_automatic_authentication`): the scopes, the tenant, and the claims that were demanded.
    pub fn authentication_request(&self) -> Option<&TokenRequest> {
        self.0.to_authenticate.as_ref()
    }

    /// What the failure means.
    pub fn outcome(&self) -> Outcome {
        self.0.outcome
    }

    /// In which condition the endpoint of a managed identity was found; `None` for other failures.
    pub fn condition(&self) -> Option<Condition> {
        self.0.condition
    }

    /// Whether an argument was wrong and nothing was sent.
    pub fn is_invalid_argument(&self) -> bool {
        self.0.invalid_argument
    }

    /// The name of the credential that failed, where one did.
    pub fn credential_name(&self) -> Option<&str> {
        self.0.credential.as_deref()
    }

    /// What the server answered, where one did.
    pub fn server_answer(&self) -> Option<&Answer> {
        self.0.answer.as_ref()
    }

    /// The claims that the server wants the next sign-in to satisfy, as JSON (OpenID Connect Core 1.0, section 5.5), where
    /// it named some: conditional access does. Pass them on in [`TokenRequest::claims`](crate::TokenRequest::claims).
    pub fn claims(&self) -> Option<&str> {
        self.0.claims.as_deref()
    }

    /// What was tried, where something was.
    pub(crate) fn attempted(&self) -> Option<&str> {
        self.0.tried.as_deref()
    }

    /// What to do next, where something can be said.
    pub fn remedy(&self) -> Option<&str> {
        self.0.next.as_deref()
    }

    /// What failed, in a sentence, without what was tried and what to do next.
    pub fn summary(&self) -> &str {
        &self.0.what
    }

    /// The steps of the chain that failed; empty for a single credential.
    pub fn chain_attempts(&self) -> &[Attempt] {
        &self.0.attempts
    }

    /// The reason on one line, for the report of a chain; with what to do next, unless the chain ends with just that.
    fn one_line(&self, said_at_the_end: Option<&str>) -> String {
        let mut line = self.0.what.clone();
        if let Some(answer) = self.0.answer.as_ref().map(Answer::to_string).filter(|text| !text.is_empty()) {
            line = format!("{line} ({answer})");
        }
        if let Some(next) = self.remedy().filter(|next| said_at_the_end != Some(next)) {
            line = format!("{line}; {next}");
        }
        line.replace(['\r', '\n'], " ")
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(status) = self.status {
            parts.push(format!("HTTP {status}"));
        }
        if let Some(error) = &self.error {
            parts.push(error.clone());
        }
        // Entra's text begins with its code; say it once.
        if let Some(code) = self.code.as_ref().filter(|code| !self.text.contains(&***code)) {
            parts.push(code.clone());
        }
        if !self.text.is_empty() {
            parts.push(self.text.clone());
        }
        for (label, value) in
            [("trace id", &self.trace_id), ("correlation id", &self.correlation_id), ("timestamp", &self.timestamp)]
        {
            if let Some(value) = value {
                parts.push(format!("{label} {value}"));
            }
        }
        f.write_str(&parts.join(", "))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &self.0;
        if let Some(credential) = &inner.credential {
            write!(f, "{credential}: ")?;
        }
        f.write_str(&inner.what)?;
        if !inner.attempts.is_empty() {
            f.write_str("\nAttempted credentials:")?;
            let width = inner.attempts.iter().map(|a| a.credential.len()).max();
            let width = width.unwrap_or_default();
            for attempt in &inner.attempts {
                write!(
                    f,
                    "\n    {:width$}  {:>5} ms  {}",
                    attempt.credential,
                    attempt.took.as_millis(),
                    attempt.error.one_line(inner.next.as_deref()),
                )?;
            }
        }
        if let Some(tried) = &inner.tried {
            write!(f, "\n  tried: {tried}")?;
        }
        if let Some(answer) = inner.answer.as_ref().map(ToString::to_string)
            && !answer.is_empty()
        {
            write!(f, "\n  answer: {answer}")?;
        }
        if let Some(next) = &inner.next {
            write!(f, "\n  next: {next}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("outcome", &self.0.outcome).field("message", &self.to_string()).finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

impl From<Error> for azure_core::Error {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        Self::with_error(azure_core::error::ErrorKind::Credential, error, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_failed_what_was_tried_what_came_back_and_what_to_do() {
        let error = Error::failed("the client secret is wrong")
            .credential("ClientSecretCredential")
            .tried("POST https://login.microsoftonline.com/t/oauth2/v2.0/token")
            .answer(Answer {
                status: Some(401),
                error: Some("invalid_client".into()),
                code: Some("AADSTS7000215".into()),
                text: "AADSTS7000215: Invalid client secret provided.".into(),
                correlation_id: Some("c-1".into()),
                ..Answer::default()
            })
            .next("create a new secret");
        assert_eq!(
            error.to_string(),
            "ClientSecretCredential: the client secret is wrong\n  \
             tried: POST https://login.microsoftonline.com/t/oauth2/v2.0/token\n  \
             answer: HTTP 401, invalid_client, AADSTS7000215: Invalid client secret provided., correlation id c-1\n  \
             next: create a new secret"
        );
    }

    #[test]
    fn a_chain_prints_one_aligned_line_a_step() {
        let attempt = |name: &str, ms| Attempt {
            credential: name.into(),
            error: Error::unavailable("not set up").next("do this\nand that"),
            took: Duration::from_millis(ms),
        };
        let error = Error::failed("no credential gave a token")
            .attempts(vec![attempt("EnvironmentCredential", 0), attempt("AzureCliCredential", 512)]);
        let text = error.to_string();
        assert!(text.contains("\n    EnvironmentCredential      0 ms  not set up; do this and that"));
        assert!(text.contains("\n    AzureCliCredential       512 ms  not set up; do this and that"));
    }

    #[test]
    fn the_error_of_a_callers_function_comes_back_as_it_was() {
        let cause = std::io::Error::other("mine");
        let error = Error::failed("the function failed").caused_by(cause).credential("C").next("mend it");
        let source = std::error::Error::source(&error).expect("a source");
        assert_eq!(source.downcast_ref::<std::io::Error>().map(ToString::to_string).as_deref(), Some("mine"));
    }

    #[test]
    fn survives_the_way_through_azure_core() {
        let error: azure_core::Error = Error::unavailable("no").into();
        let ours = error.downcast_ref::<Error>().expect("our error inside");
        assert_eq!(ours.outcome(), Outcome::Unavailable);
    }
}
