//! What the frequent codes of Entra mean, and what to do: one table for errors and for the documents.
//!
//! From <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>, and for federated credentials from
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>.

/// One row: codes that mean the same.
#[derive(Debug)]
pub(super) struct Meaning {
    /// `AADSTS` codes, or an `error` of OAuth where Entra sends no code.
    pub(super) codes: &'static [&'static str],
    /// What it means.
    pub(super) what: &'static str,
    /// What to do.
    pub(super) next: &'static str,
    /// Whether a person must act, and the same request then succeeds.
    pub(super) person: bool,
}

/// What a code means, else what the `error` means.
pub(super) fn meaning(error: &str, code: Option<&str>) -> Option<&'static Meaning> {
    let find = |sought: &str| MEANINGS.iter().find(|row| row.codes.contains(&sought));
    code.and_then(find).or_else(|| find(error))
}

const fn failed(codes: &'static [&'static str], what: &'static str, next: &'static str) -> Meaning {
    Meaning { codes, what, next, person: false }
}

const fn person(codes: &'static [&'static str], what: &'static str, next: &'static str) -> Meaning {
    Meaning { codes, what, next, person: true }
}

/// The rows, as they stand in the documents: apps, federated credentials, on-behalf-of, tenants and resources, users.
pub(super) const MEANINGS: &[Meaning] = &[
    failed(
        &["AADSTS7000215", "AADSTS70002"],
        "the client secret is wrong",
        "use the secret's value, not its id, of an app registration of this client id and tenant",
    ),
    failed(
        &["AADSTS7000222"],
        "the client secret has expired",
        "create a new secret in the Azure portal under Certificates & secrets",
    ),
    failed(
        &["AADSTS7000218"],
        "the app has to prove that it is the client, with a secret, a certificate or an assertion",
        "use a credential with a secret or a certificate; or, for a program on somebody's computer, allow public client \
         flows in the Azure portal under Authentication",
    ),
    failed(
        &["AADSTS700025"],
        "the app is a public client, which proves itself with nothing",
        "leave out the secret, certificate or assertion, or register the redirect URI for the platform Web",
    ),
    failed(
        &["AADSTS700016", "AADSTS700011", "AADSTS70001"],
        "the tenant has no app with this client id",
        "check the client id, and that it belongs to this tenant",
    ),
    failed(&["AADSTS7000112"], "the app is disabled", "enable it in the Azure portal under Enterprise applications"),
    failed(
        &["AADSTS700027"],
        "the signature of the client assertion does not fit the app's certificates",
        "upload this certificate to the app registration under Certificates & secrets, or use the one that is there",
    ),
    failed(
        &["AADSTS700030"],
        "the subject name of the certificate is not one that the app trusts",
        "send the certificate chain, and check the names that the app registration trusts",
    ),
    failed(
        &["AADSTS700024"],
        "the assertion is expired or not valid yet",
        "check this machine's clock, and that the assertion is made or read anew for each exchange",
    ),
    failed(
        &["AADSTS50012"],
        "the client assertion was refused: its certificate is not valid or not trusted",
        "check the certificate in the app registration under Certificates & secrets, its dates and its chain",
    ),
    failed(
        &["AADSTS100007"],
        "the regional endpoint of Microsoft Entra does not serve this app",
        "unset AZURE_REGIONAL_AUTHORITY_NAME: it is for managed identities and for Microsoft's own services",
    ),
    failed(
        &["AADSTS70021", "AADSTS700021", "AADSTS700211", "AADSTS700212", "AADSTS700213"],
        "the app has no federated credential for the issuer, subject and audience of this assertion",
        "compare the app's federated credentials with iss, sub and aud of the assertion, letter by letter; a new one takes \
         a few minutes to be known everywhere",
    ),
    failed(
        &["AADSTS700229"],
        "the token of a user cannot be the assertion of an app",
        "use the token of an app or of a managed identity as the assertion",
    ),
    failed(
        &["AADSTS50013"],
        "the assertion was refused: its issuer, audience, signature or time is not right",
        "pass an access token that was issued for this app (aud is its client id or application ID URI) and has not expired",
    ),
    failed(
        &["AADSTS500133"],
        "the user's assertion has expired or is not valid yet",
        "have the caller get a new token for this app, and pass that on",
    ),
    failed(
        &["AADSTS7000114"],
        "the app may not act on behalf of others, or was given the token of an app in place of a user's",
        "pass the token of a signed-in user; an app that calls for itself uses its own credential",
    ),
    failed(
        &["AADSTS90002"],
        "there is no such tenant in this cloud",
        "check the tenant id, and the authority if the tenant is in a sovereign cloud",
    ),
    failed(&["AADSTS900023"], "the tenant id is malformed", "use a GUID or a domain name"),
    failed(
        &["AADSTS90038", "AADSTS900382", "AADSTS900432"],
        "the tenant is in another cloud",
        "set the authority of the tenant's cloud, for example with AZURE_AUTHORITY_HOST",
    ),
    failed(
        &["AADSTS50194", "AADSTS9001023", "AADSTS90124", "AADSTS90130"],
        "the app cannot be used at /common or /organizations",
        "name the tenant, or make the app multitenant",
    ),
    failed(
        &["AADSTS50059", "AADSTS50128", "AADSTS90019"],
        "Microsoft Entra cannot tell which tenant is meant",
        "name the tenant by its GUID or a domain",
    ),
    failed(
        &["AADSTS500011", "AADSTS500014", "AADSTS50001", "AADSTS650052", "AADSTS650054"],
        "the tenant does not know the resource of this scope",
        "check the scope for typing errors, and that the resource is set up in this tenant",
    ),
    failed(
        &["AADSTS70011", "AADSTS1002012", "AADSTS28002", "AADSTS700022", "invalid_scope"],
        "the scope is not valid",
        "an app that signs in by itself asks for RESOURCE/.default; a user for scopes of one resource at a time",
    ),
    failed(
        &["AADSTS65002", "AADSTS650057", "AADSTS65005", "AADSTS650056"],
        "the app's registration does not list this resource among its permissions",
        "add the permission in the Azure portal under API permissions; a client id of Microsoft's cannot be used for it",
    ),
    failed(
        &["AADSTS501051", "AADSTS50105"],
        "the app requires an assignment, and this user or app has none",
        "assign it in the Azure portal under Enterprise applications, Users and groups",
    ),
    failed(
        &["AADSTS53003", "AADSTS530032", "AADSTS530034", "AADSTS530035", "AADSTS53011", "AADSTS50131"],
        "a conditional access policy blocks this sign-in",
        "ask the tenant's administrator which policy applies to this app",
    ),
    failed(
        &["AADSTS53000", "AADSTS53001", "AADSTS50005", "AADSTS50097", "AADSTS50129"],
        "a conditional access policy wants a device that the organization manages",
        "sign in on such a device, with InteractiveBrowserCredential rather than a device code",
    ),
    failed(
        &["AADSTS50126", "AADSTS50056", "AADSTS50064"],
        "the user name or the password is wrong",
        "check both; an account that is federated, personal or a guest cannot sign in with a password this way",
    ),
    failed(
        &["AADSTS50034", "AADSTS50020", "AADSTS51004", "AADSTS90072", "AADSTS16003"],
        "the tenant does not know this user",
        "check the tenant; a user of another tenant must be invited as a guest first",
    ),
    failed(
        &["AADSTS50053"],
        "the account is locked after too many attempts, or the address they came from is blocked",
        "wait, or ask the tenant's administrator to unblock the user",
    ),
    failed(&["AADSTS50057"], "the account is disabled", "ask the tenant's administrator to enable it"),
    failed(
        &["AADSTS50011", "AADSTS70004", "AADSTS900971"],
        "the redirect URI is not registered for this app",
        "add it in the Azure portal under Authentication; for http://localhost under Mobile and desktop applications",
    ),
    failed(
        &["AADSTS501481", "AADSTS50147", "AADSTS501491"],
        "the PKCE verifier does not fit the challenge",
        "redeem the code with the verifier whose challenge went to the authorization endpoint",
    ),
    failed(
        &["AADSTS50196"],
        "Microsoft Entra sees a loop: the app has asked for the same token too often",
        "keep one credential object and let it cache its tokens",
    ),
    person(
        &["AADSTS50076", "AADSTS50074", "AADSTS50158"],
        "the user must pass multifactor authentication",
        "have the user sign in interactively, with InteractiveBrowserCredential or DeviceCodeCredential",
    ),
    person(
        &["AADSTS50078"],
        "the user's multifactor authentication has expired",
        "have the user sign in again, interactively",
    ),
    person(
        &["AADSTS50079", "AADSTS50072", "AADSTS53004", "AADSTS50125"],
        "the user must register for multifactor authentication",
        "have the user sign in at https://aka.ms/mfasetup, then again here",
    ),
    person(
        &["AADSTS65001", "AADSTS90008", "consent_required"],
        "nobody has consented to the app's use of this resource",
        "have the user sign in interactively and consent, or an administrator grant consent under API permissions",
    ),
    person(
        &["AADSTS90094", "AADSTS90095"],
        "an administrator must consent to the app's use of this resource",
        "have an administrator grant consent in the Azure portal under API permissions",
    ),
    person(
        &["AADSTS65004", "authorization_declined"],
        "the sign-in or the consent was declined",
        "sign in again, and accept",
    ),
    person(&["AADSTS50058", "login_required"], "the user is not signed in", "have the user sign in, interactively"),
    person(
        &["AADSTS16000", "AADSTS16001", "AADSTS16002"],
        "the user must choose another account",
        "have the user sign in again, and pick the account of this tenant",
    ),
    person(
        &["AADSTS50055", "AADSTS50144", "AADSTS50135"],
        "the user's password has expired or must be changed",
        "have the user change it, by signing in interactively",
    ),
    person(
        &["AADSTS50173", "AADSTS50132", "AADSTS50133", "AADSTS50089"],
        "the user's session was revoked, or ended with a change of the password",
        "have the user sign in again",
    ),
    person(
        &["AADSTS70008", "AADSTS700082", "AADSTS700084", "AADSTS70043", "AADSTS70000"],
        "what was kept of an earlier sign-in is no longer valid",
        "have the user sign in again",
    ),
    person(
        &["AADSTS54005"],
        "the authorization code has been redeemed already",
        "send the user to the authorization endpoint for a new code, and redeem each code once",
    ),
    person(
        &["AADSTS70019", "AADSTS70020", "expired_token"],
        "the device code has expired before anybody entered it",
        "ask again: a new code is shown",
    ),
    person(
        &["AADSTS700020", "interaction_required"],
        "Microsoft Entra wants to talk to the user",
        "have the user sign in interactively",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fmt::Write as _;

    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/entra-errors.md");
    const BEGIN: &str = "<!-- Written from entra/error_codes.rs; to write it anew: ENTRADA_BLESS=1 cargo test -p entrada --lib error_codes -->\n";
    const END: &str = "<!-- end -->";

    #[test]
    fn every_code_is_there_once() {
        let all: Vec<_> = MEANINGS.iter().flat_map(|row| row.codes).collect();
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert!(MEANINGS.iter().all(|row| !row.what.is_empty() && !row.next.is_empty()));
        for code in all {
            let digits = code.strip_prefix("AADSTS").unwrap_or("0");
            assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
    }

    #[test]
    fn the_code_says_more_than_the_error() {
        assert_eq!(meaning("interaction_required", Some("AADSTS50076")).map(|row| row.codes[0]), Some("AADSTS50076"));
        assert_eq!(meaning("consent_required", Some("AADSTS1")).map(|row| row.codes[0]), Some("AADSTS65001"));
        assert!(meaning("invalid_grant", Some("AADSTS1")).is_none());
    }

    #[test]
    fn the_document_has_the_table() {
        let mut table = "\n| code | means | what to do | a person must act |\n|---|---|---|---|\n".to_owned();
        for row in MEANINGS {
            let codes: Vec<_> = row.codes.iter().map(|code| format!("`{code}`")).collect();
            let person = if row.person { "yes" } else { "" };
            let _ = writeln!(table, "| {} | {} | {} | {person} |", codes.join(", "), row.what, row.next);
        }
        table.push('\n');
        let page = std::fs::read_to_string(PAGE).expect("the page");
        let (before, rest) = page.split_once(BEGIN).expect("the page has a place for the table");
        let (_, after) = rest.split_once(END).expect("the place has an end");
        let wanted = format!("{before}{BEGIN}{table}{END}{after}");
        if page != wanted && std::env::var_os("ENTRADA_BLESS").is_some() {
            std::fs::write(PAGE, wanted).expect("written");
            return;
        }
        assert!(page == wanted, "docs/entra-errors.md is out of date; write it anew with ENTRADA_BLESS=1");
    }
}
