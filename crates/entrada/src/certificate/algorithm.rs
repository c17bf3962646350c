//! The algorithms that assertions are signed with.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// How a client assertion is signed: an algorithm of RFC 7518, section 3.
///
/// A certificate with an RSA key signs with [`Ps256`](Self::Ps256), as Microsoft Entra recommends; at AD FS, which takes
/// nothing else, with [`Rs256`](Self::Rs256). One with an EC key signs with the algorithm of its curve. Entra's
/// documents name RSA keys only, and it may refuse an assertion of an EC key; other authorities may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// RSASSA-PSS with SHA-256. The certificate is named by its SHA-256 thumbprint (`x5t#S256`).
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256. The certificate is named by its SHA-1 thumbprint (`x5t`), which is what servers
    /// that need this algorithm look for.
    Rs256,
    /// ECDSA with the curve P-256 and SHA-256. The certificate is named by its SHA-256 thumbprint (`x5t#S256`).
    Es256,
    /// ECDSA with the curve P-384 and SHA-384. The certificate is named by its SHA-256 thumbprint (`x5t#S256`).
    Es384,
}

impl SignatureAlgorithm {
    /// Its name in a JWT, for example `PS256`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ps256 => "PS256",
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
        }
    }

    /// Whether the key is an RSA one.
    pub(super) fn is_rsa(self) -> bool {
        matches!(self, Self::Ps256 | Self::Rs256)
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SignatureAlgorithm {
    type Err = Error;

    /// The algorithm of a name that [`as_str`](Self::as_str) returns, in any case.
    fn from_str(name: &str) -> Result<Self, Error> {
        [Self::Ps256, Self::Rs256, Self::Es256, Self::Es384]
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
            .ok_or_else(|| {
                Error::invalid_argument(format!("{name:?} is not an algorithm that assertions are signed with"))
                    .next("use PS256, RS256, ES256 or ES384")
            })
    }
}
