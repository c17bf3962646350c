//! Credentials of people.

use std::sync::Arc;

use entrada::{
    AuthorizationCodeCredential, AuthorizationCodeCredentialOptions, DeviceCodeCredential, DeviceCodeCredentialOptions,
    InteractiveBrowserCredential, InteractiveBrowserCredentialOptions, PromptCallback, UsernamePasswordCredential,
    UsernamePasswordCredentialOptions,
};
use pyo3::prelude::*;
use zeroize::Zeroizing;

use super::assertion::assertion;
use super::given::Given;
use super::{Making, made, made_for_people};
use crate::callable::{Argument, Wanted};

pub(super) fn device_code(given: &Given<'_>) -> PyResult<Making> {
    let callable = given.callable("prompt_callback", "prompt_callback", Wanted::Nothing)?;
    let prompt_callback = callable.map(|callable| {
        PromptCallback::from_async(move |info| {
            let callable = Arc::clone(&callable);
            let text = |text: String| Argument::Text(Zeroizing::new(text));
            #[expect(clippy::cast_precision_loss, reason = "no date is so far away")]
            let arguments = vec![
                text(info.verification_uri),
                text(info.user_code),
                Argument::Seconds(info.expires_on as f64),
                text(info.message),
            ];
            async move { callable.call(arguments).await.map(drop) }
        })
    });
    made_for_people(DeviceCodeCredential::new(Some(DeviceCodeCredentialOptions {
        tenant_id: given.text("tenant_id")?,
        client_id: given.text("client_id")?,
        prompt_callback,
        timeout: given.seconds("timeout")?,
        authentication_record: given.record()?,
        disable_automatic_authentication: given.flag("disable_automatic_authentication")?.unwrap_or_default(),
        entra: given.entra()?,
    })))
}

pub(super) fn browser(given: &Given<'_>) -> PyResult<Making> {
    made_for_people(InteractiveBrowserCredential::new(Some(InteractiveBrowserCredentialOptions {
        tenant_id: given.text("tenant_id")?,
        client_id: given.text("client_id")?,
        redirect_uri: given.text("redirect_uri")?,
        login_hint: given.text("login_hint")?,
        prompt: given.text("prompt")?,
        timeout: given.seconds("timeout")?,
        authentication_record: given.record()?,
        disable_automatic_authentication: given.flag("disable_automatic_authentication")?.unwrap_or_default(),
        entra: given.entra()?,
    })))
}

pub(super) fn password(given: &Given<'_>) -> PyResult<Making> {
    let (client_id, username) = (given.needed("client_id")?, given.needed("username")?);
    let options = UsernamePasswordCredentialOptions { tenant_id: given.text("tenant_id")?, entra: given.entra()? };
    let password = given.needed("password")?.into();
    made_for_people(UsernamePasswordCredential::new(client_id, &username, password, Some(options)))
}

pub(super) fn authorization_code(given: &Given<'_>) -> PyResult<Making> {
    let (tenant_id, client_id) = (given.needed("tenant_id")?, given.needed("client_id")?);
    let (code, redirect_uri) = (given.needed("authorization_code")?.into(), given.needed("redirect_uri")?);
    let options = Some(AuthorizationCodeCredentialOptions {
        client_secret: given.text("client_secret")?.map(Into::into),
        certificate_password: given.password("password")?.map(Into::into),
        send_certificate_chain: given.flag("send_certificate_chain")?.unwrap_or_default(),
        code_verifier: given.text("code_verifier")?.map(Into::into),
        entra: given.entra()?,
    });
    let (tenant_id, redirect_uri) = (&*tenant_id, &*redirect_uri);
    made(if let Some(data) = given.bytes("client_certificate")? {
        let data = data.as_slice().into();
        AuthorizationCodeCredential::with_certificate(tenant_id, client_id, code, redirect_uri, data, options)
    } else if given.text("assertion")?.is_some() {
        let assertion = assertion(given)?;
        AuthorizationCodeCredential::with_assertion(tenant_id, client_id, code, redirect_uri, assertion, options)
    } else {
        AuthorizationCodeCredential::new(tenant_id, client_id, code, redirect_uri, options)
    })
}
