//! Trust in a subject name: a certificate that comes with its chain, and an authority that vouches for it.
//!
//! Entra calls it subject-name and issuer authentication: the app registers no certificate but a name and an
//! authority, so that a renewed certificate is taken without a change.

use super::{Certificate, from_pem};
use crate::config::TrustedSubject;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use x509_parser::prelude::{FromDer, X509Certificate};

/// How many certificates a chain may have.
const LONGEST: usize = 10;

/// The certificate that signed an assertion with this header parameter `x5c`, if one of the subjects is its own.
pub(crate) fn is_trusted(x5c: &Value, subjects: &[TrustedSubject]) -> Option<Certificate> {
    let chain: Vec<Vec<u8>> = x5c
        .as_array()
        .filter(|list| (1..=LONGEST).contains(&list.len()))?
        .iter()
        .map(|entry| STANDARD.decode(entry.as_str()?).ok())
        .collect::<Option<_>>()?;
    let leaf = Certificate::from_der(&chain[0]).ok()?;
    let named = |subject: &&TrustedSubject| leaf.names.iter().any(|name| name.eq_ignore_ascii_case(&subject.name));
    subjects
        .iter()
        .filter(named)
        .any(|subject| {
            let authorities = from_pem(&subject.authority).unwrap_or_default();
            authorities.iter().any(|authority| leads_to(&chain, &authority.der))
        })
        .then_some(leaf)
}

/// Whether each certificate is signed by the next, and the last one by the authority, or is the authority.
fn leads_to(chain: &[Vec<u8>], authority: &[u8]) -> bool {
    let mut issuers = chain.iter().skip(1).map(Vec::as_slice).chain([authority]);
    chain.iter().all(|certificate| {
        let issuer = issuers.next().unwrap_or(authority);
        certificate == authority || is_signed_by(certificate, issuer)
    })
}

fn is_signed_by(certificate: &[u8], issuer: &[u8]) -> bool {
    let (Ok((_, certificate)), Ok((_, issuer))) =
        (X509Certificate::from_der(certificate), X509Certificate::from_der(issuer))
    else {
        return false;
    };
    issuer.is_ca()
        && issuer.validity().is_valid()
        && certificate.issuer() == issuer.subject()
        && certificate.verify_signature(Some(issuer.public_key())).is_ok()
}

#[cfg(test)]
mod tests {
    use super::is_trusted;
    use crate::config::TrustedSubject;
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use serde_json::{Value, json};

    fn authority(name: &str) -> (Issuer<'static, KeyPair>, String) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        (Issuer::new(params, key), certificate.pem())
    }

    fn leaf(issuer: &Issuer<'static, KeyPair>, name: &str) -> Vec<u8> {
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        params.signed_by(&key, issuer).expect("a certificate").der().to_vec()
    }

    fn x5c(chain: &[&[u8]]) -> Value {
        json!(chain.iter().map(|der| STANDARD.encode(der)).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_is_trusted_only_under_its_authority() {
        let ((issuer, pem), (stranger, _)) = (authority("Contoso CA"), authority("Contoso CA"));
        let subjects = [TrustedSubject { name: "orders.contoso.example".into(), authority: pem }];
        let good = leaf(&issuer, "Orders.contoso.example");
        let found = is_trusted(&x5c(&[&good]), &subjects).expect("trusted");
        assert_eq!(found.der, good);
        let root = super::from_pem(&subjects[0].authority).expect("a certificate")[0].der.clone();
        assert!(is_trusted(&x5c(&[&good, &root]), &subjects).is_some(), "with the root in the chain");
        assert!(is_trusted(&x5c(&[&leaf(&issuer, "other.contoso.example")]), &subjects).is_none(), "another name");
        assert!(is_trusted(&x5c(&[&leaf(&stranger, "orders.contoso.example")]), &subjects).is_none(), "another key");
        assert!(is_trusted(&x5c(&[&good, &good]), &subjects).is_none(), "a leaf is no authority");
        for odd in [json!(null), json!([]), json!("x"), json!(["!"]), json!([5])] {
            assert!(is_trusted(&odd, &subjects).is_none(), "{odd}");
        }
    }
}
