//! A browser for tests: it keeps cookies, follows nothing by itself, and fills in forms.

use crate::support::{Answer, Run, form, send};
use std::collections::BTreeMap;
use url::Url;

/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser, at a page.
pub(crate) struct Browser<'a> {
    run: &'a Run,
    cookies: BTreeMap<String, String>,
    url: Url,
    pub(crate) page: Answer,
}

impl<'a> Browser<'a> {
    /// A browser that goes to a page first.
    pub(crate) async fn open(run: &'a Run, url: &str) -> Self {
        let page = Answer { status: 0, headers: reqwest::header::HeaderMap::new(), text: String::new() };
        let mut browser = Self { run, cookies: BTreeMap::new(), url: Url::parse(url).expect("a URL"), page };
        browser.go(url).await;
        browser
    }

    /// Goes to a page.
    pub(crate) async fn go(&mut self, url: &str) {
        let url = self.url.join(url).expect("a URL");
        let request = self.run.laptop.get(url.clone());
        self.send(url, request).await;
    }

    /// Presses the button with an id, or the form's own, having filled in fields.
    pub(crate) async fn press(&mut self, button: &str, fields: &[(&str, &str)]) {
        let mut all = self.hidden();
        all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let tag = self.tag("button", &format!("id=\"{button}\""));
        let action = attribute(&tag, "formaction")
            .unwrap_or_else(|| attribute(&self.tag("form", "method"), "action").expect("an action"));
        let pairs: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(&action, &pairs).await;
    }

    /// Posts a form, whatever the page has.
    pub(crate) async fn post(&mut self, action: &str, fields: &[(&str, &str)]) {
        let url = self.url.join(action).expect("a URL");
        let request = self.run.laptop.post(url.clone()).header("content-type", "application/x-www-form-urlencoded");
        self.send(url, request.body(form(fields))).await;
    }

    async fn send(&mut self, url: Url, request: reqwest::RequestBuilder) {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.page = send(request.header("cookie", cookies.join("; "))).await;
        self.url = url;
        for cookie in self.page.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            assert!(cookie.contains("; Secure; HttpOnly; SameSite="), "{cookie}");
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a pair");
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Forgets every cookie.
    pub(crate) fn forget(&mut self) {
        self.cookies.clear();
    }

    /// The hidden fields of the page.
    pub(crate) fn hidden(&self) -> Vec<(String, String)> {
        let inputs =
            self.page.text.split('<').filter(|tag| tag.starts_with("input") && tag.contains("type=\"hidden\""));
        let field = |tag: &str| Some((attribute(tag, "name")?, attribute(tag, "value")?));
        inputs.filter_map(field).collect()
    }

    fn tag(&self, name: &str, part: &str) -> String {
        let found = self.page.text.split('<').find(|tag| tag.starts_with(name) && tag.contains(part));
        found.unwrap_or_else(|| panic!("no {name} with {part} in {}", self.page.text)).to_owned()
    }

    /// The text of the element with an id.
    pub(crate) fn element(&self, id: &str) -> String {
        let start = self.page.text.find(&format!("id=\"{id}\""));
        let rest = &self.page.text[start.unwrap_or_else(|| panic!("no #{id} in {}", self.page.text))..];
        rest.split_once('>').and_then(|(_, rest)| rest.split_once('<')).expect("an element").0.to_owned()
    }

    /// What the page says is wrong.
    pub(crate) fn problem(&self) -> String {
        let (_, rest) = self.page.text.split_once("role=\"alert\">").unwrap_or_else(|| panic!("{}", self.page.text));
        rest.split_once("</div>").expect("an end").0.to_owned()
    }

    /// Where the browser is sent, with the parameters of the query.
    pub(crate) fn sent(&self) -> (String, BTreeMap<String, String>) {
        assert_eq!(self.page.status, 302, "{:?}", self.page);
        let url = Url::parse(self.page.header("location")).expect("a URL");
        let parameters = url.query_pairs().into_owned().collect();
        (url[..url::Position::AfterPath].to_owned(), parameters)
    }

    /// Enters name and password.
    pub(crate) async fn sign_in(&mut self, user: &str, password: &str) {
        self.press("idSIButton9", &[("loginfmt", user)]).await;
        self.press("idSIButton9", &[("passwd", password)]).await;
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let text = rest.split_once('"')?.0;
    Some(text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
}

/// The address that a client sends a browser to. Later parameters replace earlier ones; an empty one goes.
pub(crate) fn authorize(tenant: &str, changes: &[(&str, &str)]) -> String {
    let mut parameters = vec![
        ("client_id", entrada_emulator::world::CLI_CLIENT_ID),
        ("response_type", "code"),
        ("redirect_uri", "http://localhost:8400"),
        ("scope", "https://vault.azure.net/.default offline_access openid profile"),
        ("state", "st&te"),
        ("nonce", "n0nce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for change in changes {
        parameters.retain(|(name, _)| *name != change.0);
        if !change.1.is_empty() {
            parameters.push(*change);
        }
    }
    format!("https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize?{}", form(&parameters))
}
