//! What tells one cached token from another.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::token::TokenRequest;

/// Who asks: a digest of the kind of credential and of everything that decides whose token it gets (authority, tenant,
/// client, managed identity, account, and the secret itself, so that a changed one is never answered from what the old
/// one fetched).
///
/// Two credential objects with equal principals share cached tokens and flights; two that differ in anything do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Principal([u8; 32]);

impl Principal {
    /// `kind` names the credential; `parts` are what it was constructed with, in a fixed order.
    pub(crate) fn new(kind: &str, parts: &[Option<&str>]) -> Self {
        let mut digest = Sha256::new();
        for part in std::iter::once(&Some(kind)).chain(parts) {
            // Length first, so that no two lists of parts run together into the same bytes; absent differs from empty.
            match part {
                Some(text) => {
                    digest.update([1]);
                    digest.update((text.len() as u64).to_le_bytes());
                    digest.update(text.as_bytes());
                }
                None => digest.update([0]),
            }
        }
        Self(digest.finalize().into())
    }

    /// One of many whom this one asks for: `part` sets them apart.
    pub(crate) fn with(&self, part: &str) -> Self {
        let mut digest = Sha256::new();
        // What no list of parts begins with.
        digest.update([2]);
        digest.update(self.0);
        digest.update(part.as_bytes());
        Self(digest.finalize().into())
    }
}

/// The digest in hexadecimal digits, for what has to be text.
impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What is asked for: the tenant, the set of scopes, and whether the caller handles continuous access evaluation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Subject {
    /// In order, one a line, in one piece: a hit among many waits for memory once, not for each. No scope holds a line end,
    /// or any other white space. Shared, for keys are cloned.
    scopes: Arc<str>,
    tenant_id: Option<String>,
    enable_cae: bool,
}

impl Subject {
    pub(crate) fn new(request: &TokenRequest) -> Self {
        let mut scopes = request.scopes.clone();
        scopes.sort_unstable();
        scopes.dedup();
        Self { scopes: scopes.join("\n").into(), tenant_id: request.tenant_id.clone(), enable_cae: request.enable_cae }
    }

    fn size(&self) -> usize {
        self.scopes.len() + self.tenant_id.as_ref().map_or(0, String::len)
    }
}

/// Who and what.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    principal: Principal,
    subject: Subject,
}

impl Key {
    pub(crate) fn new(principal: Principal, request: &TokenRequest) -> Self {
        Self { principal, subject: Subject::new(request) }
    }

    /// A digest of all of it, the same in every process.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let Subject { scopes, tenant_id, enable_cae } = &self.subject;
        let parts = [Some(&**scopes), tenant_id.as_deref(), enable_cae.then_some("CAE")];
        let subject = Principal::new("subject", &parts);
        let mut digest = Sha256::new();
        digest.update(self.principal.0);
        digest.update(subject.0);
        digest.finalize().into()
    }

    /// Roughly how many bytes the key takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.subject.size()
    }
}

/// A key of one scope that is only looked for, in its caller's own words.
///
/// It hashes as the key does: the same fields in the same order.
#[derive(Clone, Copy, Hash)]
pub(crate) struct Sought<'a> {
    pub(crate) principal: Principal,
    pub(crate) scope: &'a str,
    pub(crate) tenant_id: Option<&'a str>,
    pub(crate) enable_cae: bool,
}

impl PartialEq<Key> for Sought<'_> {
    fn eq(&self, key: &Key) -> bool {
        let Subject { scopes, tenant_id, enable_cae } = &key.subject;
        self.principal == key.principal
            && self.scope == &**scopes
            && self.tenant_id == tenant_id.as_deref()
            && self.enable_cae == *enable_cae
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_order_of_scopes_does_not_matter() {
        let one = Subject::new(&TokenRequest::new(["a", "b"]));
        let two = Subject::new(&TokenRequest::new(["b", "a", "a"]));
        assert!(one == two);
    }

    #[test]
    fn tenant_and_cae_do() {
        let plain = TokenRequest::new(["a"]);
        let mut tenant = plain.clone();
        tenant.tenant_id = Some("t".into());
        let mut cae = plain.clone();
        cae.enable_cae = true;
        assert!(Subject::new(&plain) != Subject::new(&tenant));
        assert!(Subject::new(&plain) != Subject::new(&cae));
    }

    proptest! {
        #[test]
        fn parts_never_run_together(
            one in proptest::collection::vec(proptest::option::of("[ab]{0,3}"), 0..4),
            two in proptest::collection::vec(proptest::option::of("[ab]{0,3}"), 0..4),
        ) {
            let principal = |parts: &[Option<String>]| {
                Principal::new("k", &parts.iter().map(Option::as_deref).collect::<Vec<_>>())
            };
            prop_assert_eq!(principal(&one) == principal(&two), one == two);
            prop_assert_ne!(principal(&one), principal(&one).with(""));
            prop_assert_ne!(principal(&one).with("a").with("b"), principal(&one).with("ab"));
        }
    }
}
