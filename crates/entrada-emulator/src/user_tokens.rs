//! Tokens that speak of a user: access tokens for what an app may do in the user's name, and id tokens.

use crate::clock;
use crate::config::Tenant;
use crate::directory::Directory;
use crate::entra::claims_request::ClaimsRequest;
use crate::people::Person;
use crate::resources::Audience;
use crate::tokens::{self, ClientProof, Issued, SigningKey, random_text};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Lifetime of a user's token in seconds, for a client that can take a claims challenge: its resources revoke it
/// (<https://learn.microsoft.com/entra/identity/conditional-access/concept-continuous-access-evaluation>).
pub(crate) const CAE_LIFETIME: i64 = 86_399;

/// Lifetime of an id token, in seconds.
const ID_LIFETIME: i64 = 3_600;

/// How and when a user signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignIn {
    /// What was shown (RFC 8176): `pwd`, `mfa`.
    pub(crate) methods: Vec<String>,
    /// Seconds since 1970, UTC.
    pub(crate) time: i64,
    /// Id of the session.
    pub(crate) session: String,
    /// Place in the order of all that happens in a run: a revocation ends what came before it.
    pub(crate) order: u64,
}

impl SignIn {
    pub(crate) fn has_mfa(&self) -> bool {
        self.methods.iter().any(|method| method == "mfa")
    }
}

/// What an access token for a user is to say.
pub(crate) struct Wanted<'a> {
    pub(crate) person: &'a Person,
    pub(crate) client_id: &'a str,
    pub(crate) proof: ClientProof,
    pub(crate) audience: &'a Audience,
    /// Permissions, the claim `scp`.
    pub(crate) scopes: &'a [String],
    pub(crate) sign_in: &'a SignIn,
    /// What the client asked for with `claims`.
    pub(crate) claims: &'a ClaimsRequest,
    /// Seconds; may be negative.
    pub(crate) lifetime: i64,
}

/// Issues an access token.
pub(crate) fn issue(key: &SigningKey, directory: &Directory, wanted: &Wanted<'_>) -> Option<Issued> {
    let Wanted { person, audience, sign_in, .. } = wanted;
    let tenant = directory.tenant(&person.tenant)?;
    let (mut claims, not_before, expires_on) =
        tokens::claims(tenant, &person.object_id, wanted.client_id, audience, wanted.proof, wanted.lifetime);
    add_person(&mut claims, directory, person, tenant, audience.version);
    claims["aio"] = order_text(sign_in).into();
    claims["sub"] = pairwise(&person.object_id, &audience.value).into();
    claims["scp"] = wanted.scopes.join(" ").into();
    claims["sid"] = sign_in.session.as_str().into();
    if audience.version == 1 {
        claims["acct"] = u8::from(person.is_guest()).into();
        claims["acr"] = "1".into();
        claims["amr"] = json!(sign_in.methods);
        claims["ipaddr"] = "127.0.0.1".into();
    }
    wanted.claims.add_to(&mut claims);
    let token = key.sign(&claims, audience.version)?;
    Some(Issued { token, not_before, expires_on })
}

/// Issues an id token for a client (OpenID Connect Core 1.0, section 2), from a v1 or a v2 endpoint.
pub(crate) fn issue_id_token(
    key: &SigningKey,
    directory: &Directory,
    person: &Person,
    client_id: &str,
    sign_in: &SignIn,
    nonce: Option<&str>,
    version: u8,
) -> Option<String> {
    let tenant = directory.tenant(&person.tenant)?;
    let names = tenant.cloud.names();
    let now = clock::now() - 300;
    let mut claims = json!({
        "aud": client_id,
        "iss": format!("https://{}/{}/v2.0", names.authority, tenant.id),
        "iat": now,
        "nbf": now,
        "exp": clock::now() + ID_LIFETIME,
        "aio": random_text(),
        "auth_time": sign_in.time,
        "login_hint": login_hint(person),
        "oid": person.object_id,
        "rh": format!("1.{}.", random_text()),
        "sid": sign_in.session,
        "sub": pairwise(&person.object_id, client_id),
        "tid": tenant.id,
        "uti": random_text(),
        "ver": "2.0",
    });
    if version == 1 {
        claims["iss"] = format!("https://{}/{}/", names.v1_issuer, tenant.id).into();
        claims["ver"] = "1.0".into();
        claims["amr"] = json!(sign_in.methods);
    }
    add_person(&mut claims, directory, person, tenant, version);
    if let Some(nonce) = nonce {
        claims["nonce"] = nonce.into();
    }
    key.sign(&claims, version)
}

fn add_person(claims: &mut Value, directory: &Directory, person: &Person, tenant: &Tenant, version: u8) {
    claims["name"] = person.display_name.as_str().into();
    if version == 1 {
        claims["unique_name"] = person.name.as_str().into();
        claims["upn"] = person.principal_name(tenant).into();
    } else {
        claims["preferred_username"] = person.name.as_str().into();
    }
    if person.is_guest()
        && let Some(home) = directory.tenant(&person.home_tenant)
    {
        claims["idp"] = format!("https://{}/{}/", home.cloud.names().v1_issuer, home.id).into();
    }
}

/// The claim `sub` of a user: another one for each recipient.
fn pairwise(object_id: &str, recipient: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!("{object_id} {recipient}")))
}

/// What a client may send as `login_hint` to name the account without its address.
pub(crate) fn login_hint(person: &Person) -> String {
    format!("O.{}", URL_SAFE_NO_PAD.encode(person.home_object_id.as_bytes()))
}

/// The object id at home that a login hint of ours stands for.
pub(crate) fn object_id_of_hint(hint: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(hint.strip_prefix("O.")?).ok()?).ok()
}

/// The claim `aio`, which only Entra reads: here it says when the user signed in, and whether with a second proof.
fn order_text(sign_in: &SignIn) -> String {
    let mut bytes = sign_in.order.to_be_bytes().to_vec();
    bytes.push(u8::from(sign_in.has_mfa()));
    bytes.extend_from_slice(&uuid::Uuid::new_v4().as_bytes()[..8]);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// When the user of a token signed in, from its claims: the order of their sign-in. None for other tokens.
pub(crate) fn order_of(claims: &Value) -> Option<u64> {
    sign_in_of(claims).map(|sign_in| sign_in.order)
}

/// How the user of an access token signed in, from its claims. None for other tokens.
pub(crate) fn sign_in_of(claims: &Value) -> Option<SignIn> {
    claims.get("scp")?;
    let bytes = URL_SAFE_NO_PAD.decode(claims["aio"].as_str()?).ok()?;
    // A token that no sign-in led to, such as Cloud Shell's, has a text without meaning there and no session.
    let session = claims["sid"].as_str()?.to_owned();
    let order = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let mut methods = vec!["pwd".to_owned()];
    if bytes.get(8) == Some(&1) {
        methods.push("mfa".to_owned());
    }
    Some(SignIn { methods, time: claims["iat"].as_i64().unwrap_or_default(), session, order })
}

#[cfg(test)]
mod tests {
    use super::{SignIn, Wanted, issue, issue_id_token, object_id_of_hint, order_of};
    use crate::config::Config;
    use crate::directory::Directory;
    use crate::entra::claims_request::ClaimsRequest;
    use crate::jwt::Jwt;
    use crate::people::Person;
    use crate::resources;
    use crate::tokens::{ClientProof, SigningKey};
    use crate::world;

    #[test]
    fn a_guests_token_names_both_tenants() {
        let directory = Directory::new(Config::default());
        let key = SigningKey::generate().expect("key");
        let tenant = directory.tenant(world::FABRIKAM_TENANT_ID).expect("tenant");
        let person = Person::of(directory.account(world::USER_NAME).expect("ada"), tenant).expect("a guest");
        let audience = resources::audience(&directory, tenant, "https://vault.azure.net").expect("audience");
        let sign_in = SignIn { methods: vec!["pwd".into()], time: 1, session: "s".into(), order: 7 };
        let wanted = Wanted {
            person: &person,
            client_id: world::CLI_CLIENT_ID,
            proof: ClientProof::None,
            audience: &audience,
            scopes: &["user_impersonation".to_owned()],
            sign_in: &sign_in,
            claims: &ClaimsRequest { takes_challenges: true, contexts: vec!["c1".into()], ..ClaimsRequest::default() },
            lifetime: 60,
        };
        let token = issue(&key, &directory, &wanted).expect("issued");
        let claims = Jwt::read(&token.token).expect("a JWT").claims;
        for (name, value) in [
            ("tid", world::FABRIKAM_TENANT_ID),
            ("oid", world::GUEST_OBJECT_ID),
            ("scp", "user_impersonation"),
            ("appidacr", "0"),
            ("unique_name", world::USER_NAME),
            ("idp", &format!("https://sts.windows.net/{}/", world::TENANT_ID)),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        assert!(claims.get("idtyp").is_none(), "it is not an app's");
        assert_eq!((&claims["xms_cc"][0], &claims["acrs"][0]), (&"CP1".into(), &"c1".into()));
        assert_eq!(order_of(&claims), Some(7));

        let id =
            issue_id_token(&key, &directory, &person, world::CLI_CLIENT_ID, &sign_in, Some("n"), 2).expect("issued");
        let id = Jwt::read(&id).expect("a JWT").claims;
        assert_eq!((&id["aud"], &id["nonce"]), (&world::CLI_CLIENT_ID.into(), &"n".into()));
        assert_ne!(id["sub"], claims["sub"], "pairwise");
        let hint = id["login_hint"].as_str().expect("a hint");
        assert_eq!(object_id_of_hint(hint).as_deref(), Some(world::USER_OBJECT_ID));
    }
}
