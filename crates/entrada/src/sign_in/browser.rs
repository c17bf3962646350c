//! Signing in with a browser on this machine: the authorization code grant (RFC 6749, section 4.1) with a proof key
//! (RFC 7636), for native apps (RFC 8252).

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use url::Url;
use zeroize::Zeroizing;

use super::redirect_listener::wait;
use super::redirect_request::{Answer, Expected};
use super::redirect_uri::RedirectUri;
use super::session::{SignIn, SignedIn, Want};
use super::web_browser::Opening;
use super::{account, page};
use crate::deadline::Deadline;
use crate::entra::{self, Client, Grant, refusal_of};
use crate::error::Error;
use crate::platform::LoopbackError;

/// The way to sign in.
pub(crate) struct Browser {
    pub(crate) redirect_uri: RedirectUri,
    /// The name to fill in for the person.
    pub(crate) login_hint: Option<String>,
    /// What the sign-in page shows (OpenID Connect Core 1.0, section 3.1.2.1).
    pub(crate) prompt: String,
    /// How long the person may take.
    pub(crate) timeout: Duration,
}

/// What ties the answer to the question.
struct Ties {
    /// Only who asked can redeem the code.
    verifier: Zeroizing<String>,
    /// Only an answer to this question is taken.
    state: String,
    /// Only an id token of this sign-in is taken.
    nonce: String,
}

impl Ties {
    fn new() -> Result<Self, Error> {
        Ok(Self { verifier: random()?, state: random()?.to_string(), nonce: random()?.to_string() })
    }

    fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.verifier.as_bytes()))
    }
}

/// 256 random bits in 43 letters and digits (RFC 7636, section 4.1).
fn random() -> Result<Zeroizing<String>, Error> {
    let mut bytes = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(&mut *bytes).map_err(|_| {
        Error::failed("the system gives no random numbers").next("check /dev/urandom in this container")
    })?;
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

#[async_trait]
impl SignIn for Browser {
    async fn sign_in(&self, client: &Client, want: &Want) -> Result<SignedIn, Error> {
        let (platform, clock) = (&client.platform, client.platform.clock());
        let request = &want.request;
        let target = client.tenants.resolve(request.tenant_id.as_deref(), platform.environment())?;
        client.confirm_authority(target.tenant_id, Deadline::after(clock, entra::LIMIT)).await?;
        let listener = platform.loopback().listen(self.redirect_uri.host, self.redirect_uri.port).await;
        let listener = listener.map_err(|error| nobody_listens(&error))?;
        let redirect_uri = self.redirect_uri.at(listener.port());
        let ties = Ties::new()?;
        let endpoint = client.authority.authorize_endpoint(target.tenant_id);
        let tried = format!(
            "a browser at {endpoint} for client {}, scope {}, redirect URI {redirect_uri}",
            client.client_id,
            request.scopes.join(" ")
        );
        let url = self.url(endpoint, client, want, &redirect_uri, &ties)?;
        let opening = Opening::new(platform, &url).map_err(|error| error.tried(&*tried))?;
        let expected = Expected::new(&self.redirect_uri, listener.port(), &ties.state);
        let deadline = Deadline::after(clock, self.timeout);
        let brought = wait(listener, &expected, platform, opening, deadline).await;
        let (answer, visitor) = match brought.map_err(|error| error.tried(&*tried))? {
            Some(brought) => brought,
            None => return Err(self.too_late(want).tried(tried)),
        };
        let outcome = match answer {
            Answer::Refused { error, description } => {
                Err(refusal_of(&error, &description).without(&ties.verifier).tried(tried))
            }
            Answer::Code(code) => redeem(client, want, &code, &redirect_uri, &ties).await,
        };
        let shown = match &outcome {
            Ok(signed_in) => page::success(signed_in.record.username()),
            Err(error) => page::failure(error),
        };
        visitor.show(clock, &shown).await;
        outcome
    }
}

/// Gets the tokens for the code.
async fn redeem(client: &Client, want: &Want, code: &str, redirect_uri: &str, ties: &Ties) -> Result<SignedIn, Error> {
    let grant = Grant::AuthorizationCode { code, redirect_uri, verifier: Some(&ties.verifier) };
    let deadline = Deadline::after(client.platform.clock(), entra::LIMIT);
    let granted = client.redeem(&want.request, &grant, deadline).await?;
    let record = account(&granted, client, Some(&ties.nonce))?;
    want.admits(&record)?;
    Ok(SignedIn { granted, record })
}

impl Browser {
    /// The page to open. It holds nothing that must stay secret: everybody on this machine can see it.
    fn url(&self, mut url: Url, client: &Client, want: &Want, redirect_uri: &str, ties: &Ties) -> Result<Url, Error> {
        let scope = entra::user_scope(&want.request.scopes);
        let claims = entra::claims(&want.request)?;
        let challenge = ties.challenge();
        let hint = want.username().or(self.login_hint.as_deref());
        let mut query = url.query_pairs_mut();
        query.extend_pairs([
            ("client_id", client.client_id.as_str()),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("scope", &scope),
            ("state", &ties.state),
            ("response_mode", "form_post"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("nonce", &ties.nonce),
            ("client_info", "1"),
            ("prompt", &self.prompt),
        ]);
        query.extend_pairs(hint.map(|hint| ("login_hint", hint)));
        query.extend_pairs(claims.as_deref().map(|claims| ("claims", claims)));
        drop(query);
        Ok(url)
    }

    fn too_late(&self, want: &Want) -> Error {
        let what = format!(
            "Timed out waiting for user to authenticate: nobody came back from the browser within {} s",
            self.timeout.as_secs()
        );
        // Where nobody sits, another way to sign in may do.
        let error = if want.request.within_chain { Error::unavailable(what) } else { Error::failed(what) };
        error.next(
            "ask again; where no browser appeared, use DeviceCodeCredential, or name in BROWSER what opens a page",
        )
    }
}

fn nobody_listens(error: &LoopbackError) -> Error {
    let what = format!("the browser's answer cannot be waited for on this machine: {error}");
    match error {
        LoopbackError::InUse(port) | LoopbackError::Denied(port) => Error::unavailable(what).next(format!(
            "end the program that uses port {port}, or use another port in redirect_uri; without redirect_uri, one that is \
             free is taken"
        )),
        LoopbackError::Other(_) => Error::unavailable(what).next("use DeviceCodeCredential, which listens to nobody"),
    }
}
