//! The gateway: what it refuses, and how.

use crate::support::{Run, send, start};
use std::io::{Read, Write};
use std::net::TcpStream;

fn raw(run: &Run, request: &str) -> String {
    let address = run.emulator.gateway_url().replace("http://", "");
    let mut stream = TcpStream::connect(address).expect("connected");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn other_names_are_refused_by_name_and_written_down() {
    let run = start().await;
    for (target, words) in [
        ("example.org:443", "nothing leaves this machine"),
        ("other.vault.azure.net:443", "contoso-vault"),
        ("azcliprod.blob.core.windows.net:443", "contosostore"),
        ("login.microsoftonline.com:8443", "port 443"),
        ("169.254.169.254:443", "no https"),
    ] {
        let answer = raw(&run, &format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"));
        let host = target.split(':').next().expect("host");
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(answer.contains(host) && answer.contains(words), "{answer}");
        let entry = run.emulator.journal().entries().pop().expect("written down");
        assert_eq!((entry.host.as_str(), entry.refused()), (host, true));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_is_for_the_metadata_service_only() {
    let run = start().await;
    let answer = raw(&run, "GET http://login.microsoftonline.com/ HTTP/1.1\r\nHost: login.microsoftonline.com\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("https"), "{answer}");
    let answer = raw(&run, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("HTTPS_PROXY"), "{answer}");
}

#[tokio::test]
async fn a_client_that_does_not_trust_the_authority_is_told_of() {
    let run = start().await;
    let stranger = reqwest::Client::builder()
        .proxy(reqwest::Proxy::all(run.emulator.gateway_url()).expect("proxy"))
        .tls_certs_only([])
        .build()
        .expect("client");
    let mut journal = run.emulator.journal().follow();
    assert!(stranger.get("https://login.microsoftonline.com/").send().await.is_err());
    let entry = journal.recv().await.expect("written down");
    assert!(entry.note.expect("note").contains("trust the emulator's authority"));
}

#[tokio::test]
async fn large_heads_and_bodies_are_bounded() {
    let run = start().await;
    let url = "https://login.microsoftonline.com/common/oauth2/v2.0/token";
    let body = send(run.laptop.post(url).body(vec![b'a'; 2 * 1024 * 1024])).await;
    assert_eq!(body.status, 413);
    let head = run.laptop.get(url).header("x-large", "a".repeat(200 * 1024)).send().await;
    assert!(head.is_err() || head.is_ok_and(|answer| answer.status() == 431));
}
