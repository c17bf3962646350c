//! Where tokens are handed out beside the hosts that every client knows: regions of Entra, AD FS, and authorities under
//! names of one's own, such as Azure Stack Hub has.

mod ad_fs;
mod ad_fs_client;

use crate::call::{Call, Reply};
use crate::cloud::{CLOUDS, Names};
use crate::config::{AuthorityEntry, AuthorityKind, Config};
use crate::entra;
use crate::state::State;
use crate::tokens::SigningKey;
use url::Url;

/// Hosts below `login.microsoft.com` that are no region.
const NOT_REGIONS: [&str; 2] = ["device", "www"];

/// The authority of the world that answers on a host and a port, by its place in the configuration.
pub(crate) fn at(config: &Config, host: &str, port: u16) -> Option<usize> {
    config.authorities.iter().position(|entry| {
        parsed(entry).is_some_and(|url| url.host_str() == Some(host) && url.port_or_known_default() == Some(port))
    })
}

/// Which port the authority with a host name is on, if there is one.
pub(crate) fn port_of(config: &Config, host: &str) -> Option<u16> {
    let mut urls = config.authorities.iter().filter_map(parsed);
    urls.find(|url| url.host_str() == Some(host))?.port_or_known_default()
}

/// Whether instance discovery vouches for a host and a port.
pub(crate) fn is_vouched_for(config: &Config, host: &str, port: u16) -> bool {
    at(config, host, port).and_then(|index| config.authorities.get(index)).is_some_and(|entry| entry.vouched_for)
}

fn parsed(entry: &AuthorityEntry) -> Option<Url> {
    Url::parse(&entry.url).ok()
}

/// Says what is wrong with an entry, if anything.
pub(crate) fn check(entry: &AuthorityEntry) -> Result<(), String> {
    let url = parsed(entry).filter(|url| url.scheme() == "https" && url.has_host() && url.username().is_empty());
    let Some(url) = url.filter(|url| url.query().is_none() && url.fragment().is_none()) else {
        return Err(format!("the authority `{}` is not a URL like https://HOST:PORT/PATH", entry.url));
    };
    let is_ad_fs = path(&url).rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case("adfs"));
    if (entry.kind == AuthorityKind::AdFs) != is_ad_fs {
        return Err(format!("the authority `{}`: the path of AD FS, and of no other, ends with /adfs", entry.url));
    }
    Ok(())
}

fn path(url: &Url) -> &str {
    url.path().trim_end_matches('/')
}

/// Answers a request to an authority of the world.
pub(crate) fn answer(state: &State, key: &SigningKey, index: usize, call: &Call) -> Reply {
    let found = state.directory.config.authorities.get(index).and_then(|entry| Some((entry, parsed(entry)?)));
    let Some((entry, url)) = found else { return Reply::new(404) };
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let origin = format!("{}{port}", call.host);
    let below = call.path.get(..path(&url).len()).filter(|start| start.eq_ignore_ascii_case(path(&url)));
    let rest = &call.path[below.unwrap_or_default().len()..];
    match entry.kind {
        AuthorityKind::AdFs if below.is_some() => ad_fs::answer(state, key, &origin, path(&url), rest, call),
        AuthorityKind::AdFs => Reply::text(404, "").note(format!("AD FS answers below {}", path(&url))),
        AuthorityKind::Entra => {
            // MSAL takes the first part of the path for the tenant, so what is in front of it may be left out.
            let base = format!("{origin}{}", below.unwrap_or_default());
            let call = Call { path: rest.to_owned(), base: Some(base), ..call.clone() };
            entra::answer(state, key, entry.cloud.names(), &call)
        }
    }
}

/// The cloud and the name of the region that a host of Entra is of, such as `westeurope.login.microsoft.com`.
pub(crate) fn region(host: &str) -> Option<(&'static Names, &str)> {
    let (region, rest) = host.split_once('.')?;
    let names = CLOUDS.iter().find(|names| match names.cloud {
        crate::cloud::Cloud::Public => rest == "login.microsoft.com",
        _ => names.aliases.contains(&rest),
    })?;
    let well_formed = region.starts_with(|first: char| first.is_ascii_lowercase())
        && region.len() <= 63
        && !region.ends_with('-')
        && region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    (well_formed && !NOT_REGIONS.contains(&region)).then_some((names, region))
}

#[cfg(test)]
mod tests {
    use super::{check, region};
    use crate::config::{AuthorityEntry, AuthorityKind};

    #[test]
    fn regions_are_below_the_hosts_that_have_some() {
        let name = |host: &str| region(host).map(|(names, region)| (names.authority, region.to_owned()));
        assert_eq!(name("westeurope.login.microsoft.com"), Some(("login.microsoftonline.com", "westeurope".into())));
        assert_eq!(
            name("usgovvirginia.login.microsoftonline.us"),
            Some(("login.microsoftonline.us", "usgovvirginia".into()))
        );
        for host in [
            "login.microsoft.com",
            "device.login.microsoft.com",
            "westeurope.login.microsoftonline.com",
            "West.login.microsoft.com",
            "a.b.login.microsoft.com",
            "-a.login.microsoft.com",
        ] {
            assert_eq!(name(host), None, "{host}");
        }
    }

    #[test]
    fn an_authority_is_an_address() {
        let entry = |url: &str, kind| AuthorityEntry { url: url.into(), kind, ..AuthorityEntry::default() };
        assert!(check(&entry("https://fs.example/adfs", AuthorityKind::AdFs)).is_ok());
        assert!(check(&entry("https://login.example:3001/sts", AuthorityKind::Entra)).is_ok());
        for bad in [
            entry("http://login.example", AuthorityKind::Entra),
            entry("login.example", AuthorityKind::Entra),
            entry("https://login.example?x", AuthorityKind::Entra),
            entry("https://fs.example/adfs", AuthorityKind::Entra),
            entry("https://fs.example/", AuthorityKind::AdFs),
        ] {
            assert!(check(&bad).is_err(), "{bad:?}");
        }
    }
}
