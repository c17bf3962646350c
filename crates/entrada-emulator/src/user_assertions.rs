//! Users' access tokens made to order: what an API is shown by its callers, without anybody signing in.

use crate::entra::claims_request::ClaimsRequest;
use crate::entra::scope::Asked;
use crate::people::Person;
use crate::state::State;
use crate::tokens::{ClientProof, USER_LIFETIME};
use crate::user_tokens::{self, SignIn, Wanted};
use crate::{clock, world};
use serde::Deserialize;

/// How many tokens one request may ask for.
const MOST: u64 = 10_000;

/// A user's token made to order. The default is one of Ada for [`API_URI`](crate::world::API_URI) through
/// [`CLI_CLIENT_ID`](crate::world::CLI_CLIENT_ID).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserTokenWish {
    /// The user, by name: one of the world, or of the crowd ([`crowd_user`](crate::world::crowd_user)).
    pub user: String,
    /// Client id of the app that the user is said to use.
    pub client_id: String,
    /// What the token is for: scopes of one resource.
    pub scope: String,
    /// When it ends, in seconds from now; default 4500, negative for one that has expired.
    pub expires_in: Option<i64>,
    /// Whether the user has shown a second proof.
    pub mfa: bool,
    /// Whether the client is one that takes claims challenges (`xms_cc` with `CP1`).
    pub takes_challenges: bool,
}

impl Default for UserTokenWish {
    fn default() -> Self {
        Self {
            user: world::USER_NAME.into(),
            client_id: world::CLI_CLIENT_ID.into(),
            scope: format!("{}/.default", world::API_URI),
            expires_in: None,
            mfa: false,
            takes_challenges: false,
        }
    }
}

/// Why a user's token could not be made to order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserTokenError {
    /// No user has this name.
    #[error("no user has the name `{0}`; those of the crowd are user-0@DOMAIN, user-1@DOMAIN and so on")]
    UnknownUser(String),
    /// No app has this client id.
    #[error("no app has the client id `{0}`")]
    UnknownApp(String),
    /// What the token is for is not in the world.
    #[error("{0}")]
    Scope(String),
    /// There is no key.
    #[error("the token could not be signed")]
    NotSigned,
    /// More tokens than one request may ask for.
    #[error("one request makes {MOST} tokens at most")]
    TooMany,
}

impl State {
    /// Makes a user's token.
    pub(crate) fn issue_user_token(&self, wish: &UserTokenWish) -> Result<String, UserTokenError> {
        let key = self.signing_key().ok_or(UserTokenError::NotSigned)?;
        let directory = &self.directory;
        let unknown = || UserTokenError::UnknownUser(wish.user.clone());
        let user = directory.anybody(&wish.user).ok_or_else(unknown)?;
        let tenant = directory.tenant(&user.tenant).ok_or_else(unknown)?;
        let person = Person::of(&user, tenant).ok_or_else(unknown)?;
        let app = directory.client_app(&wish.client_id);
        let app = app.ok_or_else(|| UserTokenError::UnknownApp(wish.client_id.clone()))?;
        let asked = Asked::scopes(&wish.scope).and_then(|asked| asked.in_tenant(self, tenant));
        let asked = asked.map_err(|error| UserTokenError::Scope(error.text))?;
        let mut methods = vec!["pwd".to_owned()];
        if wish.mfa {
            methods.push("mfa".to_owned());
        }
        let sign_in = SignIn {
            methods,
            time: clock::now(),
            session: uuid::Uuid::new_v4().to_string(),
            order: self.sign_ins.accounts.next(),
        };
        let claims = ClaimsRequest { takes_challenges: wish.takes_challenges, ..ClaimsRequest::default() };
        let wanted = Wanted {
            person: &person,
            client_id: &app.client_id,
            proof: if app.public_client { ClientProof::None } else { ClientProof::Secret },
            audience: &asked.audience,
            scopes: &asked.permissions,
            sign_in: &sign_in,
            claims: &claims,
            lifetime: wish.expires_in.unwrap_or(USER_LIFETIME),
        };
        let issued = user_tokens::issue(&key, directory, &wanted).ok_or(UserTokenError::NotSigned)?;
        Ok(issued.token)
    }

    /// Makes tokens of so many members of the crowd, beginning with one.
    pub(crate) fn issue_crowd_tokens(
        &self,
        wish: &UserTokenWish,
        first: u64,
        count: u64,
    ) -> Result<Vec<String>, UserTokenError> {
        if count > MOST {
            return Err(UserTokenError::TooMany);
        }
        let numbers = first..first.saturating_add(count);
        numbers
            .map(|number| self.issue_user_token(&UserTokenWish { user: world::crowd_user(number), ..wish.clone() }))
            .collect()
    }
}
