//! Keys: the private one an app signs with, and the public one in its certificate.

use std::fmt;

use pkcs8::PrivateKeyInfoRef;
use pkcs8::der::asn1::{AnyRef, UintRef};
use pkcs8::der::{Decode, Reader};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RSA_PSS_2048_8192_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use sec1::EcPrivateKey;
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;
use zeroize::Zeroizing;

use super::SignatureAlgorithm;
use super::problem::Problem;

const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";
const NEW_KEY: &str = "use a key of RSA with 2048 to 4096 bits, or of EC with the curve P-256 or P-384";
const SMALLEST: usize = 2048;
/// What the signing library takes.
const LARGEST: usize = 4096;

/// The curves that a key may be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
}

impl Curve {
    fn of(oid: &str) -> Result<Self, Problem> {
        let name = match oid {
            "1.2.840.10045.3.1.7" => return Ok(Self::P256),
            "1.3.132.0.34" => return Ok(Self::P384),
            "1.3.132.0.35" => "P-521",
            "1.3.132.0.33" => "P-224",
            "1.3.132.0.10" => "secp256k1",
            other => other,
        };
        Err(Problem::new(format!("its EC key is on the curve {name}, which is not supported"), NEW_KEY))
    }

    fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
            Self::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        }
    }

    /// How many bytes a private key has.
    fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }

    fn algorithm(self) -> SignatureAlgorithm {
        match self {
            Self::P256 => SignatureAlgorithm::Es256,
            Self::P384 => SignatureAlgorithm::Es384,
        }
    }
}

fn unsupported(oid: &str) -> Problem {
    let name = match oid {
        "1.2.840.113549.1.1.10" => "RSA for RSASSA-PSS only",
        "1.2.840.10040.4.1" => "DSA",
        "1.3.101.112" => "Ed25519",
        "1.3.101.113" => "Ed448",
        other => other,
    };
    Problem::new(format!("its key is of the kind {name}, which is not supported"), NEW_KEY)
}

fn wrong_size(bits: usize) -> Result<(), Problem> {
    let why = match bits {
        ..SMALLEST => "which is too short to be safe",
        SMALLEST..=LARGEST => return Ok(()),
        _ => "which is longer than is supported",
    };
    Err(Problem::new(format!("its RSA key has {bits} bits, {why}"), NEW_KEY))
}

/// A certificate's key.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// As `RSAPublicKey` of RFC 8017, appendix A.1.1.
    Rsa(Vec<u8>),
    /// The point, uncompressed.
    Ec(Curve, Vec<u8>),
}

impl PublicKey {
    pub(super) fn of(info: &SubjectPublicKeyInfo<'_>) -> Result<Self, Problem> {
        let data = info.subject_public_key.data.to_vec();
        match (info.algorithm.algorithm.to_id_string().as_str(), info.parsed()) {
            (RSA, Ok(Parsed::RSA(key))) => {
                wrong_size(key.key_size())?;
                Ok(Self::Rsa(data))
            }
            (EC, Ok(Parsed::EC(_))) => {
                let curve = info.algorithm.parameters.as_ref().and_then(|parameters| parameters.as_oid().ok());
                let curve = curve.map_or_else(|| "of its own parameters".into(), |oid| oid.to_id_string());
                let curve = Curve::of(&curve)?;
                // An uncompressed point begins with a 4.
                if data.first() != Some(&4) {
                    return Err(Problem::new("its EC key is written as a compressed point", NEW_KEY));
                }
                Ok(Self::Ec(curve, data))
            }
            (RSA | EC, _) => Err(Problem::new("the public key in it is damaged", "create the certificate again")),
            (other, _) => Err(unsupported(other)),
        }
    }

    /// What this key signs with unless something else is asked for.
    pub(super) fn usual(&self, is_ad_fs: bool) -> SignatureAlgorithm {
        match self {
            Self::Rsa(_) if is_ad_fs => SignatureAlgorithm::Rs256,
            Self::Rsa(_) => SignatureAlgorithm::Ps256,
            Self::Ec(curve, _) => curve.algorithm(),
        }
    }

    /// Refuses an algorithm for which this is the wrong kind of key.
    pub(super) fn check(&self, algorithm: SignatureAlgorithm) -> Result<(), Problem> {
        let usual = self.usual(false);
        if algorithm == usual || algorithm.is_rsa() && usual.is_rsa() {
            return Ok(());
        }
        let (kind, able) = match self {
            Self::Rsa(_) => ("an RSA key", "PS256 or RS256"),
            Self::Ec(Curve::P256, _) => ("an EC key on the curve P-256", "ES256"),
            Self::Ec(Curve::P384, _) => ("an EC key on the curve P-384", "ES384"),
        };
        let what = format!("{algorithm} was asked for, and it has {kind}");
        Err(Problem::new(what, format!("ask for {able}, or for no algorithm: the one that fits is chosen then")))
    }

    /// Whether a signature is one of this key.
    pub(super) fn verifies(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        let (Self::Rsa(key) | Self::Ec(_, key)) = self;
        let algorithm: &'static dyn VerificationAlgorithm = match algorithm {
            SignatureAlgorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
            SignatureAlgorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            SignatureAlgorithm::Es256 => &ECDSA_P256_SHA256_FIXED,
            SignatureAlgorithm::Es384 => &ECDSA_P384_SHA384_FIXED,
        };
        UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok()
    }
}

/// A private key as a file has it. The one of EC does without its public half, which Java leaves out.
pub(super) enum PrivateKey {
    Rsa(Box<RsaKeyPair>),
    Ec(Curve, Zeroizing<Vec<u8>>),
}

impl PrivateKey {
    /// Reads PKCS#8 (RFC 5958).
    pub(super) fn from_pkcs8(der: &[u8]) -> Result<Self, Problem> {
        let info = PrivateKeyInfoRef::try_from(der).map_err(|_| damaged("PKCS#8"))?;
        match info.algorithm.oid.to_string().as_str() {
            RSA => Self::from_pkcs1(info.private_key.as_bytes()),
            EC => {
                let curve = info.algorithm.parameters_oid().ok().map(|oid| oid.to_string());
                Self::from_sec1(info.private_key.as_bytes(), curve)
            }
            other => Err(unsupported(other)),
        }
    }

    /// Reads PKCS#1 (RFC 8017, appendix A.1.2).
    pub(super) fn from_pkcs1(der: &[u8]) -> Result<Self, Problem> {
        let damaged = || damaged("PKCS#1");
        wrong_size(modulus_bits(der).ok_or_else(damaged)?)?;
        RsaKeyPair::from_der(der).map(|pair| Self::Rsa(Box::new(pair))).map_err(|reason| {
            Problem::new(
                format!("its RSA key cannot be signed with ({reason})"),
                format!("create a new pair; {NEW_KEY}"),
            )
        })
    }

    /// Reads SEC1 (RFC 5915). The curve may be told by what surrounds the key.
    pub(super) fn from_sec1(der: &[u8], curve: Option<String>) -> Result<Self, Problem> {
        let key = EcPrivateKey::try_from(der).map_err(|_| damaged("SEC1"))?;
        let own = key.parameters.and_then(|parameters| parameters.named_curve()).map(|oid| oid.to_string());
        let curve = Curve::of(&curve.or(own).ok_or_else(|| {
            let next = "write it with its curve: openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW";
            Problem::new("its EC key does not say which curve it is on", next)
        })?)?;
        // Some writers leave leading zeros out, some add one.
        let digits = key.private_key.iter().position(|byte| *byte != 0).unwrap_or(key.private_key.len());
        let digits = &key.private_key[digits..];
        let missing = curve.size().checked_sub(digits.len()).ok_or_else(|| damaged("SEC1"))?;
        let mut scalar = Zeroizing::new(vec![0; missing]);
        scalar.reserve_exact(digits.len());
        scalar.extend_from_slice(digits);
        Ok(Self::Ec(curve, scalar))
    }

    /// Whether this is the private half of a public key.
    pub(super) fn belongs_to(&self, public: &PublicKey) -> bool {
        match (self, public) {
            (Self::Rsa(pair), PublicKey::Rsa(der)) => pair.public().as_ref() == der,
            (Self::Ec(..), PublicKey::Ec(..)) => self.ecdsa(public).is_some(),
            _ => false,
        }
    }

    fn ecdsa(&self, public: &PublicKey) -> Option<EcdsaKeyPair> {
        let (Self::Ec(own, scalar), PublicKey::Ec(curve, point)) = (self, public) else { return None };
        (own == curve).then_some(())?;
        EcdsaKeyPair::from_private_key_and_public_key(curve.signing(), scalar, point, &SystemRandom::new()).ok()
    }

    /// Signs from now on, as the private half of `public`.
    pub(super) fn with(self, public: &PublicKey) -> Option<SigningKey> {
        match self {
            Self::Ec(..) => self.ecdsa(public).map(|pair| SigningKey::Ec(Box::new(pair))),
            Self::Rsa(pair) => Some(SigningKey::Rsa(pair)),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").finish_non_exhaustive()
    }
}

fn damaged(format: &str) -> Problem {
    Problem::new(
        format!("the private key in it is damaged: it is no {format}"),
        "look at it with: openssl pkey -in FILE -noout -text; and copy or export it again",
    )
}

/// The size of an RSA private key.
fn modulus_bits(der: &[u8]) -> Option<usize> {
    let modulus = AnyRef::from_der(der).ok()?.sequence(|fields| {
        let _version: u8 = fields.decode()?;
        let modulus: UintRef<'_> = fields.decode()?;
        // The rest is looked at by the library that signs.
        let _rest = fields.read_slice(fields.remaining_len())?;
        Ok::<_, pkcs8::der::Error>(modulus)
    });
    let modulus = modulus.ok()?.as_bytes();
    Some(modulus.len() * 8 - usize::try_from(modulus.first()?.leading_zeros()).ok()?)
}

/// A private key whose certificate is known.
pub(super) enum SigningKey {
    Rsa(Box<RsaKeyPair>),
    Ec(Box<EcdsaKeyPair>),
}

impl SigningKey {
    /// Signs with an algorithm that the key was [checked](PublicKey::check) for.
    pub(super) fn sign(&self, algorithm: SignatureAlgorithm, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let random = SystemRandom::new();
        let signature = match self {
            Self::Rsa(pair) => {
                let padding: &dyn RsaEncoding =
                    if algorithm == SignatureAlgorithm::Rs256 { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut signature).map(|()| signature)
            }
            Self::Ec(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
        };
        // The numbers of an RSA key are not all compared before it signs.
        signature.map_err(|_| Problem::new("its private key is inconsistent: it does not sign", "create a new pair"))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}
