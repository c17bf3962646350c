//! Sealing what several processes of one user share: AES-256-GCM under a key that is derived from what they all know.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// Changes with the form of what is sealed, so that releases that differ in it do not meet.
const FORM: &[u8; 8] = b"entrada1";
const SALT_LEN: usize = 16;

/// Seals and opens.
pub(super) struct Seal {
    known: Zeroizing<Vec<u8>>,
}

impl Seal {
    /// A seal for those who know all of `parts`.
    pub(super) fn new(parts: &[&[u8]]) -> Self {
        let mut known = Zeroizing::new(Vec::new());
        for part in parts {
            // Length first, so that no two lists run together into the same bytes.
            known.extend((part.len() as u64).to_le_bytes());
            known.extend_from_slice(part);
        }
        Self { known }
    }

    /// `None` where the system gives no randomness.
    pub(super) fn close(&self, open: &[u8]) -> Option<Vec<u8>> {
        let mut sealed = FORM.to_vec();
        let (mut salt, mut nonce) = ([0; SALT_LEN], [0; NONCE_LEN]);
        let random = SystemRandom::new();
        random.fill(&mut salt).and_then(|()| random.fill(&mut nonce)).ok()?;
        let mut body = open.to_vec();
        let key = self.key(&salt)?;
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(FORM), &mut body).ok()?;
        sealed.extend_from_slice(&salt);
        sealed.extend_from_slice(&nonce);
        sealed.append(&mut body);
        Some(sealed)
    }

    /// What was sealed; `None` where it was sealed by somebody else, or was changed since.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let rest = sealed.strip_prefix(FORM)?;
        let (salt, rest) = rest.split_at_checked(SALT_LEN)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self.key(salt)?.open_in_place(nonce, Aad::from(FORM), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }

    fn key(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let derived = Salt::new(HKDF_SHA256, salt).extract(&self.known);
        let key: UnboundKey = derived.expand(&[FORM], &AES_256_GCM).ok()?.into();
        Some(LessSafeKey::new(key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_those_who_know_the_same_can_open() {
        let seal = Seal::new(&[b"boot", b"1000", b"header"]);
        let sealed = seal.close(b"token").expect("sealed");
        assert!(!sealed.windows(5).any(|window| window == b"token"));
        assert_eq!(seal.open(&sealed).expect("opened").as_slice(), b"token");
        assert_ne!(sealed, seal.close(b"token").expect("sealed"), "never twice the same");
        for other in [&[&b"boot2"[..], b"1000", b"header"][..], &[b"boot1", b"000", b"header"], &[b"boot", b"1000"]] {
            assert!(Seal::new(other).open(&sealed).is_none());
        }
    }

    proptest! {
        #[test]
        fn nothing_that_was_changed_opens(position in 0usize..200, bit in 0u8..8) {
            let seal = Seal::new(&[b"k"]);
            let mut sealed = seal.close(&[7; 100]).expect("sealed");
            let position = position % sealed.len();
            sealed[position] ^= 1 << bit;
            prop_assert!(seal.open(&sealed).is_none());
        }

        #[test]
        fn rubbish_does_not_open(rubbish in proptest::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(Seal::new(&[b"k"]).open(&rubbish).is_none());
            let begun: Vec<u8> = FORM.iter().copied().chain(rubbish).collect();
            prop_assert!(Seal::new(&[b"k"]).open(&begun).is_none());
        }
    }
}
