//! Scopes, and the resources they belong to.

use crate::error::Error;
use crate::token::TokenRequest;

const DEFAULT: &str = "/.default";
const EXAMPLE: &str = "https://vault.azure.net/.default";

/// Refuses what is no scope in any flow: none at all, an empty one, one with a space (RFC 6749, section 3.3: a space
/// separates scopes).
pub(crate) fn check(request: &TokenRequest) -> Result<(), Error> {
    if request.scopes.is_empty() {
        return Err(Error::invalid_argument("a token needs at least one scope")
            .next(format!("name what the token is for, such as \"{EXAMPLE}\"")));
    }
    for scope in &request.scopes {
        if scope.is_empty() {
            return Err(Error::invalid_argument("a scope is empty")
                .next(format!("name what the token is for, such as \"{EXAMPLE}\"")));
        }
        if scope.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '\\') {
            return Err(Error::invalid_argument(format!(
                "{scope:?} is not a scope: it holds a space, a quote or a control character"
            ))
            .next("pass several scopes as several arguments"));
        }
    }
    Ok(())
}

/// Refuses scopes that an app cannot ask for by itself.
pub(crate) fn check_app_only(request: &TokenRequest) -> Result<(), Error> {
    check(request)?;
    match request.scopes.iter().find(|scope| !scope.ends_with(DEFAULT)) {
        None => Ok(()),
        Some(scope) => Err(Error::invalid_argument(format!(
            "an app that signs in by itself asks for all its permissions on a resource at once, not for \"{scope}\""
        ))
        .next(format!("use \"{}\"; single permissions are for signed-in users", with_default(scope)))),
    }
}

/// The one resource of a request, for the flows that take nothing else: managed identities and developer tools. The
/// scope may end in `/.default`, or be the resource itself.
pub(crate) fn single_resource(request: &TokenRequest) -> Result<&str, Error> {
    check(request)?;
    match request.scopes.as_slice() {
        [scope] => Ok(scope.strip_suffix(DEFAULT).unwrap_or(scope)),
        scopes => {
            Err(Error::invalid_argument(format!("this credential takes exactly one scope, not {}", scopes.len()))
                .next("ask for a token for each resource by itself"))
        }
    }
}

/// A guess at what was meant.
fn with_default(scope: &str) -> String {
    // https://graph.microsoft.com/User.Read -> https://graph.microsoft.com/.default
    let resource = match scope.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('/') {
            Some((host, _)) => format!("{scheme}://{host}"),
            None => scope.to_owned(),
        },
        None => scope.trim_end_matches('/').to_owned(),
    };
    resource + DEFAULT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(result: Result<impl std::fmt::Debug, Error>) -> String {
        let error = result.expect_err("refused");
        assert!(error.is_invalid_argument());
        error.to_string()
    }

    #[test]
    fn none_and_empty_are_refused() {
        assert!(refusal(check(&TokenRequest::default())).contains("at least one scope"));
        assert!(refusal(check(&TokenRequest::new([""]))).contains("empty"));
        assert!(refusal(check(&TokenRequest::new(["a b"]))).contains("several arguments"));
    }

    #[test]
    fn an_app_is_told_the_scope_it_should_have_used() {
        for (given, meant) in [
            ("https://graph.microsoft.com/User.Read", "https://graph.microsoft.com/.default"),
            ("https://vault.azure.net", "https://vault.azure.net/.default"),
            ("https://vault.azure.net/", "https://vault.azure.net/.default"),
            ("User.Read", "User.Read/.default"),
        ] {
            let text = refusal(check_app_only(&TokenRequest::new([given])));
            assert!(text.contains(&format!("use \"{meant}\"")), "{text}");
        }
        // The double slash is Resource Manager's real resource with its own trailing slash.
        let double = "https://management.core.windows.net//.default";
        assert!(check_app_only(&TokenRequest::new([double])).is_ok());
    }

    #[test]
    fn a_resource_is_the_scope_without_default() {
        let resource = |scope: &str| single_resource(&TokenRequest::new([scope])).map(str::to_owned);
        assert_eq!(resource("https://vault.azure.net/.default").expect("one"), "https://vault.azure.net");
        assert_eq!(resource("https://vault.azure.net").expect("one"), "https://vault.azure.net");
        assert_eq!(
            resource("https://management.core.windows.net//.default").expect("one"),
            "https://management.core.windows.net/"
        );
        let two = TokenRequest::new(["a", "b"]);
        assert!(refusal(single_resource(&two)).contains("exactly one scope, not 2"));
    }
}
