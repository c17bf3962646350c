//! Sign in to Azure.
//!
//! A program that uses Azure proves who it is with a token. In Azure it gets one for the host's
//! [managed identity](ManagedIdentityCredential); on a laptop for whatever the developer is signed in with. With
//! [`DefaultAzureCredential`] the code is the same in both places:
//!
//! ```no_run
//! use azure_core::credentials::TokenCredential;
//! use entrada::DefaultAzureCredential;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credential = DefaultAzureCredential::new(None)?;
//! let token = credential.get_token(&["https://vault.azure.net/.default"], None).await?;
//! # let _ = token;
//! # Ok(()) }
//! ```
//!
//! Every credential implements [`azure_core::credentials::TokenCredential`], so the official service clients take it.
//! None sends anything when it is constructed.
//!
//! # Tokens are cached
//!
//! A process has one [`Cache`]; credential objects that are constructed alike share its tokens, whatever thread, task or
//! runtime asks. Of many callers who need the same token, one fetches it and all share the outcome. A token is replaced
//! in the background before it expires, and an expired one is never returned.
//!
//! # Errors say what to do
//!
//! An [`Error`] says what failed, what was tried, what came back and what to do next; its [`Outcome`] says whether a
//! chain goes on. It never holds a secret. Through `azure_core` it is the source of an `azure_core::Error` of kind
//! `Credential`, to be had with `error.downcast_ref::<entrada::Error>()`.
//!
//! # Runtimes
//!
//! Tokens are fetched on two threads of the crate's own, started with the first request. Callers may use any async
//! runtime, or none: see [`Fetch`].

mod assertions;
mod bearer_token_provider;
mod cache;
mod certificate;
mod chain;
mod challenge;
pub mod context;
mod credential;
mod credentials;
mod deadline;
mod developer_tools;
mod entra;
mod error;
mod expected_identity;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;
mod limiter;
mod managed_identity;
pub mod platform;
mod redaction;
mod retry;
mod runtime;
mod scope;
mod sign_in;
mod sync;
mod token;
mod token_answer;

pub use assertions::{
    AssertionError, AssertionRequest, ClientAssertion, CommandAssertion, CommandAssertionOptions, EnvironmentAssertion,
    FileAssertion, ManagedIdentityAssertion, ManagedIdentityAssertionOptions, UrlAssertion, UrlAssertionOptions,
};
pub use bearer_token_provider::{BearerTokenProvider, get_bearer_token_provider};
pub use cache::{Cache, CacheLimits};
pub use certificate::{SignatureAlgorithm, Signer, SignerError};
pub use chain::{ChainedTokenCredential, DefaultAzureCredential, DefaultAzureCredentialOptions};
pub use challenge::{ChallengePolicy, ChallengePolicyOptions};
pub use credential::{Credential, Fetch};
pub use credentials::{
    AuthorizationCodeCredential, AuthorizationCodeCredentialOptions, AzureCliCredential, AzureCliCredentialOptions,
    AzurePipelinesCredential, AzurePipelinesCredentialOptions, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientCertificateCredential, ClientCertificateCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions, CommandCredential, CommandCredentialOptions,
    DeviceCodeCredential, DeviceCodeCredentialOptions, EntraOptions, EnvironmentCredential,
    EnvironmentCredentialOptions, GitHubActionsCredential, GitHubActionsCredentialOptions,
    InteractiveBrowserCredential, InteractiveBrowserCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, OnBehalfOfCredential, OnBehalfOfCredentialOptions, StaticTokenCredential,
    StaticTokenCredentialOptions, TokenFileCredential, TokenFileCredentialOptions, UsernamePasswordCredential,
    UsernamePasswordCredentialOptions, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
pub use error::{Answer, Attempt, Condition, Error, Outcome};
pub use expected_identity::ExpectedIdentity;
pub use managed_identity::UserAssignedId;
pub use platform::transport;
pub use runtime::{Fork, prepare_fork};
pub use sign_in::{AuthenticationRecord, DeviceCodeInfo, PromptCallback};
pub use token::{Attachment, Token, TokenRequest};
