//! What tests do to users while a run goes on.

use crate::browse::{BrowseError, browse};
use crate::config::{Mfa, Refusal};
use crate::emulator::Emulator;
use crate::user_changes::{self, Change, UserError};

impl Emulator {
    /// Has a user sign in wherever somebody is asked to, with no page in between, as if they had a session; none has
    /// pages shown to a person. Device codes are approved by that user at the second poll. See
    /// [`Config::sign_in_as`](crate::Config::sign_in_as).
    ///
    /// # Errors
    /// When the world has no user of that name.
    pub fn sign_in_as(&self, user: Option<&str>) -> Result<(), UserError> {
        user_changes::sign_in_as(self.state(), user)
    }

    /// Goes to an address as a browser would, with nobody in front of it, until a program on this machine has the answer;
    /// see [`browse`](crate::browse()).
    ///
    /// # Errors
    /// When the emulator shows a page, because there is nobody to sign in, or something cannot be reached.
    pub async fn browse(&self, address: &str) -> Result<(), BrowseError> {
        browse(address, &self.gateway_url(), self.authority_pem()).await
    }

    /// Revokes all that a user has signed in to: refresh tokens are refused with AADSTS50173, and sessions of browsers
    /// ask for the password again.
    ///
    /// # Errors
    /// When the world has no user of that name.
    pub fn revoke_sessions(&self, user: &str) -> Result<(), UserError> {
        user_changes::revoke(self.state(), user)
    }

    /// Gives a user another password, which also revokes what they have signed in to.
    ///
    /// # Errors
    /// When the world has no user of that name, or the password is empty.
    pub fn set_password(&self, user: &str, password: &str) -> Result<(), UserError> {
        user_changes::change(self.state(), user, Change { password: Some(password.to_owned()), ..Change::default() })
    }

    /// Sets whether a user has to show a second proof.
    ///
    /// # Errors
    /// When the world has no user of that name.
    pub fn set_mfa(&self, user: &str, mfa: Mfa) -> Result<(), UserError> {
        user_changes::change(self.state(), user, Change { mfa: Some(mfa), ..Change::default() })
    }

    /// Sets why a user is not signed in; none lifts it.
    ///
    /// # Errors
    /// When the world has no user of that name.
    pub fn set_refusal(&self, user: &str, refusal: Option<Refusal>) -> Result<(), UserError> {
        user_changes::change(self.state(), user, Change { refusal: Some(refusal), ..Change::default() })
    }

    /// Gives consent to an app, by client id: a user's, or with none an administrator's for everyone.
    ///
    /// # Errors
    /// When the world has no such app or user.
    pub fn give_consent(&self, client_id: &str, user: Option<&str>) -> Result<(), UserError> {
        user_changes::consent(self.state(), client_id, user, true)
    }

    /// Takes consent to an app back: a user's, or with none everyone's.
    ///
    /// # Errors
    /// When the world has no such app or user.
    pub fn remove_consent(&self, client_id: &str, user: Option<&str>) -> Result<(), UserError> {
        user_changes::consent(self.state(), client_id, user, false)
    }

    /// The codes that devices wait with, and the client ids of their apps, the newest first.
    #[must_use]
    pub fn device_codes(&self) -> Vec<(String, String)> {
        user_changes::device_codes(self.state())
    }

    /// Approves the code of a device as a user, who has shown every proof there is.
    ///
    /// # Errors
    /// When the world has no user of that name, or no device waits with the code.
    pub fn approve_device(&self, user_code: &str, user: &str) -> Result<(), UserError> {
        user_changes::approve_device(self.state(), user_code, user)
    }

    /// Declines the code of a device.
    ///
    /// # Errors
    /// When no device waits with the code.
    pub fn decline_device(&self, user_code: &str) -> Result<(), UserError> {
        user_changes::decline_device(self.state(), user_code)
    }
}
