//! A user's name and password, in the hands of an app (RFC 6749, section 4.3).

use crate::call::Reply;
use crate::entra::claims_request::ClaimsRequest;
use crate::entra::client::UserClient;
use crate::entra::scope::Asked;
use crate::entra::sign_ins::secret_text;
use crate::entra::token::TokenRequest;
use crate::entra::user_answer::{self, Granted};
use crate::entra::{EntraError, policy};
use crate::people::Person;

/// Answers a request with this grant.
pub(in crate::entra) fn answer(request: &TokenRequest<'_>) -> Result<Reply, EntraError> {
    let state = request.state;
    if matches!(request.shared.as_deref(), Some("common" | "consumers")) {
        return Err(EntraError::request(
            9_001_023,
            "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.",
        ));
    }
    let client = UserClient::of(request, request.tenant)?;
    let name = request.form.required("username")?;
    let password = request.form.required("password")?;
    let asked = Asked::read(&request.form, request.version)?
        .ok_or_else(|| EntraError::missing(if request.version == 1 { "resource" } else { "scope" }))?;
    let account = state.directory.account(name);
    let tenant = request.tenant.or_else(|| state.directory.tenant(&account?.tenant));
    // A guest has no password in the tenant.
    let found = account.zip(tenant).and_then(|(user, tenant)| Some((user, Person::of(user, tenant)?)));
    let Some((user, person)) = found.filter(|(_, person)| !person.is_guest()) else {
        let directory = tenant.map_or("organizations", |tenant| tenant.name.as_str());
        return Err(EntraError::grant(
            50_034,
            format!(
                "The user account {{EUII Hidden}} does not exist in the {directory} directory. To sign into this application, the account must be added to the directory."
            ),
        ));
    };
    policy::check_password(state, user, password)?;
    let granted = Granted {
        client,
        user,
        person,
        asked,
        claims: ClaimsRequest::default(),
        sign_in: state.sign_ins.sign_in(&["pwd"]),
        family: secret_text(),
        nonce: None,
    };
    // Nobody can be asked here, and Entra says so with the error of a wrong grant.
    user_answer::reply(request, &granted, "password").map_err(|error| match error.code {
        50_076 | 50_079 => EntraError { error: "invalid_grant", ..error },
        _ => error,
    })
}
