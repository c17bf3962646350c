//! What stands between a user and a token, with Entra's codes
//! (<https://learn.microsoft.com/entra/identity-platform/reference-error-codes>).

use super::EntraError;
use super::scope::Wanted;
use super::sign_ins::accounts::{Account, PasswordProblem};
use crate::clock;
use crate::config::{App, Consent, Mfa, Refusal, Tenant, User};
use crate::people::Person;
use crate::state::State;
use crate::user_tokens::SignIn;

/// The second proof that conditional access asks for, as `suberror` names it
/// (<https://learn.microsoft.com/entra/msal/dotnet/advanced/exceptions/msal-error-handling>).
const BASIC_ACTION: &str = "basic_action";

/// Checks a user's password, and that the account may sign in with it.
pub(super) fn check_password(state: &State, user: &User, password: &str) -> Result<(), EntraError> {
    let accounts = &state.sign_ins.accounts;
    accounts.check_password(&user.object_id, password, clock::now()).map_err(|problem| match problem {
        PasswordProblem::Wrong => {
            EntraError::grant(50_126, "Error validating credentials due to invalid username or password.")
        }
        PasswordProblem::Locked => locked(),
    })?;
    check_account(state, user)
}

/// Checks that an account may sign in, its password being right.
pub(super) fn check_account(state: &State, user: &User) -> Result<(), EntraError> {
    match account(state, user)?.refusal {
        Some(Refusal::Disabled) => Err(disabled()),
        Some(Refusal::PasswordExpired) => Err(EntraError::grant(50_055, "The password is expired.")),
        Some(Refusal::Locked) => Err(locked()),
        Some(Refusal::Blocked) | None => Ok(()),
    }
}

fn locked() -> EntraError {
    EntraError::grant(
        50_053,
        "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    )
}

fn disabled() -> EntraError {
    EntraError::grant(50_057, "The user account is disabled.")
}

fn account(state: &State, user: &User) -> Result<Account, EntraError> {
    state.sign_ins.accounts.get(&user.object_id).ok_or_else(|| EntraError::unavailable("The account has gone."))
}

/// The user as they are in a tenant.
pub(super) fn in_tenant(user: &User, tenant: &Tenant, app: &App) -> Result<Person, EntraError> {
    Person::of(user, tenant).ok_or_else(|| {
        EntraError::grant(
            50_020,
            format!(
                "User account '{}' from identity provider 'https://sts.windows.net/{}/' does not exist in tenant '{}' and cannot access the application '{}'({}) in that tenant. The account needs to be added as an external user in the tenant first. Sign out and sign in again with a different Microsoft Entra user account.",
                user.name, user.tenant, tenant.name, app.client_id, app.name
            ),
        )
    })
}

/// The second proof that is missing, if one is.
pub(super) fn missing_proof(state: &State, user: &User, sign_in: &SignIn, contexts: &[String]) -> Option<Mfa> {
    if sign_in.has_mfa() {
        return None;
    }
    match state.sign_ins.accounts.get(&user.object_id)?.mfa {
        Mfa::NotRequired if contexts.is_empty() => None,
        Mfa::NotRequired => Some(Mfa::Required),
        mfa => Some(mfa),
    }
}

/// Checks that a user may have tokens at all, whatever they show.
pub(super) fn check_standing(state: &State, user: &User) -> Result<(), EntraError> {
    match account(state, user)?.refusal {
        Some(Refusal::Disabled) => Err(disabled()),
        Some(Refusal::Blocked) => Err(blocked()),
        _ => Ok(()),
    }
}

/// Checks the policies that every token meets: the account, conditional access, and the second proof.
pub(super) fn check_token(
    state: &State,
    user: &User,
    sign_in: &SignIn,
    contexts: &[String],
    resource: &str,
) -> Result<(), EntraError> {
    check_standing(state, user)?;
    let changed = "Due to a configuration change made by your administrator, or because you moved to a new location,";
    match missing_proof(state, user, sign_in, contexts) {
        None | Some(Mfa::NotRequired) => Ok(()),
        Some(Mfa::Required) => Err(EntraError::new(
            400,
            50_076,
            "interaction_required",
            format!("{changed} you must use multi-factor authentication to access '{resource}'."),
        )
        .with(BASIC_ACTION)),
        Some(Mfa::Register) => Err(EntraError::new(
            400,
            50_079,
            "interaction_required",
            format!("{changed} you must enroll in multi-factor authentication to access '{resource}'."),
        )
        .with(BASIC_ACTION)),
    }
}

/// Conditional access blocks the user. Which `suberror` goes with it is in no public document.
fn blocked() -> EntraError {
    EntraError::grant(
        53_003,
        "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    )
    .with("message_only")
}

/// Checks that the user, or an administrator, has consented.
pub(super) fn check_consent(state: &State, app: &App, user: &User, wanted: &Wanted) -> Result<(), EntraError> {
    if state.directory.is_first_party(app) {
        return Ok(());
    }
    if state.sign_ins.consents.missing(app, &user.object_id, &wanted.to_consent_to()).is_empty() {
        return Ok(());
    }
    Err(consent_missing(app))
}

/// Nobody has consented, and nobody can be asked.
pub(super) fn consent_missing(app: &App) -> EntraError {
    if app.consent == Consent::Admin {
        let text = format!(
            "{} needs permission to access resources in your organization that only an admin can grant. Please ask an admin to grant permission to this app before you can use it.",
            app.name
        );
        return EntraError::grant(90_094, text).with("consent_required");
    }
    let text = format!(
        "The user or administrator has not consented to use the application with ID '{}' named '{}'. Send an interactive authorization request for this user and resource.",
        app.client_id, app.name
    );
    EntraError::grant(65_001, text).with("consent_required")
}
